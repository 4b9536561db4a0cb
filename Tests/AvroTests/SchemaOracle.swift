import Support

@testable import Digest

/// The shipped schemas and random ones, each read by fastavro.
///
/// The lines are described in `Tests/Oracles/schemas.py`, which writes them.
enum SchemaOracle {
    struct Case {
        let text: [UInt8]
        let compactText: String
        let canonicalForm: String
        let fingerprint: UInt64
    }

    static let isAvailable =
        ProcessRun([ProcessRun.python, "-c", "import fastavro"], quietly: true)?.status == 0

    /// nil: the oracle did not run to its end.
    static func cases(seed: UInt32, count: Int) -> [Case]? {
        let tests = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
        let script = "/\(tests)/Oracles/schemas.py"
        guard let run = ProcessRun([ProcessRun.python, script, "\(seed)", "\(count)"]),
            run.status == 0
        else { return nil }
        return run.output.split(separator: UInt8(ascii: "\n")).map { line in
            let fields = line.split(separator: UInt8(ascii: "\t")).map(bytes)
            precondition(fields.count == 4, "a line of the oracle has 4 fields")
            return Case(
                text: fields[0], compactText: String(decoding: fields[1], as: UTF8.self),
                canonicalForm: String(decoding: fields[2], as: UTF8.self),
                fingerprint: fields[3].reduce(0) { $0 << 8 | UInt64($1) })
        }
    }

    private static func bytes(of field: ArraySlice<UInt8>) -> [UInt8] {
        let digits = field.map { Hexadecimal.value(of: $0) ?? 0 }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }
}
