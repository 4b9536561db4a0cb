import Batching
import Files
import Model
import Synchronization

/// A block to be packed, and where it belongs.
struct PackJob: Sendable {
    var batch: Batch
    var index: Int
    var block: Block
    var isLast: Bool
}

/// Which open batches are to be sealed.
enum Cut: Sendable {
    case all
    case connector(ConnectorName)
    /// Those that are older than their `max_age`.
    case due(now: Duration)

    /// Whether it waits for batches of this stream.
    func concerns(_ stream: StreamID) -> Bool {
        if case .connector(let name) = self { return stream.connector == name }
        return true
    }
}

/// Hands out work to the workers: read on, or pack a block.
///
/// A worker that finds few blocks waiting reads, else it packs; so as many workers as there are cores keep all of them
/// busy, and memory is bounded. The router belongs to the worker that has the routing turn.
final class Desk: Sendable {
    private let state: Mutex<State>
    private let surroundings: SpoolSurroundings
    private let output: DeskOutput

    private typealias PendingCut = (cut: Cut, done: @Sendable (UInt64) -> Void)

    private struct State {
        var files = Fifo<EventFile>()
        var cuts: [PendingCut] = []
        var blocks = Fifo<PackJob>()
        var packers: [PackerBox] = []
        var active = 0
        var isRouting = false
        var isReading = false
        /// Nobody begins anything new.
        var isStopped = false
        /// Reading waits: the disk is nearly full.
        var isHeld = false
        /// Reading waits after each turn, until somebody says that there is room for the next.
        var isCareful = false
        var whenQuiet: (@Sendable () -> Void)?

        var hasInput: Bool { !cuts.isEmpty || (!isHeld && (isReading || !files.isEmpty)) }
    }

    /// Sendable: a packer is in the desk's list or with one worker, never both.
    private final class PackerBox: @unchecked Sendable {
        let packer = BlockPacker()
    }

    private let router: RouterBox

    /// Sendable: opened only by the worker that set `isRouting`.
    private final class RouterBox: @unchecked Sendable {
        let router: Router
        init(_ router: Router) { self.router = router }
    }

    init(
        _ surroundings: SpoolSurroundings, output: DeskOutput, makeRouter: (RouterOutput) -> Router
    ) {
        self.surroundings = surroundings
        self.output = output
        state = Mutex(State())
        let turn = TurnOutput()
        router = RouterBox(
            makeRouter(
                RouterOutput(
                    opened: output.opened, pack: { turn.add($0) }, fileRead: { turn.add($0) })))
        self.turn = turn
    }

    private let turn: TurnOutput

    // MARK: Orders

    func read(_ files: [EventFile]) {
        state.withLock { $0.files.append(contentsOf: files) }
        wake()
    }

    /// Ends open batches after what was read so far; `done` gets the number of the last batch opened by then.
    func cut(_ cut: Cut, done: @escaping @Sendable (UInt64) -> Void) {
        state.withLock { $0.cuts.append((cut, done)) }
        wake()
    }

    /// Lets reading wait, or go on; carefully: for one turn, and then it waits and `turnEnded` is called.
    func hold(_ isHeld: Bool, carefully isCareful: Bool = false) {
        let changed = state.withLock { state in
            defer { (state.isHeld, state.isCareful) = (isHeld, isCareful) }
            return state.isHeld != isHeld
        }
        if changed { wake() }
    }

    /// Begins nothing new; `quiet` is called once no worker is at work.
    func stop(quiet: @escaping @Sendable () -> Void) {
        let isQuiet = state.withLock { state in
            state.isStopped = true
            if state.active == 0 { return true }
            state.whenQuiet = quiet
            return false
        }
        if isQuiet { quiet() }
    }

    private func wake() {
        let started = state.withLock { state -> Int in
            guard !state.isStopped else { return 0 }
            let wanted = state.blocks.count + (state.hasInput && !state.isRouting ? 1 : 0)
            let more = max(0, min(surroundings.workerCount - state.active, wanted))
            state.active += more
            return more
        }
        for _ in 0..<started { surroundings.workers.run { self.work() } }
    }

    // MARK: Work

    private enum Job {
        case route, pack(PackJob, PackerBox)
        case leave(quiet: (@Sendable () -> Void)?)
    }

    private func work() {
        while true {
            switch nextJob() {
            case .route: route()
            case .pack(let job, let box): pack(job, box)
            case .leave(let quiet):
                quiet?()
                return
            }
        }
    }

