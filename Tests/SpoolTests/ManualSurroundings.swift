import Files
import Model
import Spool
import Support

/// A lane of `ManualLanes`.
private struct ManualLane: Lane {
    let add: @Sendable (@escaping @Sendable () -> Void) -> Void
    func run(_ work: @escaping @Sendable () -> Void) { add(work) }
}

extension SpoolSurroundings {
    /// All lanes on the test's own thread; `beforeWork` is called before each piece of a worker's work.
    init(
        _ lanes: ManualLanes, files: any FileSystem,
        uptime: @escaping @Sendable () -> Duration = { .zero },
        now: @escaping @Sendable () -> Timestamp,
        clock: @escaping @Sendable () -> Duration = { .zero },
        beforeWork: @escaping @Sendable () -> Void = {},
        report: @escaping @Sendable (SpoolReport) -> Void
    ) {
        self.init(
            files: files,
            storage: ManualLane { lanes.addStorage($0) },
            syncing: ManualLane { lanes.addSyncing($0) },
            removers: ManualLane { lanes.addRemover($0) },
            workers: ManualLane { work in
                lanes.addWorker {
                    beforeWork()
                    work()
                }
            },
            workerCount: 2,
            hashing: ManualLane { work in
                lanes.addHashing {
                    beforeWork()
                    work()
                }
            },
            uptime: uptime, now: now,
            microseconds: { UInt64(max(0, now().unixSeconds)) * 1_000_000 }, clock: clock,
            report: report,
            whenTold: { lanes.addWorker($0) })
    }
}
