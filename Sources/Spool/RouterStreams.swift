import Avro
import Batching
import Encoding
import Files
import Model

/// Filling and closing the batches of streams.
extension Router {
    @inline(__always)
    func send(
        _ text: UnsafePointer<UInt8>, _ line: EventLine, _ position: Position,
        _ entry: RouteMemory.Entry
    ) throws(FileError) {
        let event = UnsafeRawBufferPointer(start: text + line.start, count: line.end - line.start)
        var last: LineEncoder?
        var refusal: EventRefusal?
        for stream in entry.streams {
            if let encoder = stream.encoder {
                // Also what is sealed: a file's refused events are found again at each reading.
                if encoder !== last {
                    refusal = encoder.encode(text + line.start, event.count)
                    last = encoder
                }
                if let refusal {
                    try refuse(event, position, refusal, by: stream)
                    continue
                }
            }
            reading!.end.events += 1
            if let sealed = stream.sealedThrough, position <= sealed { continue }
            add(stream.encoder?.bytes ?? event, position, to: stream)
        }
        if entry.isDiscarded { reading!.end.discarded += 1 }
    }

    private func refuse(
        _ event: UnsafeRawBufferPointer, _ position: Position, _ refusal: EventRefusal,
        by stream: Stream
    ) throws(FileError) {
        try refuse(
            offset: position.offset, stream.id.connector.description, refusal.description, event)
    }

    @inline(__always)
    func add(_ event: UnsafeRawBufferPointer, _ position: Position, to stream: Stream) {
        let batch = stream.batch ?? open(stream, at: position)
        if let block = stream.block, !block.hasRoom(for: event.count + 1) {
            stream.fillsBlocks = true
            pack(stream, batch, block, isLast: false)
            if batch.encodedBytes >= Int(stream.limits.maxBytes.bytes) {
                close(stream)
                return add(event, position, to: stream)
            }
        }
        let block = stream.block ?? newBlock(stream)
        // An event has at least its braces, and an encoded one may have no bytes at all.
        if let bytes = event.baseAddress {
            openBytes +=
                stream.format.isAvro
                ? block.append(bytes, event.count) : block.appendLine(bytes, event.count)
        }
        batch.add(position, of: reading!.reader.file)
        if batch.events >= stream.limits.maxEvents { close(stream) }
    }

    func newBlock(_ stream: Stream) -> Block {
        let block =
            stream.fillsBlocks ? Block(capacity: Limits.blockBytes) : Block()
        openBytes += block.capacity
        stream.block = block
        return block
    }

    func open(_ stream: Stream, at position: Position) -> Batch {
        batches += 1
        let batch = Batch(
            BatchID(connector: stream.id.connector, first: position), stream.id,
            form(stream, first: position), number: batches, opened: uptime())
        stream.batch = batch
        openStreams[ObjectIdentifier(stream)] = stream
        let due = batch.opened + stream.limits.maxAge
        nextDue = min(nextDue ?? due, due)
        output.opened(batch)
        return batch
    }

    /// Everything in it follows from the batch, so an object that is made again is the same.
    private func form(_ stream: Stream, first: Position) -> ObjectForm {
        switch stream.format {
        case .jsonl(let compression):
            return .jsonl(compression, level: stream.compressionLevel)
        case .avro(let compression):
            guard let schema = stream.schema else {
                preconditionFailure("routing refuses types without a schema")
            }
            let routing = table.routing
            let connector = routing.connectors[stream.connector]
            let origin = [
                ("sluice.connector", connector.name.description),
                ("sluice.integration_id", connector.integrationID),
                ("sluice.cluster", routing.cluster), ("sluice.zone", routing.zone),
                ("sluice.partition", String(routing.partition)),
            ]
            let name =
                origin.map(\.1) + [
                    stream.id.eventType, stream.id.hour.description, String(schema.id),
                    String(first.file), String(first.offset),
                ]
            let header = ContainerHeader(
                schema: schema.text, codec: compression.codec,
                metadata: origin.map { (name: $0.0, value: $0.1) },
                marker: SyncMarker(digestOf: name.joined(separator: "\n")))
            return .avro(header, compression, level: stream.compressionLevel)
        }
    }

    func pack(_ stream: Stream, _ batch: Batch, _ block: Block, isLast: Bool) {
        openBytes -= block.capacity
        stream.block = nil
        output.pack(
            PackJob(batch: batch, index: batch.takeBlockIndex(), block: block, isLast: isLast))
    }

    /// Ends the open batch of a stream. Its last block may be empty: the frame's end goes with it.
    func close(_ stream: Stream) {
        guard let batch = stream.batch else { return }
        let block = stream.block ?? newBlock(stream)
        pack(stream, batch, block, isLast: true)
        stream.batch = nil
        openStreams[ObjectIdentifier(stream)] = nil
    }

    /// Gives memory back: the fullest blocks go first, since they lose the least.
    func packFullest() {
        let fullest = openStreams.values.filter { $0.block != nil }
            .sorted { ($0.block?.used ?? 0) > ($1.block?.used ?? 0) }
        for stream in fullest {
            if openBytes <= Limits.openBytes / 2 { break }
            guard let batch = stream.batch, let block = stream.block, block.used > 0 else {
                continue
            }
            stream.fillsBlocks = false
            pack(stream, batch, block, isLast: false)
        }
    }

    /// Ends the older half of the open batches.
    func closeOldest() {
        let oldest = openStreams.values.sorted {
            ($0.batch?.number ?? 0) < ($1.batch?.number ?? 0)
        }
        for stream in oldest.prefix(oldest.count / 2) { close(stream) }
    }

    // MARK: Cutting

    /// Ends open batches; answers the number of the last batch that was opened so far.
    func cut(_ cut: Cut) -> UInt64 {
        for stream in openStreams.values {
            guard let batch = stream.batch else { continue }
            switch cut {
            case .all: close(stream)
            case .connector(let name): if stream.id.connector == name { close(stream) }
            case .due(let now): if batch.opened + stream.limits.maxAge <= now { close(stream) }
            }
        }
        nextDue = openStreams.values.compactMap { stream in
            stream.batch.map { $0.opened + stream.limits.maxAge }
        }.min()
        return batches
    }
}
