import Model

/// Collects what is wrong in one file, and which keys its readers know.
///
/// Every reader asks for every key it knows, whether the file has it or not; what is left over in
/// the end is unknown, and the keys asked for are the ones to suggest instead.
final class Findings {
    let file: String
    private(set) var problems: [ConfigurationProblem] = []
    private(set) var warnings: [ConfigurationProblem] = []
    private var known: [[String]: Set<String>] = [:]

    init(file: String) {
        self.file = file
    }

    func problem(_ path: [String], _ text: String) {
        problems.append(ConfigurationProblem(file: file, place: .key(dotted(path)), text: text))
    }

    func problem(_ error: Document.SyntaxError) {
        let place = ConfigurationProblem.Place.position(line: error.line, column: error.column)
        problems.append(ConfigurationProblem(file: file, place: place, text: error.text))
    }

    func problem(_ text: String, isPermission: Bool = false) {
        problems.append(ConfigurationProblem(file: file, text: text, isPermission: isPermission))
    }

    func warning(_ path: [String], _ text: String) {
        warnings.append(ConfigurationProblem(file: file, place: .key(dotted(path)), text: text))
    }

    func warning(_ text: String) {
        warnings.append(ConfigurationProblem(file: file, text: text))
    }

    /// True where none of these keys, at the top of the file, has a problem.
    func areSilent(about keys: [String]) -> Bool {
        problems.allSatisfy { problem in !keys.contains { problem.place == .key($0) } }
    }

    func knows(_ key: String, in table: [String]) {
        known[table, default: []].insert(key)
    }

    /// Reports each key of the document that no reader asked for.
    ///
    /// - Parameter free: tables whose keys the user chooses.
    func reportUnknownKeys(
        of table: [String: Document.Value], at path: [String] = [], free: Set<[String]>
    ) {
        guard !free.contains(path) else { return }
        for (key, value) in table.sorted(by: { $0.key < $1.key }) {
            if known[path]?.contains(key) != true {
                problem(path + [key], "unknown key" + advice(key, in: path))
            } else if case .table(let inner) = value, known[path + [key]] != nil {
                reportUnknownKeys(of: inner, at: path + [key], free: free)
            }
        }
    }

    /// Where the key belongs if it exists elsewhere, or the known key that looks most like it.
    private func advice(_ key: String, in path: [String]) -> String {
        let homes = known.filter { $0.value.contains(key) }.keys.sorted { dotted($0) < dotted($1) }
        if let home = homes.first {
            return home.isEmpty
                ? "; it belongs at the top of the file, before the first [table]"
                : "; it belongs in [\(dotted(home))]"
        }
        guard let similar = mostSimilar(to: key, among: known[path] ?? []) else { return "" }
        return "; did you mean \(quoted(similar))?"
    }
}

/// A key path as TOML writes it: keys that need quotes get them.
func dotted(_ path: [String]) -> String {
    path.map { key in
        let bare =
            !key.isEmpty && key.utf8.allSatisfy { isLetterOrDigit($0) || $0 == 0x5F || $0 == 0x2D }
        return bare ? key : quoted(key)
    }.joined(separator: ".")
}

/// The text in double quotes, safe to print: control characters escaped, at most 80 characters of
/// it.
func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars.prefix(80) {
        switch scalar {
        case "\"", "\\": result += "\\" + String(scalar)
        case _ where isControl(scalar): result += "\\u" + hexadecimal(scalar.value, width: 4)
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result + (text.unicodeScalars.count > 80 ? "…" : "") + "\""
}

/// The text with its control characters escaped.
func onOneLine(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: isControl) else { return text }
    return text.unicodeScalars.reduce(into: "") { line, scalar in
        if isControl(scalar) {
            line += "\\u" + hexadecimal(scalar.value, width: 4)
        } else {
            line.unicodeScalars.append(scalar)
        }
    }
}

func hexadecimal(_ number: some BinaryInteger, width: Int) -> String {
    let digits = String(number, radix: 16)
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
}

func isControl(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.generalCategory == .control
}

func isLetterOrDigit(_ byte: UInt8) -> Bool {
    isLowercaseOrDigit(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
}

func isLowercaseOrDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
        || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
}
