import Model
import Testing

@testable import Batching

/// A connector with little to say.
func connector(
    _ name: String, _ patterns: [String] = ["*"], defaultType: String? = nil, folder: String = "f"
) -> Routing.Connector {
    var settings = ConnectorSettings(
        name: ConnectorName(name)!, bucket: "b", integrationID: "\(name)-id")
    settings.folder = folder
    settings.format = .jsonl(.gzip)
    settings.events = patterns.map { EventPattern($0)! }
    settings.defaultEventType = defaultType
    return Routing.Connector(settings)
}

func routing(_ connectors: [Routing.Connector], unmatched: Unmatched = .quarantine) -> Routing {
    Routing(
        cluster: "prod-01", zone: "eu-1", partition: 7, unmatched: unmatched, connectors: connectors
    )
}

@Suite struct RoutingTableTests {
    private static let connectors = [
        connector("clicks", ["*.Click", "*.Open"]),
        connector("logs", ["log.*"], defaultType: "log.line"),
        connector("orders", ["shop.Order", "shop.Refund"]),
        connector("spare", ["other"], defaultType: "none.of.its.own"),
    ]
    private let table = RoutingTable(routing(connectors))
    private let discarding = RoutingTable(routing(connectors, unmatched: .discard))

    @Test(arguments: [
        ("shop.Order", ["orders shop.Order"]), ("shop.Refund", ["orders shop.Refund"]),
        ("log.Click", ["clicks log.Click", "logs log.Click"]), ("a.b.Open", ["clicks a.b.Open"]),
        ("log.x.y", ["logs log.x.y"]), ("other", ["spare other"]),
    ])
    func `An event goes to every connector that subscribes to its type`(
        type: String, targets: [String]
    ) {
        let answer = table.answer(eventType: type, .subscriptions)
        #expect(names(answer) == targets)
        #expect(answer.refusals.isEmpty && !answer.isDiscarded)
        #expect(discarding.answer(eventType: type, .subscriptions) == answer)
    }

    @Test(arguments: ["shop.order", "Click", "shop.Order2", "nobody"])
    func `An event that nobody wants is refused, or discarded where that is asked for`(type: String)
    {
        let refused = table.answer(eventType: type, .subscriptions)
        #expect(refused.refusals.map(\.refusal) == [.unmatched(eventType: type)])
        #expect(refused.refusals.map(\.connector) == [nil])
        #expect(refused.targets.isEmpty && !refused.isDiscarded)
        let discarded = discarding.answer(eventType: type, .subscriptions)
        #expect(discarded == RoutingTable.Answer(isDiscarded: true))
    }

    @Test func `An event without a type goes where the default type is wanted`() {
        #expect(names(table.answer(eventType: nil, .subscriptions)) == ["logs log.line"])
    }

    @Test(arguments: [Unmatched.quarantine, .discard])
    func `An event without a type that nobody has a default for is refused, never discarded`(
        unmatched: Unmatched
    ) {
        let table = RoutingTable(routing([connector("a")], unmatched: unmatched))
        let answer = table.answer(eventType: nil, .subscriptions)
        #expect(answer == RoutingTable.Answer(refusals: [(nil, .noEventType)]))
    }

    @Test func `What a sub-directory or the event names gets the event, wanted or not`() throws {
        let orders = try #require(table.index(of: "orders"))
        #expect(
            names(table.answer(eventType: "any.thing", .connector(orders))) == ["orders any.thing"])
        let spare = try #require(table.index(of: "spare"))
        #expect(names(table.answer(eventType: nil, .connector(spare))) == ["spare none.of.its.own"])
        let refused = table.answer(eventType: nil, .connector(orders))
        #expect(refused == RoutingTable.Answer(refusals: [(orders, .noEventType)]))
    }

    @Test(arguments: [
        "", "a..b", ".a", "a.", "a b", "a/b", "ä", String(repeating: "a", count: 129),
    ])
    func `A type that breaks the rule is refused, whatever the default and the patterns`(
        type: String
    ) {
        for table in [table, discarding] {
            let all = table.answer(eventType: type, .subscriptions)
            #expect(all == RoutingTable.Answer(refusals: [(nil, .invalidEventType)]))
            let one = table.answer(eventType: type, .connector(1))
            #expect(one == RoutingTable.Answer(refusals: [(1, .invalidEventType)]))
        }
    }

    @Test func `Connectors are found by their exact names`() {
        #expect(["clicks", "logs", "orders", "spare"].map { table.index(of: $0) } == [0, 1, 2, 3])
        for name in ["", "Orders", "orders ", "order", "a/b"] {
            #expect(table.index(of: name) == nil)
        }
    }

    @Test func `A connector whose keys would be too long refuses, the others take`() {
        let type = String(repeating: "t", count: 100)
        // 1,024 bytes at most with the largest offset: what the rest of the key takes is left for the folder.
        let rest = routing([connector("deep")]).key(
            connector("deep", folder: ""), eventType: type, hour: Hour(hoursSince1970: 0),
            offset: .max)
        let room = ObjectKey.longest - rest.utf8.count - 1
        for (length, refusals) in [
            (room, []), (room + 1, [RoutingTable.Refusal.keyTooLong(eventType: type)]),
        ] {
            let deep = connector("deep", folder: String(repeating: "d", count: length))
            let table = RoutingTable(routing([connector("a"), deep], unmatched: .discard))
            let answer = table.answer(eventType: type, .subscriptions)
            #expect(
                names(answer, table) == ["a \(type)"] + (refusals.isEmpty ? ["deep \(type)"] : []))
            #expect(answer.refusals.map(\.refusal) == refusals)
            #expect(answer.refusals.map(\.connector) == refusals.map { _ in 1 })
            // Wanted, but by nobody who can take it: it is not discarded.
            let alone = RoutingTable(routing([deep], unmatched: .discard))
            #expect(!alone.answer(eventType: type, .subscriptions).isDiscarded)
            #expect(
                alone.answer(eventType: type, .connector(0)).refusals.map(\.refusal) == refusals)
        }
    }

    @Test(
        arguments: [
            (.noEventType, "it has no event_type, and the connector has no default_event_type"),
            (
                .invalidEventType,
                "its event_type is no string of 1 to 128 letters, digits, \"_\", \"-\" and single dots"
            ),
            (.unmatched(eventType: "a.b"), "no connector wants events of type a.b"),
            (.unknownConnector("x"), "there is no connector \"x\""),
            (.invalidConnector, "its connector is neither a name nor a list of names"),
            (
                .keyTooLong(eventType: "t"),
                "the object key for type t would be longer than 1024 bytes"
            ),
        ] as [(RoutingTable.Refusal, String)])
    func `A refusal says why`(refusal: RoutingTable.Refusal, text: String) {
        #expect(refusal.description == text)
    }

    @Test func `A key is of the Currents layout`() {
        let key = routing([]).key(
            connector("orders", folder: "currents"), eventType: "shop.Order",
            hour: Hour("2026-11-22-18")!, offset: 42)
        #expect(
            key == "currents/dataexport.prod-01.S3.integration.orders-id/event_type=shop.Order"
                + "/date=2026-11-22-18/0/eu-1/dataexport.prod-01.S3.integration.orders-id+7+42.jsonl.gz"
        )
    }

    private func names(_ answer: RoutingTable.Answer, _ table: RoutingTable? = nil) -> [String] {
        answer.targets.map {
            "\((table ?? self.table).routing.connectors[$0.connector].name) \($0.eventType)"
        }
    }
}
