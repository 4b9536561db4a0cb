import Files
import Model

/// Retiring: an event file leaves `active/` once everything in it is sealed or refused.
extension Spool {
    /// Gives holds back; files that nothing needs any more leave.
    func release(_ files: [EventFile]) {
        for file in files where file.release() {
            guard let end = active[file.name.number]?.end else { continue }
            if let reason = end.kept {
                attempt { () throws(FileError) in try keep(file.name, end.keptFrom, reason) }
            } else {
                leaving.append(contentsOf: CollectionOfOne(file.name))
            }
        }
        removeLeaving()
        advanceRouting()
        reportActivity()
    }

    private func keep(
        _ name: ActiveName, _ from: UInt64?, _ reason: String
    ) throws(FileError) {
        let path = try Quarantine.keep(
            name.path, number: name.number, connector: name.connector, original: name.keptOriginal,
            keptFrom: from, isExport: name.isExport, reason: reason, files)
        active[name.number] = nil
        report(
            .fileRefused(
                FileRefusal(file: name.shown, reason: reason, fate: .quarantined(path: path))))
    }

    /// Hands files to the removers, a few to each. To remove thousands of small files one after another would keep the
    /// storage lane from what batches and producers wait for: a disk takes its time over each.
    private func removeLeaving() {
        guard desk != nil, !isStopping else { return }
        while removals < Limits.removalsAtOnce, !leaving.isEmpty {
            var names: [ActiveName] = []
            while names.count < Limits.filesPerRemoval, let name = leaving.popFirst() {
                names.append(name)
            }
            remove(names)
        }
    }

    private func remove(_ names: [ActiveName]) {
        removals += 1
        let (files, storage) = (files, surroundings.storage)
        surroundings.removers.run { [weak self] in
            let result = Result { () throws(FileError) in
                for name in names { try files.remove(name.path) }
            }
            storage.run { [weak self] in self?.removed(names, result) }
        }
    }

    private func removed(_ names: [ActiveName], _ result: Result<Void, FileError>) {
        removals -= 1
        if isStopping {
            if removals == 0 { afterRemovals.take()?() }
            return
        }
        attempt { () throws(FileError) in
            try result.get()
            for name in names { active[name.number] = nil }
            try tidy()
        }
        removeLeaving()
        advanceRouting()
        advanceQuarantine()
        reportActivity()
    }

    /// Calls `body` once nobody removes files any more: what is read of `active/` before that would be out of date.
    func afterRemovals(_ body: @escaping () -> Void) {
        if removals == 0 { body() } else { afterRemovals = body }
    }
}
