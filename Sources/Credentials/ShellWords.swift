/// Splits a command into words as a shell does, and expands nothing.
///
/// Single quotes keep everything; in double quotes a backslash escapes `"` and `\`; elsewhere, any
/// character. It is what the AWS CLI does with `credential_process`, by Python's shlex.
nonisolated enum ShellWords {
    /// nil: a quote or a backslash stands open at the end.
    static func split(_ text: String) -> [String]? {
        var words: [String] = []
        var word: String?
        var quote: Unicode.Scalar?
        // By scalars: a mark behind a quote or a blank would be one character with it.
        var scalars = text.unicodeScalars.makeIterator()
        while let character = scalars.next() {
            if let open = quote {
                if character == open {
                    quote = nil
                } else if open == "\"", character == "\\" {
                    guard let escaped = scalars.next() else { return nil }
                    word = word ?? ""
                    if escaped != "\"", escaped != "\\" { word?.append("\\") }
                    word?.unicodeScalars.append(escaped)
                } else {
                    word?.unicodeScalars.append(character)
                }
                continue
            }
            switch character {
            case "'", "\"":
                quote = character
                word = word ?? ""
            case "\\":
                guard let escaped = scalars.next() else { return nil }
                word = word ?? ""
                word?.unicodeScalars.append(escaped)
            case " ", "\t", "\n", "\r":
                if let word { words.append(word) }
                word = nil
            default:
                word = word ?? ""
                word?.unicodeScalars.append(character)
            }
        }
        guard quote == nil else { return nil }
        return words + (word.map { [$0] } ?? [])
    }
}
