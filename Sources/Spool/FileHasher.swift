import Deflate
import Digest
import Files
import Model
import Synchronization

/// A file that becomes an object as it is, read from end to end.
struct HashedFile: Sendable {
    var file: EventFile
    var digest: ContentDigest
    var crc32: UInt32
    /// Nanoseconds since 1970 of its last change.
    var modified: Int64
}

/// Reads files that go as they are, one after another, on lanes of their own: events go on meanwhile. The pieces of a
/// large one are read by several workers at once.
///
/// Only the bytes that were there when the file was claimed are an object, so one that somebody changed since is refused.
final class FileHasher: Sendable {
    struct Output: Sendable {
        var hashed: @Sendable (HashedFile) -> Void
        /// It goes to quarantine, for this reason.
        var refused: @Sendable (EventFile, String) -> Void
        var failed: @Sendable (FileError) -> Void
    }

    private let lanes: any Lane
    private let workerCount: Int
    private let files: any FileSystem
    /// Files that the device failed to read again and again.
    private let unreadable: Set<UInt64>
    private let output: Output
    private let state = Mutex(State())

    private struct State {
        var waiting = Fifo<EventFile>()
        /// Set from when it is opened until it is told.
        var current: FileInPieces?
        /// Somebody opens the next file, or tells what became of the current one.
        var isBetween = false
        var workers = 0
        var isStopped = false
        var whenQuiet: (@Sendable () -> Void)?

        /// What can be begun now.
        var tasks: Int {
            guard !isStopped else { return 0 }
            if let current { return current.piecesLeft }
            return isBetween || waiting.isEmpty ? 0 : 1
        }
    }

    private enum Task {
        case open(EventFile)
        case read(FileInPieces, piece: Int)
    }

    /// - Parameter lanes: run several pieces of work at once, at most `workerCount` of ours.
    init(
        _ lanes: any Lane, workerCount: Int, _ files: any FileSystem, unreadable: Set<UInt64>,
        output: Output
    ) {
        self.lanes = lanes
        self.workerCount = workerCount
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
            if state.workers > 0 { state.whenQuiet = quiet }
            return state.workers == 0
        }
        if isQuiet { quiet() }
    }

    // MARK: Workers

    private func wake() {
        let more = state.withLock { state in
            let more = max(0, min(state.tasks, workerCount - state.workers))
            state.workers += more
            return more
        }
        for _ in 0..<more { lanes.run { self.work() } }
    }

    private func work() {
        while let task = next() {
            switch task {
            case .open(let file): begin(file)
            case .read(let file, let piece): read(piece, of: file)
            }
        }
    }

    /// nil: nothing is left to do here, which the last one says to whoever waits for that.
    private func next() -> Task? {
        let (task, quiet) = state.withLock { state -> (Task?, (@Sendable () -> Void)?) in
            if state.tasks > 0 {
                if let current = state.current {
                    return (.read(current, piece: current.takePiece()), nil)
                }
                if let file = state.waiting.popFirst() {
                    state.isBetween = true
                    return (.open(file), nil)
                }
            }
            state.workers -= 1
            return (nil, state.workers == 0 ? state.whenQuiet.take() : nil)
        }
        quiet?()
        return task
    }

    /// Whoever does the last piece of a file ends it, so the next one is begun after all is told of this one.
    private func read(_ piece: Int, of file: FileInPieces) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Limits.hashedAtOnce, alignment: 16)
        defer { buffer.deallocate() }
        let outcome = file.read(piece, through: buffer) { state.withLock { $0.isStopped } }
        let isLast = state.withLock { state in
            guard file.note(outcome, at: piece) else { return false }
            (state.current, state.isBetween) = (nil, true)
            return true
        }
        guard isLast else { return }
        tell(file.file) { () throws(FileError) in
            do throws(FileError) { return try file.end() } catch {
                guard error.isMediaFault, unreadable.contains(file.file.name.number) else {
                    throw error
                }
                return .refused("reading it failed: \(errorText(error.code))")
            }
        }
    }

    private func begin(_ file: EventFile) {
        tell(file) { () throws(FileError) in
            let opened: any OpenFile
            do throws(FileError) { opened = try files.open(file.name.path) } catch {
                if error.isHeldByLease {
                    return .refused("its owner keeps others from opening it, by a lease")
                }
                guard error.isDataFault else { throw error }
                return .refused("it cannot be opened: \(errorText(error.code))")
            }
            return .begun(try FileInPieces(file, opened))
        }
    }

    private func tell(
        _ file: EventFile, _ body: () throws(FileError) -> FileInPieces.Outcome
    ) {
        var begun: FileInPieces?
        do throws(FileError) {
            switch try body() {
            case .begun(let file): begun = file
            case .hashed(let hashed): output.hashed(hashed)
            case .refused(let reason): output.refused(file, reason)
            case .stopped: break
            }
        } catch {
            output.failed(error)
            state.withLock { $0.isStopped = true }
        }
        state.withLock { ($0.current, $0.isBetween) = (begun, false) }
        wake()
    }
}
