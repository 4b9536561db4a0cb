/// Runs the spool's lanes on the test's own thread, one piece of work at a time, in an order drawn by chance.
///
/// Sendable: a test uses it from one thread only, and so does the work that it runs.
public final class ManualLanes: @unchecked Sendable {
    private var storage: [@Sendable () -> Void] = []
    private var syncing: [@Sendable () -> Void] = []
    private var removers: [@Sendable () -> Void] = []
    private var workers: [@Sendable () -> Void] = []
    private var hashing: [@Sendable () -> Void] = []

    public init() {}

    public func addStorage(_ work: @escaping @Sendable () -> Void) { storage.append(work) }
    public func addSyncing(_ work: @escaping @Sendable () -> Void) { syncing.append(work) }
    public func addRemover(_ work: @escaping @Sendable () -> Void) { removers.append(work) }
    public func addWorker(_ work: @escaping @Sendable () -> Void) { workers.append(work) }
    public func addHashing(_ work: @escaping @Sendable () -> Void) { hashing.append(work) }

    /// Runs everything, and all that it leads to. Storage, syncing and hashing keep their order.
    public func runAll(_ random: inout some RandomNumberGenerator) {
        while true {
            let ready = [storage, syncing, workers, removers, hashing].enumerated()
                .filter { !$0.element.isEmpty }.map(\.offset)
            switch ready.randomElement(using: &random) {
            case 0: storage.removeFirst()()
            case 1: syncing.removeFirst()()
            case 2: workers.remove(at: Int.random(in: workers.indices, using: &random))()
            case 3: removers.remove(at: Int.random(in: removers.indices, using: &random))()
            case 4: hashing.removeFirst()()
            default: return
            }
        }
    }

    /// The process is gone.
    public func removeAll() {
        storage = []
        syncing = []
        workers = []
        removers = []
        hashing = []
    }
}

/// SplitMix64: small, seedable, the same everywhere.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    public init(seed: UInt64) {
        state = seed
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
