import Digest
import Files
import Model

/// Sealed and expired batches: each envelope, with its object.
extension SpoolCheck {
    mutating func checkBatches() throws(FileError) {
        var connectors: Set<ConnectorName> = []
        for parent in [SpoolLayout.sealed, SpoolLayout.expired] {
            try forEachName(in: parent) { check, name throws(FileError) in
                let path = "\(parent)/\(name)"
                if try check.files.status(path)?.kind == .directory,
                    let connector = ConnectorName(name)
                {
                    connectors.insert(connector)
                    try check.checkDirectory(path)
                } else {
                    check.foreign(path)
                }
            }
        }
        census.connectors = connectors.sorted()
        for connector in census.connectors {
            var offsets = try quietOffsets(of: connector)
            loose = (0, 0)
            for directory in [SpoolLayout.sealed(connector), SpoolLayout.expired(connector)] {
                try forEachName(in: directory) { check, name throws(FileError) in
                    try check.checkBatchFile(name, in: directory, of: connector, &offsets)
                }
            }
            // What came or went meanwhile is counted on one side only.
            census.unsealed.files += max(0, loose.files)
            census.unsealed.bytes += UInt64(max(0, loose.bytes))
        }
    }

    /// Damaged ones were told already.
    private func quietOffsets(of connector: ConnectorName) throws(FileError) -> Offsets? {
        guard try files.status(SpoolLayout.offsets(connector)) != nil else { return nil }
        return try? Offsets(connector, microseconds: 0, files)
    }

    private mutating func checkBatchFile(
        _ text: String, in directory: String, of connector: ConnectorName, _ offsets: inout Offsets?
    ) throws(FileError) {
        let path = "\(directory)/\(text)"
        if isHalfWritten(text) { return }
        guard let name = SealedName(text) else { return foreign(path) }
        let batch = BatchID(connector: connector, first: name.first)
        let isExpired = directory == SpoolLayout.expired(connector)
        note(name.first.file)
        switch name.kind {
        case .object:
            // With an envelope beside it, it is looked at from there; else it is rubbish, whatever it is.
            look()
            guard let status = try files.status(path) else { return }
            if !isExpired, try files.status(SpoolLayout.envelope(batch)) != nil { return }
            loose.files += 1
            loose.bytes += Int64(clamping: status.size)
        case .envelope where !isExpired:
            guard let envelope = try checkEnvelope(path, batch, &offsets) else { return }
            census.held.add(envelope.size)
            census.heldEvents += UInt64(envelope.events)
            _ = try checkObject(of: envelope, at: [SpoolLayout.object(batch)], beside: path)
        case .uncertain where !isExpired:
            _ = try isOurs(path)
        case .stored where !isExpired:
            if try checkEnvelope(path, batch, &offsets) != nil { census.stored += 1 }
        case .upload where !isExpired:
            guard try isOurs(path) != nil else { return }
            try read(path, Self.lostUpload) { _, bytes throws(CheckedText.Fault) in
                _ = try UploadRecord(CheckedText(bytes, kind: UploadRecord.kind))
            }
        case .delivered where !isExpired:
            if try checkEnvelope(path, batch, &offsets) != nil { census.tombstones += 1 }
        case .loss(let loss) where isExpired == (loss.kind == .archived):
            guard let envelope = try checkEnvelope(path, batch, &offsets) else { return }
            if let countedLosses, loss.number > countedLosses { census.uncountedLosses += 1 }
            if isExpired {
                census.archived.add(envelope.size)
                census.archivedEvents += UInt64(envelope.events)
                // A crash may leave it where it was; a start takes it there.
                let places = [SpoolLayout.archivedObject(batch), SpoolLayout.object(batch)]
                if let size = try checkObject(of: envelope, at: places, beside: path) {
                    loose.files -= 1
                    loose.bytes -= Int64(clamping: size)
                }
            } else {
                census.tombstones += 1
            }
        case .envelope, .uncertain, .upload, .stored, .delivered, .loss:
            foreign(path)
        }
    }

    private static let lostUpload =
        "all parts of its object are sent again; those that the bucket has stay there until a "
        + "lifecycle rule removes them"

    // MARK: Envelopes

    private static let unknownEnd =
        "how far its stream was sealed is unknown: the batch is not delivered, and intake does not "
        + "begin while event files lie in active/"

    /// nil: it is not what it must be, which is told, or it is gone.
    private mutating func checkEnvelope(
        _ path: String, _ batch: BatchID, _ offsets: inout Offsets?
    ) throws(FileError) -> Envelope? {
        guard try isOurs(path) != nil else { return nil }
        var found: Envelope?
        try read(path, Self.unknownEnd) { _, bytes throws(CheckedText.Fault) in
            let envelope = try Envelope(CheckedText(bytes, kind: "envelope"))
            guard envelope.batch == batch else {
                throw .damaged("it is the envelope of another batch")
            }
            if let fault = envelope.contradiction { throw .damaged(fault) }
            found = envelope
        }
        guard let envelope = found else { return nil }
        note(envelope.through.file)
        if envelope.export == nil { try checkOffsets(of: envelope, path, &offsets) }
        return envelope
    }

