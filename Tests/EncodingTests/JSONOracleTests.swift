import Encoding
import Support
import Testing

/// The scanner against Python's json, over tens of thousands of lines.
@Suite struct JSONOracleTests {
    static let isAvailable =
        OracleScript.has("json")

    @Test(
        .enabled(if: isAvailable, "python3 is missing: set SLUICE_PYTHON to a Python"),
        arguments: [1, UInt64.random(in: 0..<1 << 32)])
    func `Python agrees on what is an event, and on its event_type and connector`(seed: UInt64)
        throws
    {
        var generator = JSONGenerator(seed: seed)
        let memory = GuardedText(capacity: 1 << 16)
        var counts: [Kind: Int] = [:]
        var lines: [UInt8] = []
        for index in 0..<15_000 {
            let text = index % 3 == 0 ? generator.event() : generator.mutated()
            let line = Scanned(text, in: memory)
            let kind = Kind(line.outcome)
            if index % 3 == 0, kind != .event {
                Issue.record(
                    "a valid event is \(line.outcome): \(String(decoding: text, as: UTF8.self))")
            }
            #expect(line.length == text.count + 1)
            counts[kind, default: 0] += 1
            for field in [
                hexadecimal(text), Array(kind.rawValue.utf8), field(line.eventType),
                field(line.connector),
            ] {
                lines += field + [UInt8(ascii: "\t")]
            }
            lines[lines.count - 1] = UInt8(ascii: "\n")
        }
        let directory = TemporaryTree()
        directory.write("lines", lines)
        let tests = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
        let script = "/\(tests)/Oracles/json_events.py"
        let run = try #require(ProcessRun([ProcessRun.python, script, directory.at("lines")]))
        #expect(run.status == 0)
        let said = String(decoding: run.output, as: UTF8.self).split(separator: "\n")
        let (events, refused) = (counts[.event] ?? 0, counts[.refused] ?? 0)
        #expect(said.last.map(String.init) == "\(events) \(counts[.blank] ?? 0) \(refused)")
        #expect(said.count == 1, "seed \(seed): \(said.prefix(5).joined(separator: "\n"))")
        // A generator that makes no faults, or nothing else, would prove nothing.
        #expect(events > 6_000 && refused > 6_000)
    }

    private enum Kind: String {
        case event, blank, refused

        init(_ outcome: EventLine.Outcome) {
            switch outcome {
            case .event: self = .event
            case .blank: self = .blank
            case .refused: self = .refused
            }
        }
    }

    private func field(_ value: Scanned.Value) -> [UInt8] {
        switch value {
        case .missing: Array("-".utf8)
        case .string(let string): Array("s:".utf8) + hexadecimal(Array(string.utf8))
        case .other(let text): Array("o:".utf8) + hexadecimal(Array(text.utf8))
        }
    }

    private func hexadecimal(_ bytes: [UInt8]) -> [UInt8] {
        let digits = Array("0123456789abcdef".utf8)
        return bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    }
}
