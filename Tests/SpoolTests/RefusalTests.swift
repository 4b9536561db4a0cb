import Files
import Model
import Support
import Testing

@testable import Spool

/// What is told of refused lines.
@Suite struct RefusalTests {
    @Test func `Refused lines are told once, though their file is read again after a failure`()
        throws
    {
        let house = try SpoolHouse()
        let files = AlteredFileSystem(house.files)
        house.files = files
        house.start()
        let event = #"{"event_type":"a","id":"1"}"# + "\n"
        for failures in 1...3 {
            // The rejects are sealed before the batch fails.
            files.full = ["connectors/all.offsets.new"]
            if failures == 1 { house.take("a.jsonl", event + "no event\n") }
            house.flush()
            #expect(house.failures.count == failures)
            house.spool?.open()
            house.run()
        }
        files.full = []
        house.flush()
        #expect(house.sealed() == event)
        #expect(house.eventsRefusals.map(\.refused) == [1])
    }
}
