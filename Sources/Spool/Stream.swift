import Batching
import Model

/// One stream as the router sees it: its open batch, and the block that is being filled.
///
/// Owned by the router.
final class Stream {
    let id: StreamID
    let format: ObjectFormat
    let limits: BatchLimits
    /// Everything up to here was sealed before this process read it again.
    let sealedThrough: Position?

    var batch: Batch?
    var block: Block?

    init(_ id: StreamID, _ connector: Routing.Connector, sealedThrough: Position?) {
        self.id = id
        format = connector.format
        limits = connector.limits
        self.sealedThrough = sealedThrough
    }
}
