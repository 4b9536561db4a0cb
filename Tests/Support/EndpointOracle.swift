/// The endpoints that botocore resolves, as `Tests/Oracles/endpoints.py` prints them.
public enum EndpointOracle {
    public struct Line: Sendable {
        public let region: String
        public let dualStack: Bool
        public let fips: Bool
        public let origin: String
    }

    public static let isAvailable = OracleScript.has("botocore.endpoint_provider")

    /// nil: the oracle did not run to its end.
    public static func lines(service: String) -> [Line]? {
        OracleScript("endpoints.py").lines()?.compactMap { line in
            let fields = line.map { String(decoding: $0, as: UTF8.self) }
            precondition(fields.count == 5, "a line of the oracle has 5 fields")
            return fields[0] == service
                ? Line(
                    region: fields[1], dualStack: fields[2] == "yes", fips: fields[3] == "yes",
                    origin: fields[4]) : nil
        }
    }
}
