import Files
import Model

/// Makes a spool safe to go on with after it was restored from a backup.
///
/// What may have been delivered since the backup was made is what had no key yet: it goes to quarantine whole. Offsets
/// that were used since are not known, so all begin anew, above every one that was ever used. Each step may be repeated:
/// a crash on the way leaves the marker in place, and the next start does the rest.
enum RestoredSpool {
    private static let reason =
        "the spool was restored from a backup, so this may have been delivered since; move it "
        + "to incoming/ if it was not"

    /// An event file without a key.
    private struct Unsealed {
        var path: String
        /// nil: it was not claimed yet.
        var number: UInt64?
        var connector: ConnectorName?
        var original: String
    }

    /// Answers how many event files were set aside.
    static func setAside(_ files: any FileSystem) throws(SpoolFailure) -> Int {
        try onFile { () throws(FileError) in try ClaimedExports.follow(files) }
        let unsealed = try onFile { () throws(FileError) in try find(files) }
        let highest = try onFile { () throws(FileError) in
            try files.names(in: SpoolLayout.quarantine)
                .compactMap { UInt64($0.prefix(16), radix: 16) }.max()
        }
        var numbers = try SequenceNumbers(
            above: max(highest ?? 0, unsealed.compactMap(\.number).max() ?? 0), files)
        return try onFile { () throws(FileError) in
            var count = 0
            for file in unsealed where try setAside(file, &numbers, files) { count += 1 }
            for name in try files.names(in: SpoolLayout.connectors) {
                try files.remove("\(SpoolLayout.connectors)/\(name)")
            }
            // All of it is durable before the marker goes.
            try files.syncAll()
            return count
        }
    }

    private static func setAside(
        _ file: Unsealed, _ numbers: inout SequenceNumbers, _ files: any FileSystem
    ) throws(FileError) -> Bool {
        let number = if let number = file.number { number } else { try numbers.take(files) }
        do throws(FileError) {
            _ = try Quarantine.keep(
                file.path, number: number, connector: file.connector, original: file.original,
                keptFrom: nil, reason: reason, files)
            return true
        } catch {
            // A name that is no UTF-8 cannot be said back to the kernel, and is never claimed either.
            if error.isMissing { return false }
            throw error
        }
    }

    private static func find(_ files: any FileSystem) throws(FileError) -> [Unsealed] {
        var unsealed: [Unsealed] = []
        for name in try files.names(in: SpoolLayout.active) {
            if let file = ActiveName(name) {
                unsealed.append(
                    Unsealed(
                        path: file.path, number: file.number, connector: file.connector,
                        original: file.keptOriginal))
            } else if let file = ClaimingName(name) {
                unsealed.append(
                    Unsealed(
                        path: file.path, number: file.number, connector: file.connector,
                        original: file.original))
            }
        }
        try addDropped(in: nil, to: &unsealed, files)
        for name in try files.names(in: SpoolLayout.incoming) {
            if let connector = ConnectorName(name) {
                try addDropped(in: connector, to: &unsealed, files)
            }
        }
        return unsealed
    }

    private static func addDropped(
        in connector: ConnectorName?, to unsealed: inout [Unsealed], _ files: any FileSystem
    ) throws(FileError) {
        let directory = connector.map(SpoolLayout.incoming) ?? SpoolLayout.incoming
        guard try files.status(directory)?.kind == .directory else { return }
        for name in try files.names(in: directory) {
            let path = "\(directory)/\(name)"
            if try files.status(path)?.kind == .directory { continue }
            unsealed.append(
                Unsealed(
                    path: path, number: nil, connector: connector,
                    original: NameEscape.escape(name)))
        }
    }
}
