import Encoding

/// A text in memory of its own, with nothing behind it but what the scanner asks for: AddressSanitizer sees a read past
/// that.
struct ScannedText: ~Copyable {
    // Allocated here, freed in deinit, never written after.
    let start: UnsafeMutablePointer<UInt8>
    let count: Int

    init(_ text: ArraySlice<UInt8>) {
        count = text.count
        start = .allocate(capacity: count + 1 + JSONScanner.padding)
        for (index, byte) in text.enumerated() { start[index] = byte }
        start[count] = UInt8(ascii: "\n")
        (start + count + 1).update(repeating: 0, count: JSONScanner.padding)
    }

    deinit {
        start.deallocate()
    }

    /// Scans all lines, and checks what was said of each.
    ///
    /// - Parameter body: gets each line; what it returns is a fault.
    func forEachLine(_ body: (EventLine) -> String?) -> String? {
        var line = EventLine()
        var at = 0
        while at <= count {
            JSONScanner.scan(start, from: at, into: &line)
            if let fault = fault(line, from: at) ?? body(line) { return fault }
            at = line.next
        }
        return at == count + 1 ? nil : "the last line ends at \(at), not at \(count + 1)"
    }

    private func fault(_ line: EventLine, from start: Int) -> String? {
        guard start <= line.start, line.start <= line.end, line.end < line.next else {
            return "a line from \(start) has \(line.start), \(line.end), \(line.next)"
        }
        guard line.next <= count + 1,
            (start..<line.next).first(where: { self.start[$0] == UInt8(ascii: "\n") }) == line.next
                - 1
        else { return "the line from \(start) ends at \(line.next)" }
        switch line.outcome {
        case .blank, .refused:
            return nil
        case .event:
            guard self.start[line.start] == UInt8(ascii: "{"),
                self.start[line.end - 1] == UInt8(ascii: "}")
            else { return "an event without braces" }
            return fault(line.eventType, in: line) ?? fault(line.connector, in: line)
        }
    }

    private func fault(_ value: EventLine.Value, in line: EventLine) -> String? {
        switch value {
        case .missing:
            return nil
        case .string(let from, let end, let escaped):
            guard line.start < from, from <= end, end < line.end,
                start[from - 1] == UInt8(ascii: "\""), start[end] == UInt8(ascii: "\"")
            else { return "a string from \(from) to \(end)" }
            let inside = UnsafeBufferPointer(start: start + from, count: end - from)
            guard inside.contains(UInt8(ascii: "\\")) == escaped else {
                return "escaped: \(escaped)"
            }
            let plain = JSONText.unescape(inside)
            return String(validating: plain, as: UTF8.self) == nil ? "unescaped is no UTF-8" : nil
        case .other(let from, let end):
            guard line.start < from, from < end, end < line.end else {
                return "a value from \(from) to \(end)"
            }
            let inside = UnsafeBufferPointer(start: start + from, count: end - from)
            _ = JSONText.strings(inside)
            return nil
        }
    }
}

/// Arbitrary bytes as an event file.
///
/// That the scanner is right in what it calls an event is judged by Python's json elsewhere; here it is about bounds,
/// and about two ways to see one line.
enum ScannerTarget {
    static func fault(_ bytes: [UInt8]) -> String? {
        let text = ScannedText(bytes[...])
        return text.forEachLine { line in
            // Alone, the line is the same as among others.
            let alone = ScannedText(bytes[line.start..<min(line.next - 1, bytes.count)])
            var again = EventLine()
            JSONScanner.scan(alone.start, from: 0, into: &again)
            guard again.end == line.end - line.start else { return "alone it ends elsewhere" }
            switch (line.outcome, again.outcome) {
            case (.event, .event), (.blank, .blank), (.refused, .refused): return nil
            default: return "alone it is \(again.outcome), among others \(line.outcome)"
            }
        }
    }
}
