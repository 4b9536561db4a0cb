extension CheckedText {
    /// Reads a file as `init` does, and calls `body` with key and value of each line, making no strings.
    ///
    /// For files that there are very many of. Values are as they stand in the file: escaped, and not looked at
    /// for valid UTF-8.
    public static func forEachLine(
        of bytes: [UInt8], kind: String, newest: Int = 1,
        _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Void
    ) throws(Fault) {
        let fault = bytes.withUnsafeBytes { read($0, kind, newest, body) }
        if let fault { throw fault }
    }

    private static func read(
        _ text: UnsafeRawBufferPointer, _ kind: String, _ newest: Int,
        _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Void
    ) -> Fault? {
        let newline = UInt8(ascii: "\n")
        guard text.last == newline else { return .damaged("it does not end with a whole line") }
        // The last line is `checksum: ` and 16 digits.
        let covered = text.count - 27
        guard covered > 0, text[covered - 1] == newline,
            text[covered...].starts(with: "checksum: ".utf8)
        else { return .damaged("it has no checksum") }
        let all = UnsafeRawBufferPointer(rebasing: text[..<covered])
        guard text[(covered + 10)...].dropLast().elementsEqual(checksum(all).utf8) else {
            return .damaged("its checksum is wrong")
        }
        var at = 0
        var isFirst = true
        while at < covered {
            var end = at
            while all[end] != newline { end += 1 }
            let line = UnsafeRawBufferPointer(rebasing: all[at..<end])
            at = end + 1
            if isFirst {
                isFirst = false
                let words = String(decoding: line, as: UTF8.self).split(separator: " ")
                guard words.count == 3, words[0] == "sluice", words[1] == kind,
                    let version = Int(words[2])
                else { return .damaged("it is no \(kind)") }
                if version > newest { return .newer(version: version) }
                continue
            }
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon + 1 < line.count,
                line[colon + 1] == UInt8(ascii: " ")
            else { return .damaged("a line has no key") }
            body(
                UnsafeRawBufferPointer(rebasing: line[..<colon]),
                UnsafeRawBufferPointer(rebasing: line[(colon + 2)...]))
        }
        return nil
    }
}
