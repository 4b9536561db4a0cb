import Deflate
import Digest
import Files
import Model
import Synchronization

/// A file that becomes an object as it is, read from end to end.
struct HashedFile: Sendable {
    var file: EventFile
    var sha256: SHA256Digest
    var crc32: UInt32
    /// Nanoseconds since 1970 of its last change.
    var modified: Int64
}

/// Reads files that go as they are, one after another, on a lane of its own: events go on meanwhile.
///
/// Only the bytes that were there when the file was claimed are an object, so one that somebody changed since is refused.
final class FileHasher: Sendable {
    struct Output: Sendable {
        var hashed: @Sendable (HashedFile) -> Void
        /// It goes to quarantine, for this reason.
        var refused: @Sendable (EventFile, String) -> Void
        var failed: @Sendable (FileError) -> Void
    }

    private let lane: any Lane
    private let files: any FileSystem
    /// Files that the device failed to read again and again.
    private let unreadable: Set<UInt64>
    private let output: Output
    private let state = Mutex(State())

    private struct State {
        var waiting = Fifo<EventFile>()
        var isAtWork = false
        var isStopped = false
        var whenQuiet: (@Sendable () -> Void)?
    }

    init(
        _ lane: any Lane, _ files: any FileSystem, unreadable: Set<UInt64>, output: Output
    ) {
        self.lane = lane
        self.files = files
        self.unreadable = unreadable
        self.output = output
    }

    func read(_ files: [EventFile]) {
        guard !files.isEmpty else { return }
        state.withLock { $0.waiting.append(contentsOf: files) }
        wake()
    }

    /// Begins nothing new; `quiet` is called once nothing is read any more.
    func stop(quiet: @escaping @Sendable () -> Void) {
        let isQuiet = state.withLock { state in
            state.isStopped = true
            if state.isAtWork { state.whenQuiet = quiet }
            return !state.isAtWork
        }
        if isQuiet { quiet() }
    }

    private func wake() {
        let mayBegin = state.withLock { state in
            guard !state.isAtWork, !state.isStopped, !state.waiting.isEmpty else { return false }
            state.isAtWork = true
            return true
        }
        if mayBegin { lane.run { self.work() } }
    }

    private func work() {
        while let file = next() {
            do throws(FileError) {
                switch try hash(file) {
                case .hashed(let hashed): output.hashed(hashed)
                case .refused(let reason): output.refused(file, reason)
                case .stopped: break
                }
            } catch {
                output.failed(error)
                state.withLock { $0.isStopped = true }
            }
        }
    }

    /// nil: nothing is left to do, which is said to whoever waits for that.
    private func next() -> EventFile? {
        let (file, quiet) = state.withLock { state -> (EventFile?, (@Sendable () -> Void)?) in
            if !state.isStopped, let file = state.waiting.popFirst() { return (file, nil) }
            state.isAtWork = false
            return (nil, state.whenQuiet.take())
        }
        quiet?()
        return file
    }

    // MARK: One file

    private enum Outcome {
        case hashed(HashedFile), refused(String), stopped
    }

    private func hash(_ file: EventFile) throws(FileError) -> Outcome {
        let opened: any OpenFile
        do throws(FileError) { opened = try files.open(file.name.path) } catch {
            if error.isHeldByLease {
                return .refused("its owner keeps others from opening it, by a lease")
            }
            guard error.isDataFault else { throw error }
            return .refused("it cannot be opened: \(errorText(error.code))")
        }
        // Who kept a descriptor could write while this is read.
        let writers = opened.holdOffWriters()
        defer { opened.letWritersIn() }
        let before = try opened.status()
        do throws(FileError) {
            guard let digests = try digests(opened, file.name.size) else { return .stopped }
            let after = try opened.status()
            if digests.read < file.name.size {
                return .refused("somebody made it shorter after it was claimed")
            }
            let isChanged =
                after.size != file.name.size || after.modified != before.modified
                || after.changed != before.changed || writers == .some
            if isChanged {
                return .refused("somebody wrote into it after it was claimed")
            }
            return .hashed(
                HashedFile(
                    file: file, sha256: digests.sha256, crc32: digests.crc32,
                    modified: after.modified))
        } catch {
            guard error.isMediaFault, unreadable.contains(file.name.number) else { throw error }
            return .refused("reading it failed: \(errorText(error.code))")
        }
    }

    /// nil: stopped on the way.
    private func digests(
        _ file: any OpenFile, _ size: UInt64
    ) throws(FileError) -> (sha256: SHA256Digest, crc32: UInt32, read: UInt64)? {
        var digest = SHA256()
        var checksum = CRC32()
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Limits.hashedAtOnce, alignment: 16)
        defer { buffer.deallocate() }
        var read: UInt64 = 0
        while read < size {
            if state.withLock({ $0.isStopped }) { return nil }
            let room = UnsafeMutableRawBufferPointer(
                rebasing: buffer.prefix(Int(min(size - read, UInt64(buffer.count)))))
            let count = try file.read(into: room, at: read)
            if count == 0 { break }
            let bytes = UnsafeRawBufferPointer(rebasing: room[..<count])
            digest.update(bytes)
            checksum.update(bytes)
            read += UInt64(count)
        }
        return (digest.finish(), checksum.value, read)
    }
}
