import Model

/// Reads the values of one table by type; what does not fit becomes a problem, and reading goes on.
///
/// Each function returns nil for a key that is absent or wrong: the caller keeps its default, and
/// the problem refuses the configuration in the end.
struct TableReader {
    let findings: Findings
    let path: [String]
    private let values: [String: Document.Value]

    init(_ values: [String: Document.Value], path: [String] = [], findings: Findings) {
        self.values = values
        self.path = path
        self.findings = findings
    }

    func has(_ key: String) -> Bool {
        findings.knows(key, in: path)
        return values[key] != nil
    }

    func problem(_ key: String, _ text: String) {
        findings.problem(path + [key], text)
    }

    func warning(_ key: String, _ text: String) {
        findings.warning(path + [key], text)
    }

    /// Refuses a key that is documented, and known here only to be refused with a good sentence.
    func refuse(_ key: String, _ text: String) {
        if has(key) { problem(key, text) }
    }

    func string(_ key: String) -> String? {
        guard let value = value(key) else { return nil }
        guard case .string(let string) = value else { return mismatch(key, value, "a string") }
        return string
    }

    /// A string that a rule accepts; the rule returns what is wrong, as the end of a sentence.
    func string(_ key: String, rule: (String) -> String?) -> String? {
        guard let string = string(key) else { return nil }
        guard let wrong = rule(string) else { return string }
        problem(key, wrong)
        return nil
    }

    func boolean(_ key: String) -> Bool? {
        guard let value = value(key) else { return nil }
        guard case .boolean(let boolean) = value else {
            return mismatch(key, value, "true or false")
        }
        return boolean
    }

    func integer(_ key: String, in range: ClosedRange<Int>) -> Int? {
        guard let value = value(key) else { return nil }
        guard case .integer(let integer) = value else {
            return mismatch(key, value, "a whole number")
        }
        guard range.contains(integer) else {
            let (low, high) = (grouped(range.lowerBound), grouped(range.upperBound))
            problem(key, "\(grouped(integer)) is out of range; it must be from \(low) to \(high)")
            return nil
        }
        return integer
    }

    func duration(_ key: String, in range: ClosedRange<Duration>) -> Duration? {
        guard let value = value(key) else { return nil }
        guard case .string(let text) = value else {
            return mismatch(key, value, "a duration like \"5m\"")
        }
        guard let duration = Duration(text: text) else {
            problem(key, "\(quoted(text)) is not a duration; write it like \"5m\"")
            return nil
        }
        guard range.contains(duration) else {
            let (low, high) = (range.lowerBound.text, range.upperBound.text)
            problem(
                key, "\(quoted(text)) is out of range; it must be from \"\(low)\" to \"\(high)\"")
            return nil
        }
        return duration
    }

    /// - Parameter limits: the range as people write it.
    func size(_ key: String, in range: ClosedRange<ByteCount>, limits: String) -> ByteCount? {
        guard let value = value(key) else { return nil }
        guard case .string(let text) = value else {
            return mismatch(key, value, "a size like \"64MiB\"")
        }
        guard let size = ByteCount(text) else {
            problem(key, "\(quoted(text)) is not a size; write it like \"64MiB\"")
            return nil
        }
        guard range.contains(size) else {
            problem(key, "\(quoted(text)) is out of range; it must be from \(limits)")
            return nil
        }
        return size
    }

    func choice<Choice>(_ key: String, of choices: Choice.Type) -> Choice?
    where Choice: RawRepresentable<String> & CaseIterable {
        choice(key, among: choices.allCases.map(\.rawValue)).flatMap(Choice.init(rawValue:))
    }

    func choice(_ key: String, among choices: [String]) -> String? {
        string(key) { text in
            choices.contains(text)
                ? nil : "\(quoted(text)) is unknown; it must be \(listed(choices))"
        }
    }

    func strings(_ key: String) -> [String]? {
        strings(key, as: "a list of strings")
    }

    /// One string stands for a list of it alone.
    func stringOrStrings(_ key: String) -> [String]? {
        if case .string(let string)? = value(key) { return [string] }
        return strings(key, as: "a string or a list of strings")
    }

    private func strings(_ key: String, as wanted: String) -> [String]? {
        guard let value = value(key) else { return nil }
        guard case .array(let elements) = value else { return mismatch(key, value, wanted) }
        var strings: [String] = []
        for element in elements {
            guard case .string(let string) = element else {
                return mismatch(key, element, wanted, inside: "a list with ")
            }
            strings.append(string)
        }
        return strings
    }

    /// A table inside this one; an absent one reads as an empty one.
    func table(_ key: String) -> TableReader {
        var inner: [String: Document.Value] = [:]
        if let value = value(key) {
            if case .table(let table) = value {
                inner = table
            } else {
                mismatch(key, value, "a table", as: Void.self)
            }
        }
        return TableReader(inner, path: path + [key], findings: findings)
    }

    /// The keys and values of a table in which the user chooses the keys.
    var entries: [(key: String, value: Document.Value)] { values.sorted { $0.key < $1.key } }

    private func value(_ key: String) -> Document.Value? {
        has(key) ? values[key] : nil
    }

    @discardableResult
    private func mismatch<Wanted>(
        _ key: String, _ value: Document.Value, _ wanted: String, inside: String = "",
        as _: Wanted.Type = Wanted.self
    ) -> Wanted? {
        problem(key, "must be \(wanted), not \(inside)\(value.noun)")
        return nil
    }
}

/// `"a", "b" or "c"`.
func listed(_ choices: [String]) -> String {
    let quotedChoices = choices.map(quoted)
    guard let last = quotedChoices.last, choices.count > 1 else { return quotedChoices.first ?? "" }
    return quotedChoices.dropLast().joined(separator: ", ") + " or " + last
}
