import Deflate
import Files
import Model
import Synchronization

@testable import Spool

/// Arbitrary bytes as a gzip file, and as an event file that was claimed: the same comes out however they are cut, in
/// bounded pieces, and whole lines of it become events.
enum GzipTarget {
    /// What a file says, and how it ends.
    private struct Text: Equatable {
        var bytes: [UInt8] = []
        var failure: GzipReader.Failure?
    }

    /// A gzip bomb of 4 KiB holds four megabytes, which would take a second each.
    private static let mostText = 1 << 16

    static func fault(_ bytes: [UInt8]) -> String? {
        guard bytes.count > 2 else { return nil }
        // How it is cut, and how the size that was claimed differs from the file's.
        let (cuts, options) = (bytes[0], bytes[1])
        let file = Array(bytes.dropFirst(2))
        var whole = Text()
        if let fault = read(file, piece: 1 << 16, room: 1 << 16, &whole) { return fault }
        if whole.bytes.count > mostText { return nil }
        var cut = Text()
        let (piece, room) = (1 + Int(cuts & 15), 1 + Int(cuts >> 4) * 7)
        if let fault = read(file, piece: piece, room: room, &cut) { return fault }
        // Where the data ends too early, zlib keeps to itself what had no room: the rest of a copy, and what follows it.
        let isKept =
            whole.failure != nil && cut.failure == .truncated
            && whole.bytes.starts(with: cut.bytes) && whole.bytes.count - cut.bytes.count <= 258
        guard whole == cut || isKept else {
            return "whole \(whole.bytes.count) bytes, \(whole.failure as Any); in pieces "
                + "\(cut.bytes.count), \(cut.failure as Any)"
        }
        if let fault = EventFileReading.fault(
            file, .gzip, readBytes: piece, isText: whole.bytes, broken: whole.failure != nil)
        {
            return fault
        }
        return EventFileReading.fault(
            file, .plain, readBytes: piece, claimed: file.count - Int(options % 8) + 2)
    }

    private static func read(
        _ file: [UInt8], piece: Int, room: Int, _ text: inout Text
    ) -> String? {
        var reader = GzipReader()
        var at = 0
        let output = UnsafeMutableRawBufferPointer.allocate(byteCount: room, alignment: 1)
        defer { output.deallocate() }
        do throws(GzipReader.Failure) {
            while at < file.count {
                let input = file[at..<min(at + piece, file.count)]
                var done = (consumed: 0, produced: 0)
                // What a body passed to withUnsafeBytes throws is no longer typed.
                let result = input.withUnsafeBytes { input in
                    Result { () throws(GzipReader.Failure) in try reader.read(input, into: output) }
                }
                done = try result.get()
                guard done.consumed <= input.count, done.produced <= room else {
                    return "it used \(done) of \(input.count) and \(room)"
                }
                guard done.consumed + done.produced > 0 else { return "it stands still at \(at)" }
                at += done.consumed
                text.bytes += output[..<done.produced]
                if text.bytes.count > mostText { return nil }
            }
            try reader.finish()
        } catch {
            text.failure = error
        }
        return nil
    }
}

/// What `EventFileReader` makes of a file.
enum EventFileReading {
    // Unchecked: whoever has taken it out of the pool is the only one who uses it.
    private struct Lent: @unchecked Sendable {
        let chunk: ChunkBuffer
    }

    /// A megabyte each, too much to make for every input.
    private static let pool = Mutex<[Lent]>([])

    /// - Parameters:
    ///   - claimed: its size when it was claimed; nil: all of it.
    ///   - text: what it says; nil: its own bytes, up to what was claimed.
    ///   - broken: it cannot be read to its end.
    static func fault(
        _ bytes: [UInt8], _ encoding: ActiveName.Encoding, readBytes: Int, claimed: Int? = nil,
        isText text: [UInt8]? = nil, broken: Bool = false
    ) -> String? {
        let size = max(0, claimed ?? bytes.count)
        let name = ActiveName(
            number: 1, accepted: Timestamp(unixSeconds: 0), size: UInt64(size),
            encoding: encoding, connector: nil, original: "e.jsonl")
        let lent = pool.withLock { $0.popLast() } ?? Lent(chunk: ChunkBuffer())
        defer { pool.withLock { $0.append(lent) } }
        do throws(FileError) {
            let reader = try EventFileReader(
                EventFile(name, clock: .zero), MemoryFile(bytes, readBytes: readBytes),
                into: lent.chunk)
            return try fault(
                reader, text ?? Array(bytes.prefix(size)),
                isBroken: broken || size > bytes.count)
        } catch {
            return "reading failed: \(error)"
        }
    }

    private static func fault(
        _ reader: EventFileReader, _ text: [UInt8], isBroken: Bool
    ) throws(FileError) -> String? {
        let mark: [UInt8] = [0xef, 0xbb, 0xbf]
        var at = text.starts(with: mark) ? mark.count : 0
        while true {
            switch try reader.next() {
            case .lines(let start, let count, let offset):
                guard Int(offset) == at, count > 0, start[count - 1] == 0x0a else {
                    return "lines of \(count) bytes at \(offset), not at \(at)"
                }
                let lines = UnsafeBufferPointer(start: start, count: count)
                let isLast = at + count == text.count + 1
                guard text[at...].starts(with: isLast ? lines.dropLast() : lines[...]),
                    !isLast || !isBroken
                else { return "the lines at \(at) are others" }
                at += isLast ? count - 1 : count
            case .tooLong(let offset):
                return "a line at \(offset) is too long"
            case .passed:
                continue
            case .broken(let offset, let reason):
                if !isBroken { return "broken at \(offset): \(reason)" }
                // Every line that is whole was given out.
                guard Int(offset) == at, !text[at...].contains(0x0a), !reason.isEmpty else {
                    return "broken at \(offset), not at \(at) of \(text.count)"
                }
                return try reader.next().isEnd ? nil : "it goes on after its end"
            case .end:
                guard !isBroken, at == text.count else { return "it ends at \(at)" }
                return nil
            }
        }
    }
}

extension EventFileReader.Piece {
    fileprivate var isEnd: Bool {
        if case .end = self { true } else { false }
    }
}
