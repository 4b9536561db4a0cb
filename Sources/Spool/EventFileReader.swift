import Deflate
import Encoding
import Files
import Model

/// Reads the text of one event file in whole lines and bounded memory.
///
/// One owner at a time: the router, under its turn.
final class EventFileReader {
    enum Piece {
        /// Whole lines, each with its newline. The bytes are the reader's, until the next call.
        case lines(UnsafePointer<UInt8>, count: Int, offset: UInt64)
        /// A line that is longer than any event; it was passed over.
        case tooLong(offset: UInt64)
        /// So many bytes were read, and none of them is to be given out. Said so that a turn ends inside a long line.
        case passed(Int)
        case end
        /// The text ends here though the file goes on: what is after `offset` cannot be read.
        case broken(offset: UInt64, reason: String)
    }

    let file: EventFile
    private let endsAtMediaFault: Bool
    private let source: any OpenFile
    private let gzip: GzipInput?

    private let buffer: UnsafeMutableRawBufferPointer
    /// Keeps the buffer's memory.
    private let chunk: ChunkBuffer
    /// What of the buffer holds text that is not yet given out.
    private var start = 0
    private var end = 0
    /// The offset in the text of the buffer's first byte.
    private var base: UInt64 = 0
    private var read: UInt64 = 0
    private var tooLongFrom: UInt64?
    private var isAtEnd = false
    /// The newline that its last line lacked.
    private var added: UInt64 = 0
    /// Lines that were passed over since they were taken earlier.
    private(set) var passedLines = 0

    /// - Parameters:
    ///   - chunk: where the text is read to; nobody else uses it while the file is read.
    ///   - endsAtMediaFault: take what the device gives out, and let the file end there.
    init(
        _ file: EventFile, _ files: some FileSystem, into chunk: ChunkBuffer,
        endsAtMediaFault: Bool = false
    ) throws(FileError) {
        self.file = file
        self.endsAtMediaFault = endsAtMediaFault
        source = try files.open(file.name.path)
        // Who kept a descriptor could write while this is read. The lease keeps them off until the file is closed, or
        // for as long as the kernel lets it.
        writers = source.holdOffWriters()
        before = try source.status()
        gzip = file.name.encoding == .gzip ? GzipInput() : nil
        self.chunk = chunk
        buffer = chunk.memory
    }

    /// What somebody did to the file after it was claimed.
    enum Change { case grown, written }

    /// Known once the end was read.
    private(set) var change: Change?
    /// What the file was before it was read, and whether somebody could write into it.
    private let before: FileStatus
    private let writers: Writers

    func next() throws(FileError) -> Piece {
        while true {
            if let piece = wholeLines() { return piece }
            if isAtEnd { return atEnd() }
            makeRoom()
            let room = UnsafeMutableRawBufferPointer(rebasing: buffer[end..<Limits.chunkBytes])
            switch try fill(room) {
            case .bytes(0):
                return .passed(Limits.compressedChunkBytes)
            case .bytes(let count):
                end += count
                skipByteOrderMark()
                if passTaken() { return .passed(count) }
            case .end:
                isAtEnd = true
            case .broken(let reason):
                // The line that was under way is not whole, so nothing of it is taken.
                let offset = tooLongFrom ?? base + UInt64(start)
                start = end
                isAtEnd = true
                return .broken(offset: offset, reason: reason)
            }
        }
    }

    /// All lines that are whole, or nil where none is.
    private func wholeLines() -> Piece? {
        let text = UnsafeRawBufferPointer(rebasing: buffer[start..<end])
        if let from = tooLongFrom {
            guard let newline = text.firstIndex(of: newline) else {
                start = end
                return text.isEmpty ? nil : .passed(text.count)
            }
            start += newline + 1
            tooLongFrom = nil
            return .tooLong(offset: from)
        }
        guard let last = text.lastIndex(of: newline) else {
            if end == Limits.chunkBytes, start == 0 {
                tooLongFrom = base
                start = end
            }
            return nil
        }
        let piece = Piece.lines(
            (buffer.baseAddress! + start).assumingMemoryBound(to: UInt8.self), count: last + 1,
            offset: base + UInt64(start))
        start += last + 1
        return piece
    }

    /// What is left when the file has ended: the last line may lack its newline.
    private func atEnd() -> Piece {
        if let from = tooLongFrom {
            tooLongFrom = nil
            return .tooLong(offset: from)
        }
        guard start < end else { return .end }
        makeRoom()
        // makeRoom left the padding free, and a line that fills the chunk became `tooLong`.
        buffer[end] = newline
        end += 1
        added = 1
        return wholeLines() ?? .end
    }

