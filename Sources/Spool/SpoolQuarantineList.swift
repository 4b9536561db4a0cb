import Files
import Model

/// A part of what is in quarantine, oldest first.
public struct QuarantinePage: Sendable {
    public var items: [QuarantineItem]
    /// How many there are in all.
    public var total: Int
    /// There are more after the last of these.
    public var hasMore: Bool
}

/// Refused lines of one thing in quarantine.
public struct QuarantineLines: Sendable {
    public struct Line: Sendable {
        public var number: Int
        /// Where it began in the text of its file.
        public var offset: UInt64
        public var connector: String?
        public var reason: String
        /// The first of its bytes, and how many there are.
        public var bytes: [UInt8]
        public var count: Int
    }

    public var item: QuarantineItem
    public var lines: [Line]
}

/// Bytes of one thing in quarantine.
public struct QuarantineBytes: Sendable {
    /// Of refused lines each with its newline; of a file as they are.
    public var bytes: [UInt8]
    /// Where to go on; nil: that was all.
    public var next: UInt64?
}

/// Looking at what is in quarantine: beside everything else, on the workers' lane, since nothing depends on it.
extension Spool {
    /// Lists some of it, from after a thing on. `done` is called on a queue of the spool's, as with the others.
    public func quarantined(
        after: QuarantineID?, limit: Int,
        done: @escaping @Sendable (Result<QuarantinePage, QuarantineFailure>) -> Void
    ) {
        look(done) { files throws(FileError) in
            let names = try QuarantineNames.names(
                after: after?.number, limit: min(limit, Limits.quarantinePerGroup), files)
            let (items, isCut) = try QuarantineItem.items(names.names, files)
            return QuarantinePage(
                items: items, total: names.total, hasMore: names.hasMore || isCut)
        }
    }

    /// Reads the first refused lines of one.
    public func quarantinedLines(
        _ id: QuarantineID, limit: Int,
        done: @escaping @Sendable (Result<QuarantineLines, QuarantineFailure>) -> Void
    ) {
        look(done) { files throws(FileError) in
            guard let name = try QuarantineNames.find(id, files),
                let item = try QuarantineItem(name, files)
            else { return nil }
            var lines = QuarantineLines(item: item, lines: [])
            guard !item.isFile, let rejects = try RejectsFile(name.path, files) else {
                return lines
            }
            var offset = rejects.first
            while lines.lines.count < min(limit, Limits.linesShown),
                case .success(let entry?) = try rejects.entry(at: offset)
            {
                offset = entry.next
                lines.lines.append(
                    .init(
                        number: entry.head.line, offset: entry.head.offset,
                        connector: entry.head.connector,
                        reason: QuarantineItem.cut(entry.head.reason),
                        bytes: try rejects.bytes(of: entry, most: Limits.lineBytesShown),
                        count: entry.head.bytes))
            }
            return lines
        }
    }

    /// Reads bytes of one from an offset on; the first offset is 0, each other one is the `next` of an answer.
    public func quarantinedBytes(
        _ id: QuarantineID, from offset: UInt64,
        done: @escaping @Sendable (Result<QuarantineBytes, QuarantineFailure>) -> Void
    ) {
        look(done) { files throws(FileError) in
            guard let name = try QuarantineNames.find(id, files) else { return nil }
            let most = Limits.quarantineBytesGiven
            if name.kind != .rejects {
                guard try files.status(name.path)?.kind == .regular else { return nil }
                let bytes = try files.open(name.path).bytes(at: offset, count: most)
                return QuarantineBytes(
                    bytes: bytes, next: bytes.count < most ? nil : offset + UInt64(bytes.count))
            }
            guard let rejects = try RejectsFile(name.path, files) else { return nil }
            var bytes: [UInt8] = []
            var next = max(offset, rejects.first)
            while bytes.count < most {
                guard case .success(let entry?) = try rejects.entry(at: next) else {
                    return QuarantineBytes(bytes: bytes, next: nil)
                }
                next = entry.next
                guard entry.head.bytes > 0 else { continue }
                bytes += try rejects.bytes(of: entry)
                bytes.append(UInt8(ascii: "\n"))
            }
            return QuarantineBytes(bytes: bytes, next: next)
        }
    }

    private func look<Found>(
        _ done: @escaping @Sendable (Result<Found, QuarantineFailure>) -> Void,
        _ body: @escaping @Sendable (any FileSystem) throws(FileError) -> Found?
    ) {
        let files = surroundings.files
        surroundings.workers.run {
            do throws(FileError) {
                guard let found = try body(files) else { return done(.failure(.missing)) }
                done(.success(found))
            } catch {
                done(error.isMissing ? .failure(.missing) : .failure(.spool(.file(error))))
            }
        }
    }
}
