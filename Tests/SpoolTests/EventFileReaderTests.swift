import Files
import Glibc
import Model
import Support
import Testing

@testable import Spool

/// Lines come whole and in order, wherever the borders of what is read at once fall.
@Suite struct EventFileReaderTests {
    /// A line that was read, without its newline; no length: too long to hold.
    private struct Line: Equatable, CustomStringConvertible {
        var offset: Int
        var length: Int?
        var description: String { "\(offset)+\(length.map(String.init) ?? "…")" }
    }

    private static let chunk = Limits.chunkBytes

    /// Reads a text through a file, and compares each line's bytes with the text's.
    private func read(_ text: [UInt8], isGzip: Bool) throws -> [Line] {
        let tree = TemporaryTree()
        tree.makeDirectory("active")
        let bytes = isGzip ? gzip(text) : text
        let name = ActiveName(
            number: 1, accepted: Timestamp(unixSeconds: 0), size: UInt64(bytes.count),
            encoding: isGzip ? .gzip : .plain, connector: nil, original: "e.jsonl")
        tree.write(name.path, bytes)
        let reader = try EventFileReader(
            EventFile(name, clock: .zero), RealFileSystem(root: tree.path), into: ChunkBuffer())
        var lines: [Line] = []
        while true {
            switch try reader.next() {
            case .lines(let start, let count, let offset):
                var at = 0
                while at < count {
                    guard let newline = memchr(start + at, 0x0a, count - at) else {
                        Issue.record("a piece does not end with a newline", severity: .error)
                        return lines
                    }
                    let length = UnsafeRawPointer(newline) - UnsafeRawPointer(start + at)
                    let from = Int(offset) + at
                    let isSame = text[from...].withUnsafeBytes { text in
                        // Only an empty text has no address, and nothing is compared with it.
                        length == 0
                            || text.count >= length
                                && memcmp(text.baseAddress!, start + at, length) == 0
                    }
                    #expect(isSame, "the line at \(from) is another one")
                    lines.append(Line(offset: from, length: length))
                    at += length + 1
                }
            case .passed(let count):
                // So that a turn ends: never more than what is read at once.
                #expect((1...Self.chunk).contains(count))
            case .tooLong(let offset):
                lines.append(Line(offset: Int(offset)))
            case .broken(let offset, let reason):
                Issue.record("broken at \(offset): \(reason)", severity: .error)
                return lines
            case .end:
                return lines
            }
        }
    }

    /// Makes a text of lines of the given lengths, each of another letter, and reads it plain and packed.
    private func check(
        _ lengths: [Int], endsInNewline: Bool, head: [UInt8] = [], _ what: Comment? = nil
    ) throws {
        var text = head
        // A mark is skipped; anything else belongs to the first line.
        let isMark = head.count == 3
        var lines: [Line] = []
        for (index, length) in lengths.enumerated() {
            let offset = index == 0 && !isMark ? 0 : text.count
            text += [UInt8](repeating: UInt8(ascii: "a") + UInt8(index % 26), count: length)
            let whole = text.count - offset
            lines.append(Line(offset: offset, length: whole < Self.chunk ? whole : nil))
            text.append(0x0a)
        }
        if !endsInNewline, !lengths.isEmpty {
            text.removeLast()
            if lines.last?.length == 0 { lines.removeLast() }
        }
        for isGzip in [false, true] {
            #expect(try read(text, isGzip: isGzip) == lines, what ?? "gzip \(isGzip)")
        }
    }

    @Test(arguments: [[0], [0, 0, 0], [1], [5, 0, 0, 5], [0, 7]], [false, true])
    func `Lines of a small text are read as they are`(lengths: [Int], endsInNewline: Bool) throws {
        try check(lengths, endsInNewline: endsInNewline)
        try check(lengths, endsInNewline: endsInNewline, head: [0xef, 0xbb, 0xbf])
        try check(lengths, endsInNewline: endsInNewline, head: [0xef, 0xbb])
    }

    @Test(arguments: [-2, -1, 0, 1, 2], [false, true])
    func `A line may end anywhere around the end of a chunk`(difference: Int, endsInNewline: Bool)
        throws
    {
        let length = Self.chunk + difference
        try check([length], endsInNewline: endsInNewline)
        try check([3, length - 4, 900_000, 0, length], endsInNewline: endsInNewline)
        try check([length], endsInNewline: endsInNewline, head: [0xef, 0xbb, 0xbf])
        try check([length - 3, 4], endsInNewline: endsInNewline, head: [0xef, 0xbb, 0xbf])
    }

    @Test(arguments: [false, true])
    func `A line of several chunks is passed over, and the next one is found`(endsInNewline: Bool)
        throws
    {
        for difference in [-1, 0, 1] {
            let length = 2 * Self.chunk + difference
            try check([10, length, 20, length], endsInNewline: endsInNewline)
        }
    }

    @Test(arguments: [1, UInt64.random(in: 0..<1 << 32)])
    func `Lines of any lengths are read as they are`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<2 {
            var lengths: [Int] = []
            while lengths.reduce(0, +) < 3 << 20 {
                switch Int.random(in: 0..<12, using: &random) {
                case 0: lengths.append(Int.random(in: 0...1_200_000, using: &random))
                case 1: lengths.append(Int.random(in: 899_990...900_010, using: &random))
                case 2, 3: lengths.append(Int.random(in: 0...100_000, using: &random))
                default: lengths.append(Int.random(in: 0...2000, using: &random))
                }
            }
            try check(lengths, endsInNewline: Bool.random(using: &random), "seed \(seed)")
        }
    }
}
