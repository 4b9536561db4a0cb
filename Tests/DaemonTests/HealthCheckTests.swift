import Model
import Testing

@testable import Daemon

/// When `GET /healthz` complains.
@Suite struct HealthCheckTests {
    private func connector(
        _ name: String, _ state: ConnectorStatus.State, minutes: Double? = nil, held: Int = 0
    ) throws -> ConnectorStatus {
        var status = ConnectorStatus(name: try #require(ConnectorName(name)))
        status.state = state
        status.troubledFor = minutes.map { .seconds($0 * 60) }
        status.held = BatchSums(objects: min(held, 1), events: held, bytes: 100)
        if state == .credentialsFailing {
            status.risks = [
                ConnectorStatus.Risk(
                    since: Timestamp(unixSeconds: 0), attempts: 1, held: status.held,
                    onExpiry: .drop, isStanding: false)
            ]
        }
        return status
    }

    private func complaint(_ connectors: ConnectorStatus..., intake: IntakeState = .running)
        -> String?
    {
        HealthCheck(intake: intake, connectors: connectors).complaint
    }

    @Test func `Deliveries, a pause, and a trouble with nothing to deliver are healthy`() throws {
        #expect(
            complaint(
                try connector("a", .delivering, held: 1000), try connector("b", .paused, held: 9),
                try connector("c", .credentialsFailing, minutes: 900),
                try connector("d", .neverVerified)) == nil)
        #expect(complaint(intake: .opening) == nil)
    }

    @Test(
        "A trouble that keeps events waiting is one after five minutes",
        arguments: [
            ConnectorStatus.State.backingOff, .misconfigured, .credentialsFailing,
        ])
    func lasting(state: ConnectorStatus.State) throws {
        #expect(complaint(try connector("a", state, minutes: 4.9, held: 12)) == nil)
        #expect(
            complaint(try connector("a", state, minutes: 5, held: 1200))
                == "connector a: \(state.rawValue) for 5 min, 1,200 events waiting")
    }

    @Test func `A batch at fault and an intake that does not run are told at once`() throws {
        var faulty = try connector("orders", .delivering)
        faulty.atFault = (1, "refused")
        #expect(complaint(faulty) == "connector orders: 1 batch at fault")
        #expect(complaint(faulty, intake: .waiting("the disk is full")) == "the disk is full")
        #expect(complaint(intake: .failed("it is gone")) == "it is gone")
    }

    @Test func `Several are one line`() throws {
        let ill = try ["a", "b", "c"].map {
            try connector($0, .misconfigured, minutes: 60, held: 1)
        }
        #expect(
            HealthCheck(intake: .running, connectors: ill).complaint
                == "connector a: misconfigured for 60 min, 1 event waiting; and 2 other connectors")
    }

    @Test func `Where one event type is denied, only its own events count as waiting`() throws {
        var status = try connector("a", .credentialsFailing, minutes: 60, held: 50)
        status.risks[0].eventType = "cart"
        status.risks[0].held = BatchSums()
        #expect(complaint(status) == nil)
        status.risks[0].held = BatchSums(objects: 1, events: 3, bytes: 9)
        #expect(
            complaint(status) == "connector a: credentials failing for 60 min, 3 events waiting")
    }
}
