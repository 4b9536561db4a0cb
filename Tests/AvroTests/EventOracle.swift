import Support

@testable import Digest

/// Random events of random schemas, each written by fastavro.
///
/// The lines are described in `Tests/Oracles/events.py`, which writes them.
enum EventOracle {
    struct Case {
        let schema: [UInt8]
        let event: String
        let binary: [UInt8]
    }

    /// nil: the oracle did not run to its end.
    static func cases(seed: UInt32, count: Int) -> [Case]? {
        let tests = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
        let script = "/\(tests)/Oracles/events.py"
        guard let run = ProcessRun([ProcessRun.python, script, "\(seed)", "\(count)"]),
            run.status == 0
        else { return nil }
        return run.output.split(separator: UInt8(ascii: "\n")).map { line in
            let fields = line.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
            precondition(fields.count == 3, "a line of the oracle has 3 fields")
            return Case(
                schema: bytes(of: fields[0]),
                event: String(decoding: bytes(of: fields[1]), as: UTF8.self),
                binary: bytes(of: fields[2]))
        }
    }

    private static func bytes(of field: ArraySlice<UInt8>) -> [UInt8] {
        let digits = field.map { Hexadecimal.value(of: $0) ?? 0 }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }
}
