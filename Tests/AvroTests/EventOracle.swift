import Support

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
        OracleScript("events.py").lines("\(seed)", "\(count)")?.map { line in
            let fields = line.map { OracleScript.bytes(ofHex: $0) ?? [] }
            precondition(fields.count == 3, "a line of the oracle has 3 fields")
            return Case(
                schema: fields[0], event: String(decoding: fields[1], as: UTF8.self),
                binary: fields[2])
        }
    }
}
