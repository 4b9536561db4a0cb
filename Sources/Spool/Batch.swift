import Batching
import Deflate
import Digest
import Files
import Model
import Synchronization

/// A batch on its way from its first event to its finished object.
///
/// Sendable: three owners, one after another. The router alone fills it, until it closes it. Workers bring its packed
/// blocks in any order, and whoever brings the next one in order has the writing turn, which the mutex hands around.
/// After the last block the storage lane owns it.
final class Batch: @unchecked Sendable {
    let id: BatchID
    let stream: StreamID
    let form: ObjectForm
    /// Counts the batches of this process; those of one stream are sealed in this order.
    let number: UInt64
    let opened: Duration

    // The router's, until the batch is closed.
    private(set) var events = 0
    private(set) var through: Position
    private(set) var files: [EventFile] = []
    private(set) var blocks = 0

    private let writing: Mutex<Writing>
    /// Bytes written so far, for the router to look at.
    private let written = Atomic<Int>(0)

    /// Order among blocks: what came early, and whose turn it is.
    private struct Writing {
        var waiting: [Int: Packed] = [:]
        var next = 0
        var isTaken = false
    }

    struct Packed: Sendable {
        var block: PackedBlock
        var isLast: Bool
    }

    // The holder of the writing turn's; then, after the last block, the storage lane's.
    private var frame: ObjectFrame
    private var digest = SHA256()
    private var checksum = CRC32()
    private(set) var size: UInt64 = 0
    private(set) var sha256: SHA256Digest?
    var crc32: UInt32 { checksum.value }

    init(
        _ id: BatchID, _ stream: StreamID, _ form: ObjectForm, number: UInt64, opened: Duration
    ) {
        self.id = id
        self.stream = stream
        self.form = form
        self.number = number
        self.opened = opened
        through = id.first
        frame = ObjectFrame(form)
        writing = Mutex(Writing())
    }

    var encodedBytes: Int { written.load(ordering: .relaxed) }
    var accepted: ClosedRange<Timestamp> {
        // Files are claimed in order, but a wall clock may have been set back between two of them.
        let times = files.map(\.name.accepted)
        let none = Timestamp(unixSeconds: 0)
        return (times.min() ?? none)...(times.max() ?? none)
    }

    /// By the spool clock, when the youngest event was accepted.
    ///
    /// Rounded up to the millisecond that the envelope has: an event must not seem older than it is.
    var acceptedClock: Duration {
        let clock = files.map(\.acceptedClock).max() ?? .zero
        let rounded = Duration.milliseconds(clock.milliseconds)
        return rounded < clock ? rounded + .milliseconds(1) : rounded
    }

    @inline(__always)
    func add(_ position: Position, of file: EventFile) {
        if files.last !== file {
            file.hold()
            files.append(file)
        }
        through = position
        events += 1
    }

    /// The index of the next block. The router calls it as it gives a block away.
    func takeBlockIndex() -> Int {
        defer { blocks += 1 }
        return blocks
    }

    /// Takes a packed block, and writes all that is next in order unless another worker is doing so.
    ///
    /// True once the object is complete; then the batch belongs to the caller.
    func write(
        _ packed: Packed, _ index: Int, to files: some FileSystem
    ) throws(FileError) -> Bool {
        let isMyTurn = writing.withLock { state in
            state.waiting[index] = packed
            if state.isTaken || state.waiting[state.next] == nil { return false }
            state.isTaken = true
            return true
        }
        guard isMyTurn else { return false }
        while true {
            let next = writing.withLock { state -> Packed? in
                let next = state.waiting.removeValue(forKey: state.next)
                if next == nil { state.isTaken = false } else { state.next += 1 }
                return next
            }
            guard let next else { return false }
            try append(next, to: files)
            if next.isLast {
                sha256 = digest.finish()
                return true
            }
        }
    }

    private func append(_ packed: Packed, to files: some FileSystem) throws(FileError) {
        // The block that is both first and last, as for the packer.
        let isAlone = size == 0 && packed.isLast
        var bytes = size == 0 ? frame.header(isAlone: isAlone) : []
        frame.append(packed.block)
        if packed.isLast {
            bytes += packed.block.bytes + frame.trailer(isAlone: isAlone)
        } else if bytes.isEmpty {
            bytes = packed.block.bytes
        } else {
            bytes += packed.block.bytes
        }
        let at = size
        let result = bytes.withUnsafeBytes { bytes in
            digest.update(bytes)
            checksum.update(bytes)
            return Result { () throws(FileError) in
                try files.append(SpoolLayout.object(id), at: at, bytes)
            }
        }
        try result.get()
        size += UInt64(bytes.count)
        written.store(Int(size), ordering: .relaxed)
    }
}
