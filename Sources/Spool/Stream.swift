import Avro
import Batching
import Model

/// One stream as the router sees it: its open batch, and the block that is being filled.
///
/// Owned by the router.
final class Stream {
    let id: StreamID
    let format: ObjectFormat
    let compressionLevel: Int
    let schema: AvroSchema?
    let limits: BatchLimits
    /// The connector's place in the routing.
    let connector: Int
    /// nil: events go as they are.
    let encoder: LineEncoder?
    /// Everything up to here was sealed before this process read it again.
    let sealedThrough: Position?

    var batch: Batch?
    var block: Block?
    /// Its last block became full, so the next one need not grow to that size again.
    var fillsBlocks = false

    init(
        _ id: StreamID, _ routing: Routing, connector: Int, encoder: LineEncoder?,
        sealedThrough: Position?
    ) {
        self.id = id
        self.connector = connector
        self.encoder = encoder
        self.sealedThrough = sealedThrough
        let settings = routing.connectors[connector]
        format = settings.format
        // Without levels, none is looked at.
        compressionLevel = settings.compressionLevel ?? settings.format.levels?.standard ?? 0
        schema = routing.schema(settings, eventType: id.eventType)
        limits = settings.limits
    }
}