    private mutating func checkOffsets(
        of envelope: Envelope, _ path: String, _ offsets: inout Offsets?
    ) throws(FileError) {
        let (end, isTooLarge) = envelope.offset.addingReportingOverflow(UInt64(envelope.events))
        func isReserved() -> Bool {
            offsets?.covers(envelope.eventType, upTo: end) ?? true
        }
        if !isTooLarge, isReserved() { return }
        // More may have been reserved since they were read.
        offsets = try quietOffsets(of: envelope.batch.connector)
        if !isTooLarge, isReserved() { return }
        // Once is enough.
        offsets = nil
        tell(
            SpoolLayout.offsets(envelope.batch.connector),
            "the offsets of \(path) were never reserved in it, so it is an old one",
            "a batch to come could get a key that was used, and be held for a conflict",
            "stop sluiced and move the file away: offsets then begin above all that were used")
    }

    // MARK: Objects

    /// Its size, where it was found to be what its envelope says.
    private mutating func checkObject(
        of envelope: Envelope, at places: [String], beside path: String
    ) throws(FileError) -> UInt64? {
        let contents =
            envelope.export == nil ? "\(grouped(envelope.events)) events" : "contents"
        if let (place, status) = try firstObject(envelope, places) {
            do throws(FileError) {
                if let fault = try fault(place, status, envelope), try files.status(path) != nil {
                    tell(
                        place, fault,
                        "it is not sent; its \(contents) are in no other file of the spool",
                        "restore it from a backup, or give it up: sluicectl "
                            + Self.giveUp(envelope, path))
                } else if status.owner != owner, envelope.export == nil {
                    tellOwner(place, status)
                }
            } catch {
                try tell(place, error, "it cannot be sent")
            }
            return status.size
        }
        // It may have been delivered between the two looks.
        guard try files.status(path) != nil else { return nil }
        tell(
            path, "its object is missing",
            "it was delivered just before a crash, or its \(contents) are lost",
            "sluiced asks S3, and holds the batch where S3 does not have it; then restore it from a "
                + "backup, or give it up: sluicectl \(Self.giveUp(envelope, path))")
        return nil
    }

    private func firstObject(
        _ envelope: Envelope, _ places: [String]
    ) throws(FileError) -> (String, FileStatus)? {
        for place in places {
            if let status = try files.status(place) { return (place, status) }
        }
        guard envelope.export != nil else { return nil }
        // A crash may leave a file that goes as it is where it was claimed; a start takes it from there.
        var claimed: String?
        try files.forEachName(in: SpoolLayout.active) { name in
            guard let name = ActiveName(name), ClaimedExports.batch(of: name) == envelope.batch
            else { return true }
            claimed = name.path
            return false
        }
        guard let claimed, let status = try files.status(claimed) else { return nil }
        return (claimed, status)
    }

    private static func giveUp(_ envelope: Envelope, _ path: String) -> String {
        let batch = envelope.batch
        return path.hasPrefix(SpoolLayout.expired(batch.connector))
            ? "archive discard \(batch.connector) \(batch.name)" : "discard \(batch.connector)"
    }

    /// What an object has that its envelope does not say.
    private mutating func fault(
        _ path: String, _ status: FileStatus, _ envelope: Envelope
    ) throws(FileError) -> String? {
        guard status.kind == .regular else { return "it is \(status.kind.rawValue)" }
        guard status.size == envelope.size else {
            return "it has \(grouped(status.size)) bytes, and its envelope says "
                + grouped(envelope.size)
        }
        let file = try files.open(path)
        var digest = ContentDigestComputation(envelope.digest.form)
        var offset: UInt64 = 0
        if buffer.isEmpty { buffer = [UInt8](repeating: 0, count: Self.pieceBytes) }
        while offset < status.size {
            let (count, failure) = buffer.withUnsafeMutableBytes {
                buffer -> (Int, FileError?) in
                do throws(FileError) {
                    let count = try file.read(into: buffer, at: offset)
                    digest.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                    return (count, nil)
                } catch {
                    return (0, error)
                }
            }
            if let failure { throw failure }
            if count == 0 { break }
            offset += UInt64(count)
            census.looked.bytes += UInt64(count)
            listener.progress(census)
        }
        return digest.finish() == envelope.digest
            ? nil : "its SHA-256 is not that of its envelope, so its bytes have changed"
    }
}

extension Envelope {
    /// What of it cannot be, though each part may.
    fileprivate var contradiction: String? {
        guard events > 0 else { return "it has no events" }
        guard batch.first <= through else { return "it ends before it begins" }
        if export != nil {
            return events == 1 && batch.first == through ? nil : "a file is one batch"
        }
        let parts = key.split(separator: "/", omittingEmptySubsequences: false)
        let middle = ["event_type=\(eventType)", "date=\(hour)", "\(schemaID)"]
        guard parts.count >= 6, parts.dropLast(2).suffix(3).elementsEqual(middle, by: ==),
            let end = parts.last?.split(separator: "+").last,
            end.prefix(while: \.isNumber) == "\(offset)"
        else { return "its key is not that of its events" }
        return nil
    }
}
