import Model
import Testing

@testable import Daemon

/// The minutes of the last hours, and the rate of the last one.
@Suite struct HistoryTests {
    private static let wall = Timestamp(unixSeconds: 1_795_370_000)

    private func flow(_ delivered: Int, dropped: Int = 0) -> History.Flow {
        History.Flow(
            deliveredEvents: delivered, deliveredBytes: UInt64(delivered) * 10,
            droppedEvents: dropped)
    }

    private func sample(_ history: inout History, _ flow: History.Flow, held: Int, minute: Double) {
        history.sample(
            flow: flow, heldEvents: held, heldBytes: UInt64(held) * 10,
            at: .seconds(minute * 60),
            wall: Timestamp(unixSeconds: Self.wall.unixSeconds + Int64(minute * 60)))
    }

    @Test func `A sample has what was delivered in its minute, and what is held at its end`() {
        var history = History(at: .zero, wall: Self.wall)
        sample(&history, flow(100), held: 7, minute: 1)
        sample(&history, flow(130, dropped: 5), held: 9, minute: 2)
        #expect(history.samples.map(\.flow) == [flow(100), flow(30, dropped: 5)])
        #expect(history.samples.map(\.heldEvents) == [7, 9])
        #expect(history.end == Timestamp(unixSeconds: Self.wall.unixSeconds + 120))
    }

    @Test func `A timer that is a little early or late loses no minute and makes none up`() {
        var history = History(at: .zero, wall: Self.wall)
        for (count, minute) in [1.0, 2.4, 3.0, 4.1, 4.9].enumerated() {
            sample(&history, flow(count), held: 0, minute: minute)
            #expect(history.samples.count == count + 1)
        }
    }

    @Test func `In minutes that the machine slept, as much was held and nothing delivered`() {
        var history = History(at: .zero, wall: Self.wall)
        sample(&history, flow(100), held: 7, minute: 1)
        sample(&history, flow(150), held: 2, minute: 5)
        #expect(history.samples.map(\.flow.deliveredEvents) == [100, 0, 0, 0, 50])
        #expect(history.samples.map(\.heldEvents) == [7, 7, 7, 7, 2])
    }

    @Test func `Six hours are kept, the oldest first, however long it goes on`() {
        var history = History(at: .zero, wall: Self.wall)
        for minute in 1...1000 {
            sample(&history, flow(minute * minute), held: minute, minute: Double(minute))
        }
        #expect(history.samples.map(\.heldEvents) == Array(641...1000))
        #expect(history.samples.last?.flow.deliveredEvents == 1000 * 1000 - 999 * 999)
        sample(&history, flow(2_000_000), held: 0, minute: 100_000)
        #expect(history.samples.count == History.limit)
        #expect(history.samples.dropLast().allSatisfy { $0.heldEvents == 1000 })
    }

    @Test func `The document says how to read its numbers`() throws {
        var history = History(at: .zero, wall: Self.wall)
        #expect(history.json(now: Self.wall)["samples"]?["held_bytes"]?.elements?.isEmpty == true)
        sample(&history, flow(100), held: 7, minute: 1)
        let document = history.json(now: Self.wall)
        #expect(document["interval_seconds"]?.integer == 60)
        #expect(document["end"]?.string == "2026-11-22T17:54:20Z")
        let samples = try #require(document["samples"])
        let names = [
            "delivered_events", "delivered_bytes", "held_events", "held_bytes", "dropped_events",
        ]
        let numbers = names.map { samples[$0]?.elements?.compactMap(\.integer) }
        #expect(numbers == [[100], [1000], [7], [70], [0]])
    }

    // MARK: The rate

    @Test func `A rate is the share of a second in the last minute, and a trickle is not nothing`()
    {
        var rate = DeliveryRate()
        #expect(rate.perSecond(at: .seconds(5)) == (0, 0))
        rate.add(events: 1, bytes: 6_000, at: .seconds(1000))
        #expect(rate.perSecond(at: .seconds(1001)) == (1, 100))
        rate.add(events: 1199, bytes: 0, at: .seconds(1030))
        #expect(rate.perSecond(at: .seconds(1054)) == (20, 100))
    }

    @Test func `What was delivered more than a minute ago counts no more`() {
        var rate = DeliveryRate()
        rate.add(events: 60, bytes: 60, at: .seconds(1000))
        rate.add(events: 600, bytes: 600, at: .seconds(1050))
        #expect(rate.perSecond(at: .seconds(1061)) == (10, 10))
        #expect(rate.perSecond(at: .seconds(1200)) == (0, 0))
        rate.add(events: 120, bytes: 120, at: .seconds(1201))
        #expect(rate.perSecond(at: .seconds(1201)) == (2, 2))
    }
}
