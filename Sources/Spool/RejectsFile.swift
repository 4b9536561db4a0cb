import Files
import Model

/// The first line of a file of rejects.
struct RejectsTitle {
    /// Where it was dropped: `incoming/orders/e.jsonl`.
    var file: String
    var accepted: String

    /// nil where the bytes are none.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard let document = try? JSONReader.read(Array(bytes)),
            document["rejects"]?.integer == 1, let file = document["file"]?.string
        else { return nil }
        self.file = file
        accepted = document["accepted"]?.string ?? ""
    }

    /// The name under which it was dropped, and the connector whose directory that was.
    var dropped: (connector: ConnectorName?, original: String) {
        let parts = file.split(separator: "/", omittingEmptySubsequences: false)
        return (
            parts.count == 3 ? ConnectorName(parts[1]) : nil,
            NameEscape.escape(String(parts.last ?? ""))
        )
    }
}

/// What is said of one refused line, before its bytes.
struct RejectsHead {
    var line: Int
    var offset: UInt64
    /// nil: no single connector refused it.
    var connector: String?
    var reason: String
    var bytes: Int

    /// nil where the bytes are none.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard let document = try? JSONReader.read(Array(bytes)),
            let line = document["line"]?.integer,
            let offset = document["offset"]?.integer, offset >= 0,
            let reason = document["reason"]?.string,
            let count = document["bytes"]?.integer, (0...Limits.chunkBytes).contains(count)
        else { return nil }
        self.line = line
        self.offset = UInt64(offset)
        connector = document["connector"]?.string
        self.reason = reason
        self.bytes = count
    }
}

/// Reads a file of rejects, an entry at a time and in bounded memory.
final class RejectsFile {
    struct Entry {
        var head: RejectsHead
        /// Where its head begins in the file.
        var start: UInt64
        /// Where the next one begins.
        var next: UInt64
    }

    /// What a file says that is none, or not whole.
    struct Damage: Error {
        var offset: UInt64
    }

    let title: RejectsTitle
    let size: UInt64
    private let file: any OpenFile
    private var buffer: [UInt8] = []
    /// Where the buffer begins in the file.
    private var base: UInt64 = 0

    private static let pieceBytes = 64 << 10
    /// A head has a reason, which may quote a part of the event.
    private static let longestHead = 1 << 20

    /// nil where it is none, or gone.
    init?(_ path: String, _ files: any FileSystem) throws(FileError) {
        do { file = try files.open(path) } catch {
            if error.isMissing { return nil }
            throw error
        }
        size = try file.status().size
        guard let (title, next) = try Self.line(file, at: 0, &buffer, &base) else { return nil }
        guard let title = title.withUnsafeBytes({ RejectsTitle($0) }) else { return nil }
        self.title = title
        first = next
    }

    /// Where the first entry begins.
    let first: UInt64

    /// The entry whose head begins there; nil at the end.
    func entry(at offset: UInt64) throws(FileError) -> Result<Entry?, Damage> {
        if offset >= size { return .success(nil) }
        guard let (text, next) = try Self.line(file, at: offset, &buffer, &base),
            let head = text.withUnsafeBytes({ RejectsHead($0) }),
            next + UInt64(head.bytes) + 1 <= size
        else { return .failure(Damage(offset: offset)) }
        return .success(
            Entry(head: head, start: offset, next: next + UInt64(head.bytes) + 1))
    }

    /// The bytes of an entry, at most so many of them.
    func bytes(of entry: Entry, most: Int = .max) throws(FileError) -> [UInt8] {
        let start = entry.next - UInt64(entry.head.bytes) - 1
        return try file.bytes(at: start, count: min(entry.head.bytes, most))
    }

    /// The line that begins there, without its newline, and where the next one begins; nil where none is whole.
    private static func line(
        _ file: any OpenFile, at offset: UInt64, _ buffer: inout [UInt8], _ base: inout UInt64
    ) throws(FileError) -> (text: ArraySlice<UInt8>, next: UInt64)? {
        if offset < base || offset > base + UInt64(buffer.count) {
            (buffer, base) = ([], offset)
        }
        while true {
            let from = Int(offset - base)
            if let end = buffer[from...].firstIndex(of: UInt8(ascii: "\n")) {
                return (buffer[from..<end], base + UInt64(end) + 1)
            }
            guard buffer.count - from < longestHead else { return nil }
            buffer.removeFirst(from)
            base = offset
            let more = try file.bytes(at: base + UInt64(buffer.count), count: pieceBytes)
            if more.isEmpty { return nil }
            buffer += more
        }
    }
}

extension OpenFile {
    /// So many bytes from an offset on, or those up to the end.
    func bytes(at offset: UInt64, count: Int) throws(FileError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let result = bytes.withUnsafeMutableBytes { buffer in
                Result { () throws(FileError) in
                    try self.read(
                        into: UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]),
                        at: offset + UInt64(filled))
                }
            }
            let read = try result.get()
            if read == 0 { break }
            filled += read
        }
        bytes.removeLast(count - filled)
        return bytes
    }
}
