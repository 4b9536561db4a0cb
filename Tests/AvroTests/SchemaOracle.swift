import Support

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

    static let isAvailable = OracleScript.has("fastavro")

    /// nil: the oracle did not run to its end.
    static func cases(seed: UInt32, count: Int) -> [Case]? {
        OracleScript("schemas.py").lines("\(seed)", "\(count)")?.map { line in
            let fields = line.map { OracleScript.bytes(ofHex: $0) ?? [] }
            precondition(fields.count == 4, "a line of the oracle has 4 fields")
            return Case(
                text: fields[0], compactText: String(decoding: fields[1], as: UTF8.self),
                canonicalForm: String(decoding: fields[2], as: UTF8.self),
                fingerprint: fields[3].reduce(0) { $0 << 8 | UInt64($1) })
        }
    }
}
