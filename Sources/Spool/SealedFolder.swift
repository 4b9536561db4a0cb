import Files
import Model

/// The names that one connector has in `sealed/` and `expired/`, as a start finds them.
struct SealedFolder: Sendable {
    let connector: ConnectorName
    /// Of held batches.
    private(set) var envelopes = PositionSet()
    private(set) var objects = PositionSet()
    private(set) var uncertain = PositionSet()
    private(set) var uploads = PositionSet()
    private(set) var delivered: [Position] = []
    /// Delivered, and to be deleted in the bucket some day.
    private(set) var stored: [StoredExport] = []
    /// Tombstones of losses, and archived batches.
    private(set) var losses: [(Position, LossName)] = []
    private(set) var archived = PositionSet()
    private var archivedObjects = PositionSet()
    private var halfWritten: [String] = []

    init(_ connector: ConnectorName, _ files: any FileSystem) throws(FileError) {
        self.connector = connector
        let sealed = SpoolLayout.sealed(connector)
        if try files.status(sealed) != nil {
            try files.forEachName(in: sealed) { name in
                if let name = SealedName(name) {
                    add(name)
                } else if name.hasSuffix(".new") {
                    halfWritten.append("\(sealed)/\(name)")
                }
                return true
            }
        }
        let expired = SpoolLayout.expired(connector)
        if try files.status(expired) != nil {
            try files.forEachName(in: expired) { name in
                if let name = SealedName(name) {
                    addArchived(name)
                } else if name.hasSuffix(".new") {
                    halfWritten.append("\(expired)/\(name)")
                }
                return true
            }
        }
        envelopes.sort()
        objects.sort()
        uncertain.sort()
        uploads.sort()
        archived.sort()
        archivedObjects.sort()
    }

    /// Envelopes of all kinds.
    var count: Int { envelopes.count + delivered.count + losses.count }

    /// The name of one of them; held ones come first, in order.
    func envelope(_ index: Int) -> SealedName {
        if index < envelopes.count { return SealedName(envelopes.all[index], .envelope) }
        let index = index - envelopes.count
        if index < delivered.count { return SealedName(delivered[index], .delivered) }
        let (first, name) = losses[index - delivered.count]
        return SealedName(first, .loss(name))
    }

    private mutating func add(_ name: SealedName) {
        switch name.kind {
        case .object: objects.add(name.first)
        case .envelope: envelopes.add(name.first)
        case .uncertain: uncertain.add(name.first)
        case .upload: uploads.add(name.first)
        case .delivered: delivered.append(name.first)
        case .stored(let removal):
            stored.append(StoredExport(batch: id(name.first), removal: removal))
        case .loss(let loss): if loss.kind != .archived { losses.append((name.first, loss)) }
        }
    }

    private mutating func addArchived(_ name: SealedName) {
        switch name.kind {
        case .object:
            archivedObjects.add(name.first)
        case .loss(let loss) where loss.kind == .archived:
            losses.append((name.first, loss))
            archived.add(name.first)
        default:
            break
        }
    }

    /// Removes what belongs to no batch, and moves objects to where their envelopes are.
    ///
    /// The name of the envelope is the state; everything else follows it. An object whose envelope is unreadable is kept:
    /// somebody may mend it.
    mutating func tidy(_ files: any FileSystem) throws(FileError) {
        for path in halfWritten { try files.remove(path) }
        for first in uncertain.all where !envelopes.contains(first) {
            try files.remove(SpoolLayout.uncertain(id(first)))
        }
        for first in uploads.all where !envelopes.contains(first) {
            try files.remove(SpoolLayout.upload(id(first)))
        }
        for first in objects.all where !envelopes.contains(first) {
            let path = SpoolLayout.object(id(first))
            if archived.contains(first), !archivedObjects.contains(first) {
                try files.rename(path, to: SpoolLayout.archivedObject(id(first)))
            } else {
                try files.remove(path)
            }
        }
        var returned: [Position] = []
        for first in archivedObjects.all where !archived.contains(first) {
            let path = SpoolLayout.archivedObject(id(first))
            if envelopes.contains(first), !objects.contains(first) {
                try files.rename(path, to: SpoolLayout.object(id(first)))
                returned.append(first)
            } else {
                try files.remove(path)
            }
        }
        for first in returned { objects.add(first) }
        if !returned.isEmpty { objects.sort() }
    }

    /// Batches whose objects need not be anywhere.
    var settled: Set<Position> {
        Set(delivered + stored.map(\.batch.first) + losses.map(\.0)).subtracting(archived.all)
    }

    /// Objects that were found elsewhere, and are here now.
    mutating func addObjects(_ found: [Position]) {
        guard !found.isEmpty else { return }
        for first in found { objects.add(first) }
        objects.sort()
    }

    private func id(_ first: Position) -> BatchID {
        BatchID(connector: connector, first: first)
    }
}

/// Many positions in little memory: looked up by halving, once they are sorted.
struct PositionSet: Sendable {
    private(set) var all: [Position] = []

    var count: Int { all.count }

    mutating func add(_ position: Position) { all.append(position) }
    mutating func sort() { all.sort() }

    func contains(_ position: Position) -> Bool {
        var (low, high) = (0, all.count)
        while low < high {
            let middle = (low + high) / 2
            if all[middle] < position { low = middle + 1 } else { high = middle }
        }
        return low < all.count && all[low] == position
    }
}
