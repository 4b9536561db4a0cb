/// Splits a command into words as a shell does, and expands nothing.
///
/// Single quotes keep everything; in double quotes a backslash escapes `"` and `\`; elsewhere, any
/// character. It is what the AWS CLI does with `credential_process`, by Python's shlex.
nonisolated enum ShellWords {
    /// nil: a quote or a backslash stands open at the end.
    static func split(_ text: String) -> [String]? {
        var words: [String] = []
        var word: String?
        var quote: Character?
        var characters = text.makeIterator()
        while let character = characters.next() {
            if let open = quote {
                if character == open {
                    quote = nil
                } else if open == "\"", character == "\\" {
                    guard let escaped = characters.next() else { return nil }
                    word = (word ?? "") + (escaped == "\"" || escaped == "\\" ? "" : "\\")
                    word?.append(escaped)
                } else {
                    word?.append(character)
                }
                continue
            }
            switch character {
            case "'", "\"":
                quote = character
                word = word ?? ""
            case "\\":
                guard let escaped = characters.next() else { return nil }
                word = (word ?? "") + String(escaped)
            case " ", "\t", "\n", "\r", "\r\n":
                if let word { words.append(word) }
                word = nil
            default:
                word = (word ?? "") + String(character)
            }
        }
        guard quote == nil else { return nil }
        return words + (word.map { [$0] } ?? [])
    }
}
