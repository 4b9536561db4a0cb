import Batching
import Encoding
import Model

/// Filling and closing the batches of streams.
extension Router {
    @inline(__always)
    func send(
        _ text: UnsafePointer<UInt8>, _ line: EventLine, _ position: Position,
        _ entry: RouteMemory.Entry
    ) {
        for stream in entry.streams {
            reading!.end.events += 1
            if let sealed = stream.sealedThrough, position <= sealed { continue }
            add(UnsafeRawPointer(text + line.start), line.end - line.start, position, to: stream)
        }
        if entry.isDiscarded { reading!.end.discarded += 1 }
    }

    @inline(__always)
    func add(
        _ event: UnsafeRawPointer, _ count: Int, _ position: Position, to stream: Stream
    ) {
        let batch = stream.batch ?? open(stream, at: position)
        if let block = stream.block, !block.hasRoom(for: count + 1) {
            pack(stream, batch, block, isLast: false)
            if batch.encodedBytes >= Int(stream.limits.maxBytes.bytes) {
                close(stream)
                return add(event, count, position, to: stream)
            }
        }
        let block = stream.block ?? newBlock(stream)
        openBytes += block.append(event, count)
        batch.add(position, of: reading!.reader.file)
        if batch.events >= stream.limits.maxEvents { close(stream) }
    }

    func newBlock(_ stream: Stream) -> Block {
        let block = Block()
        openBytes += block.capacity
        stream.block = block
        return block
    }

    func open(_ stream: Stream, at position: Position) -> Batch {
        batches += 1
        let batch = Batch(
            BatchID(connector: stream.id.connector, first: position), stream.id, stream.format,
            number: batches, opened: uptime())
        stream.batch = batch
        openStreams[ObjectIdentifier(stream)] = stream
        let due = batch.opened + stream.limits.maxAge
        nextDue = min(nextDue ?? due, due)
        output.opened(batch)
        return batch
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
            pack(stream, batch, block, isLast: false)
        }
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