    private func makeRoom() {
        guard start > 0 else { return }
        let rest = UnsafeRawBufferPointer(rebasing: buffer[start..<end])
        if !rest.isEmpty {
            buffer.baseAddress!.copyMemory(from: rest.baseAddress!, byteCount: rest.count)
        }
        base += UInt64(start)
        end -= start
        start = 0
    }

    private enum Filled { case bytes(Int), end, broken(String) }

    private func fill(_ room: UnsafeMutableRawBufferPointer) throws(FileError) -> Filled {
        guard let gzip else { return try readFile(into: room) }
        while true {
            if gzip.isEmpty {
                switch try readFile(into: gzip.space) {
                case .bytes(let count): gzip.filled(count)
                case .broken(let reason): return .broken(reason)
                case .end: return gzip.end().map { .broken($0) } ?? .end
                }
            }
            switch gzip.decompress(into: room) {
            // All input was used for nothing: empty members, or padding. There may be much more of it.
            case .success(let count): return .bytes(count)
            case .failure(let failure): return .broken(GzipInput.reason(failure))
            }
        }
    }

    /// Reads on, up to the size that was fixed when the file was claimed.
    private func readFile(into room: UnsafeMutableRawBufferPointer) throws(FileError) -> Filled {
        let left = file.name.size - read
        if left == 0 {
            change = try findChange()
            return .end
        }
        let part = UnsafeMutableRawBufferPointer(
            rebasing: room.prefix(Int(min(left, UInt64(room.count)))))
        let count: Int
        do { count = try source.read(into: part, at: read) } catch {
            // An attempt more would stop here too, and with it everything behind this file.
            guard endsAtMediaFault, error.isMediaFault else { throw error }
            return .broken("reading it failed: \(errorText(error.code))")
        }
        if count == 0 { return .broken("somebody made the file shorter after it was claimed") }
        read += UInt64(count)
        return .bytes(count)
    }

    /// Compares the file with what it was before it was read. One that was changed between its claim and that, and kept
    /// its size, is as good as one that was dropped so: every line of it was read whole.
    private func findChange() throws(FileError) -> Change? {
        let status = try source.status()
        if status.size > file.name.size { return .grown }
        let isChanged =
            status.size != file.name.size || status.modified != before.modified
            || status.changed != before.changed
        return isChanged || writers == .some ? .written : nil
    }

    /// The offset in the text up to which it was read.
    var offset: UInt64 { base + UInt64(start) - added }

    /// Passes over what was taken earlier; true where that is all there is so far.
    private func passTaken() -> Bool {
        let from = file.name.from
        guard base + UInt64(start) < from else { return false }
        let next = from - base < UInt64(end) ? Int(from - base) : end
        passedLines += buffer[start..<next].count { $0 == newline }
        start = next
        return start == end
    }

    /// A byte order mark at the start of the text is no part of the first event.
    private func skipByteOrderMark() {
        guard base == 0, start == 0, end >= 3, buffer[0] == 0xef, buffer[1] == 0xbb,
            buffer[2] == 0xbf
        else { return }
        start = 3
    }
}

/// The memory into which event files are read, one after another.
final class ChunkBuffer {
    // Behind the last line the scanner may read so many bytes more. What they hold does not matter to it.
    let memory = UnsafeMutableRawBufferPointer.allocate(
        byteCount: Limits.chunkBytes + JSONScanner.padding, alignment: 16)

    init() {
        memory.initializeMemory(as: UInt8.self, repeating: 0)
    }

    deinit {
        memory.deallocate()
    }
}

/// The compressed bytes of a gzip file and the decompressor over them.
private final class GzipInput {
    private var reader = GzipReader()
    private let buffer = UnsafeMutableRawBufferPointer.allocate(
        byteCount: Limits.compressedChunkBytes, alignment: 16)
    private var start = 0
    private var endIndex = 0

    deinit {
        buffer.deallocate()
    }

    var isEmpty: Bool { start == endIndex }
    var space: UnsafeMutableRawBufferPointer { buffer }

    func filled(_ count: Int) {
        start = 0
        endIndex = count
    }

    func decompress(
        into room: UnsafeMutableRawBufferPointer
    ) -> Result<Int, GzipReader.Failure> {
        let input = UnsafeRawBufferPointer(rebasing: buffer[start..<endIndex])
        do {
            let done = try reader.read(input, into: room)
            start += done.consumed
            return .success(done.produced)
        } catch {
            return .failure(error)
        }
    }

    /// Why the data must not end here, or nil.
    func end() -> String? {
        do { try reader.finish() } catch { return Self.reason(error) }
        return nil
    }

    static func reason(_ failure: GzipReader.Failure) -> String {
        switch failure {
        case .corrupt(let text): "the gzip data is damaged: \(text)"
        case .truncated: "the gzip data ends too early"
        }
    }
}

private let newline = UInt8(ascii: "\n")
