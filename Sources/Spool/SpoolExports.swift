import Batching
import Encoding
import Files
import Model

/// Exports: files that become objects as they are, one each.
///
/// ```
/// active/<n>….export.… --hash--> envelope --rename--> sealed/<connector>/<batch>.object
/// ```
///
/// The envelope's name is the seal, as with any batch; the file follows it by a rename, so nothing is copied. A crash may
/// come between: then an envelope has no object, and the file lies in `active/` under the envelope's number. A start
/// looks there, and lets the file follow (`ClaimedExports`). Each file is a stream of its own, so exports are sealed
/// in any order, and of names that become durable together a power cut may keep any.
extension Spool {
    func fileHashed(_ file: HashedFile) {
        exportRead()
        switch envelope(file) {
        case .success(let envelope):
            hashed.append(SealedExport(file: file.file, envelope: envelope))
            scheduleSeal()
        case .failure(let fault):
            setAside(file.file, fault.reason)
        }
    }

    /// It is not what was claimed.
    func refuse(_ file: EventFile, _ reason: String) {
        exportRead()
        setAside(file, reason)
    }

    private func exportRead() {
        unread -= 1
        if unread == 0 { deskIdle() }
        if unread < Limits.unreadFiles / 2, !activity.isIncomingEmpty { scheduleScan() }
    }

    private func setAside(_ file: EventFile, _ reason: String) {
        var end = EventFileEnd()
        end.kept = reason
        end.keptFrom = 0
        active[file.name.number]?.end = end
        release([file])
    }

    // MARK: Sealing

    func takeExports(most: Int) -> [SealedExport] {
        let taken = Array(hashed.prefix(max(0, most)))
        hashed.removeFirst(taken.count)
        return taken
    }

    private struct ExportFault: Error { var reason: String }

    private func envelope(_ file: HashedFile) -> Result<Envelope, ExportFault> {
        let name = file.file.name
        let clock = file.file.acceptedClock
        guard let connector = routing.connectors.first(where: { $0.name == name.connector }),
            connector.kind == .dataExport
        else { return .failure(ExportFault(reason: "no connector takes it as it is")) }
        let export: ExportName
        do throws(ExportName.Fault) { export = try ExportName(fileName: name.original) } catch {
            return .failure(ExportFault(reason: "its name \(error)"))
        }
        let described = ExportFile(
            connector: connector.name, name: export, modified: file.modified, size: name.size)
        let key = described.key(folder: connector.folder, template: connector.keyTemplate)
        if let fault = policy.fault(ofKey: key, connector.name) {
            return .failure(ExportFault(reason: fault))
        }
        let first = Position(file: name.number, offset: 0)
        let rounded = Duration.milliseconds(clock.milliseconds)
        return .success(
            Envelope(
                batch: BatchID(connector: connector.name, first: first),
                eventType: ExportFile.eventType, hour: name.hour, key: key, offset: 0, events: 1,
                through: first, size: name.size, digest: file.digest, crc32: file.crc32,
                contentType: ContentType.of(export.name), schemaID: Routing.noSchema,
                accepted: name.accepted...name.accepted,
                // Not older than it is.
                acceptedClock: rounded < clock ? rounded + .milliseconds(1) : rounded,
                export: Envelope.Export(path: export.path)))
    }

    /// Lets the files of a group follow their envelopes.
    func moveToEnvelopes(_ exports: [SealedExport]) {
        attempt { () throws(FileError) in
            for export in exports {
                try files.rename(export.file.name.path, to: export.envelope.objectPath)
                active[export.file.name.number] = nil
            }
        }
    }
}

/// An export on its way into a seal.
struct SealedExport: Sendable {
    var file: EventFile
    var envelope: Envelope
}

/// Files that were sealed as they are, and did not yet follow their envelopes when the process ended.
enum ClaimedExports {
    static func batch(of name: ActiveName) -> BatchID? {
        guard name.isExport, let connector = name.connector else { return nil }
        return BatchID(connector: connector, first: Position(file: name.number, offset: 0))
    }

    /// Lets them follow; answers those that are not sealed. What is settled is removed: its object was, too.
    static func follow(
        _ active: [ActiveName], _ folders: inout [SealedFolder], _ files: any FileSystem
    ) throws(FileError) -> [ActiveName] {
        var claimed: [ConnectorName: [ActiveName]] = [:]
        for name in active where name.isExport {
            if let connector = name.connector { claimed[connector, default: []].append(name) }
        }
        var sealed: Set<UInt64> = []
        for place in folders.indices {
            guard let names = claimed[folders[place].connector] else { continue }
            sealed.formUnion(try follow(names, &folders[place], files))
        }
        return active.filter { !sealed.contains($0.number) }
    }

    /// The same for a spool that is not yet opened.
    static func follow(_ files: any FileSystem) throws(FileError) {
        let active = try files.names(in: SpoolLayout.active).compactMap { ActiveName($0) }
        for connector in Set(active.lazy.filter(\.isExport).compactMap(\.connector)) {
            var folders = [try SealedFolder(connector, files)]
            _ = try follow(active, &folders, files)
        }
    }

    /// Answers the numbers of those that are sealed.
    private static func follow(
        _ names: [ActiveName], _ folder: inout SealedFolder, _ files: any FileSystem
    ) throws(FileError) -> [UInt64] {
        let settled = folder.settled
        var (found, held): ([UInt64], [Position]) = ([], [])
        for name in names {
            guard let batch = batch(of: name) else { continue }
            if folder.envelopes.contains(batch.first) {
                try files.rename(name.path, to: SpoolLayout.object(batch))
                held.append(batch.first)
            } else if folder.archived.contains(batch.first) {
                try files.rename(name.path, to: SpoolLayout.archivedObject(batch))
            } else if settled.contains(batch.first) {
                try files.remove(name.path)
            } else {
                continue
            }
            found.append(name.number)
        }
        folder.addObjects(held)
        return found
    }
}
