import Dispatch
import Spool

/// A dispatch queue as a lane of the spool.
nonisolated struct DispatchLane: Lane {
    let queue: DispatchQueue

    func run(_ work: @escaping @Sendable () -> Void) {
        queue.async(execute: work)
    }
}

/// The queues on which everything blocking runs. The main queue, the loop, never waits for a file.
nonisolated struct Lanes: Sendable {
    /// Moves names in the spool, one at a time.
    let storage = DispatchQueue(label: "sluice.storage")
    /// Reads, packs and appends; as many at once as there are cores.
    let workers = DispatchQueue(label: "sluice.workers", attributes: .concurrent)
    /// Reads what is to be sent, secrets and the configuration.
    let reading = DispatchQueue(label: "sluice.reading")
}

/// Runs on the loop what a queue has to say. In order, for each queue.
nonisolated func onLoop(_ body: @escaping @MainActor @Sendable () -> Void) {
    DispatchQueue.main.async { MainActor.assumeIsolated(body) }
}
