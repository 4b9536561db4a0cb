/// The endpoints that botocore resolves, as `Tests/Oracles/endpoints.py` prints them.
public enum EndpointOracle {
    public struct Line: Sendable {
        public let region: String
        public let dualStack: Bool
        public let fips: Bool
        public let origin: String
    }

    public static let isAvailable =
        ProcessRun([ProcessRun.python, "-c", "import botocore.endpoint_provider"], quietly: true)?
        .status == 0

    /// nil: the oracle did not run to its end.
    public static func lines(service: String) -> [Line]? {
        let tests = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
        guard let run = ProcessRun([ProcessRun.python, "/\(tests)/Oracles/endpoints.py"]),
            run.status == 0
        else { return nil }
        return String(decoding: run.output, as: UTF8.self).split(separator: "\n").compactMap {
            line in
            let fields = line.split(separator: "\t").map(String.init)
            precondition(fields.count == 5, "a line of the oracle has 5 fields")
            return fields[0] == service
                ? Line(
                    region: fields[1], dualStack: fields[2] == "yes", fips: fields[3] == "yes",
                    origin: fields[4]) : nil
        }
    }
}
