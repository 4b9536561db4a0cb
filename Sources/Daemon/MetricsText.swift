/// Writes metrics in Prometheus' text format, version 0.0.4.
///
/// Source: "Exposition formats", prometheus.io/docs/instrumenting/exposition_formats.
nonisolated struct MetricsText: Sendable {
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    enum Kind: String, Sendable { case counter, gauge }

    /// A name, what it means, and a value for each set of labels.
    struct Family: Sendable {
        var name: String
        var kind: Kind
        var help: String
        var samples: [Sample] = []
    }

    struct Sample: Sendable {
        var labels: [(name: String, value: String)] = []
        var value: Value
    }

    enum Value: Sendable, Equatable {
        case integer(Int)
        case decimal(Double)

        var text: String {
            switch self {
            case .integer(let number): String(number)
            case .decimal(let number): String(number)
            }
        }
    }

    private(set) var text = ""

    /// A family without samples is told of as well, so that what there is can be read from any answer.
    mutating func add(_ family: Family) {
        text += "# HELP \(family.name) \(Self.escaped(family.help, quotes: false))\n"
        text += "# TYPE \(family.name) \(family.kind.rawValue)\n"
        for sample in family.samples {
            text += family.name
            if !sample.labels.isEmpty {
                let labels = sample.labels.map { "\($0.name)=\"\(Self.escaped($0.value))\"" }
                text += "{\(labels.joined(separator: ","))}"
            }
            text += " \(sample.value.text)\n"
        }
    }

    private static func escaped(_ value: String, quotes: Bool = true) -> String {
        guard value.utf8.contains(where: { $0 == 0x5C || $0 == 0x0A || $0 == 0x22 }) else {
            return value
        }
        var text = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\"" where quotes: text += "\\\""
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
