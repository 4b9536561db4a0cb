internal import Dispatch

/// Runs work that blocks on a queue, and hands what came of it back on the loop.
func offLoop<Value: Sendable>(
    _ queue: DispatchQueue, _ work: @escaping @Sendable () -> Value,
    then: @escaping (Value) -> Void
) {
    // Made and called on the main actor only; the queue just carries it.
    nonisolated(unsafe) let then = then
    queue.async {
        let value = work()
        DispatchQueue.main.async { MainActor.assumeIsolated { then(value) } }
    }
}
