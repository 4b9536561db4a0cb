import Dispatch
import Glibc
import Spool
import Synchronization

/// A dispatch queue as a lane of the spool.
nonisolated struct DispatchLane: Lane {
    let queue: DispatchQueue

    func run(_ work: @escaping @Sendable () -> Void) {
        queue.async(execute: work)
    }
}

/// A serial queue for each worker; work goes to the one that has the least.
///
/// One concurrent queue would do the same, but once anything has run on such a queue, libdispatch counts its threads
/// every second for ever after, and an idle daemon would never rest.
nonisolated final class Workers: Lane {
    private let queues: [DispatchQueue]
    private let load: Mutex<[Int]>

    init(_ label: String, count: Int) {
        queues = (1...count).map { DispatchQueue(label: "\(label)-\($0)") }
        load = Mutex(Array(repeating: 0, count: count))
    }

    func run(_ work: @escaping @Sendable () -> Void) {
        let index = load.withLock { load in
            var least = 0
            for index in load.indices where load[index] < load[least] { least = index }
            load[least] += 1
            return least
        }
        queues[index].async {
            work()
            self.load.withLock { $0[index] -= 1 }
        }
    }
}

/// The queues on which everything blocking runs. The main queue, the loop, never waits for a file.
nonisolated struct Lanes: Sendable {
    /// Moves names in the spool, one at a time.
    let storage = DispatchQueue(label: "sluice.storage")
    /// Waits for the disk.
    let syncing = DispatchQueue(label: "sluice.syncing")
    /// Take event files off the disk that nothing needs any more.
    let removers = Workers("sluice.remover", count: Limits.removalsAtOnce)
    /// Reads, packs and appends; as many at once as there are cores.
    let workers = Workers("sluice.worker", count: Lanes.workerCount)
    /// Hash files that go as they are, while the workers go on with events.
    let hashers = Workers("sluice.hasher", count: Lanes.workerCount)
    static let workerCount = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    /// Reads what is to be sent, secrets and the configuration.
    let reading = DispatchQueue(label: "sluice.reading")
    /// Computes the digests of parts before they are sent, ahead of their turn.
    let digests = DispatchQueue(label: "sluice.digests")
}

/// Runs on the loop what a queue has to say. In order, for each queue.
nonisolated func onLoop(_ body: @escaping @MainActor @Sendable () -> Void) {
    DispatchQueue.main.async { MainActor.assumeIsolated(body) }
}