    private func nextJob() -> Job {
        state.withLock { state in
            if !state.isStopped {
                let mayRoute = !state.isRouting && state.hasInput
                if mayRoute, state.blocks.count <= Limits.waitingBlocks {
                    state.isRouting = true
                    return .route
                }
                if let job = state.blocks.popFirst() {
                    return .pack(job, state.packers.popLast() ?? PackerBox())
                }
            }
            state.active -= 1
            guard state.active == 0 else { return .leave(quiet: nil) }
            if state.isStopped {
                defer { state.whenQuiet = nil }
                return .leave(quiet: state.whenQuiet)
            }
            return .leave(quiet: nil)
        }
    }

    /// A turn of the router: reads about a chunk, of however many files, or until there is enough to pack.
    private func route() {
        let router = router.router
        let dueBefore = router.nextDue
        var (cuts, next, isHeld) = nextInput()
        var size = 0
        do throws(FileError) {
            for (cut, done) in cuts { done(router.cut(cut)) }
            while true {
                if let file = next { try router.begin(file) }
                // A cut is made in a turn of its own while reading waits for room.
                if router.isReading, !isHeld { size += try router.step() }
                if isHeld { break }
                if size >= Limits.chunkBytes || turn.packs > Limits.waitingBlocks { break }
                next = nil
                if !router.isReading {
                    (cuts, next, isHeld) = nextInput()
                    for (cut, done) in cuts { done(router.cut(cut)) }
                    if next == nil { break }
                }
            }
        } catch {
            fail(error)
        }
        let (isReading, due) = (router.isReading, router.nextDue)
        let (packs, files) = turn.takeAll()
        if !files.isEmpty { output.filesRead(files) }
        let hasRead = size > 0 || !files.isEmpty
        let (isIdle, mustWait) = state.withLock { state in
            state.blocks.append(contentsOf: packs)
            state.isReading = isReading
            state.isRouting = false
            let mustWait = hasRead && state.isCareful && !state.isHeld
            if mustWait { state.isHeld = true }
            return (!state.hasInput, mustWait)
        }
        if mustWait { output.turnEnded() }
        if due != dueBefore { output.due(due) }
        if isIdle { output.idle() }
        wake()
    }

    /// What the router is to do next; no file where one is being read.
    private func nextInput() -> (cuts: [PendingCut], file: EventFile?, isHeld: Bool) {
        let isReading = router.router.isReading
        return state.withLock { state in
            defer { state.cuts = [] }
            let mayBegin = !isReading && !state.isHeld && !state.isStopped
            return (state.cuts, mayBegin ? state.files.popFirst() : nil, state.isHeld)
        }
    }

    private func pack(_ job: PackJob, _ box: PackerBox) {
        let packed = box.packer.pack(
            job.block.bytes, events: job.block.events, as: job.batch.form,
            at: BlockPlace(index: job.index, isLast: job.isLast))
        state.withLock { $0.packers.append(box) }
        do throws(FileError) {
            let isComplete = try job.batch.write(
                Batch.Packed(block: packed, isLast: job.isLast), job.index, to: surroundings.files)
            if isComplete { output.written(job.batch) }
        } catch {
            fail(error)
        }
    }

    /// After a failure nothing goes on: an event that was passed over must not be sealed past.
    private func fail(_ error: FileError) {
        state.withLock { $0.isStopped = true }
        output.failed(error)
    }
}

/// What the router gave away in its present turn.
///
/// Sendable: the mutex guards the lists.
private final class TurnOutput: Sendable {
    private let lists = Mutex<(packs: [PackJob], files: [ReadFile])>(([], []))

    func add(_ job: PackJob) { lists.withLock { $0.packs.append(job) } }
    func add(_ file: ReadFile) { lists.withLock { $0.files.append(file) } }
    var packs: Int { lists.withLock { $0.packs.count } }

    func takeAll() -> (packs: [PackJob], files: [ReadFile]) {
        lists.withLock { lists in
            defer { lists = ([], []) }
            return lists
        }
    }
}

/// What the router has to say, during its turn.
struct RouterOutput: Sendable {
    var opened: @Sendable (Batch) -> Void
    var pack: @Sendable (PackJob) -> Void
    var fileRead: @Sendable (ReadFile) -> Void
}

/// What the desk has to say, from any worker.
struct DeskOutput: Sendable {
    var opened: @Sendable (Batch) -> Void
    var filesRead: @Sendable ([ReadFile]) -> Void
    /// The object is complete.
    var written: @Sendable (Batch) -> Void
    /// A turn of careful reading has ended, and reading waits.
    var turnEnded: @Sendable () -> Void
    /// Everything that came so far is read.
    var idle: @Sendable () -> Void
    /// When the first open batch is old enough; nil: there is none.
    var due: @Sendable (Duration?) -> Void
    var failed: @Sendable (FileError) -> Void
}
