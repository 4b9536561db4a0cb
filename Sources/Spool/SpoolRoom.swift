import Batching
import Files
import Model

/// What is claimed and read while the disk is short, and who waits for a limit of their own.
///
/// Reading an event file to its end mostly makes room, so it never stops while something can be delivered. Below
/// `minimum_free`, the reserve:
/// - files in the directory of a connector that delivers nothing wait: they would only become its backlog;
/// - below half of it, those in `incoming/` wait too while there is such a connector;
/// - reading waits while connectors that deliver hold more than a quarter of it;
/// - below a quarter one file at a time is taken, when nothing else is left to deliver.
///
/// Once the disk was full (and in the last quarter) a chunk is read, then all of it sealed, before the next is read: what
/// is open takes room, and a large object might never have as much as it needs.
extension Spool {
    /// Shares what room there is by other rules from now on.
    public func govern(by policy: IntakePolicy) {
        surroundings.storage.run {
            guard policy != self.policy else { return }
            self.policy = policy
            self.scheduleScan()
        }
    }

    /// Whose files may be claimed now, and how many.
    struct Admission {
        var places: [Claimer.Place]
        /// Where files wait for room, or for their connector.
        var withheld: [Claimer.Place] = []
        var limit = Limits.filesPerRound
        /// Room is what sets the limit.
        var isLimited = false
    }

    func admission(_ obstacle: IntakeObstacle?) throws(FileError) -> Admission {
        var admission = Admission(places: [])
        let isHeld = mustHoldReading(obstacle)
        switch obstacle {
        case nil:
            break
        case .clockTooEarly, .clockBehind:
            admission.limit = 0
            admission.isLimited = true
        case .diskNearlyFull, .inodesNearlyGone:
            let isLast = obstacle?.isBelow(1, Limits.lastReserve) ?? false
            admission.limit = isHeld || (isLast && !active.isEmpty) ? 0 : isLast ? 1 : 16
            admission.isLimited = true
        }
        let connectors = routing.connectors.map(\.name)
        let isShort = obstacle != nil
        let mayShare =
            !(obstacle?.isBelow(1, 2) ?? false)
            || !connectors.contains(where: policy.troubled.contains)
        let shared = Claimer.Place(connector: nil, room: nil)
        if mayShare { admission.places.append(shared) } else { admission.withheld.append(shared) }
        for connector in connectors {
            let place = Claimer.Place(connector: connector, room: roomLeft(connector))
            if place.room == 0 || isShort && policy.troubled.contains(connector) {
                admission.withheld.append(place)
            } else {
                admission.places.append(place)
            }
        }
        return admission
    }

    /// What a connector may still take before it holds as much as its `max_held`; nil: it has no such limit.
    private func roomLeft(_ connector: ConnectorName) -> UInt64? {
        guard let most = policy.maxHeld[connector]?.bytes else { return nil }
        let claimed = active.values.reduce(UInt64(0)) {
            $1.file.name.connector == connector ? $0 + $1.file.name.size : $0
        }
        let has = heldBytes[connector] + claimed
        // One that has waited goes on only when it has got away from its limit.
        let mark = overLimit.contains(connector) ? most / 8 * Limits.eighthsToGoOn : most
        return has < mark ? most - has : 0
    }

    /// Tells of connectors whose files wait for their `max_held`, and of those that go on. Whether any files wait.
    func withhold(_ places: [Claimer.Place]) throws(FileError) -> Bool {
        var waits = false
        var over: Set<ConnectorName> = []
        let connectors = routing.connectors.map(\.name)
        for place in places
        where try claimer.hasFiles(in: place, connectors: connectors, surroundings) {
            waits = true
            guard let connector = place.connector, place.room == 0,
                let most = policy.maxHeld[connector]
            else { continue }
            over.insert(connector)
            if !overLimit.contains(connector) {
                report(
                    .connectorWaits(connector, held: ByteCount(heldBytes[connector]), most: most))
            }
        }
        for connector in overLimit.subtracting(over).sorted() {
            report(.connectorResumed(connector))
        }
        overLimit = over
        return waits
    }

    /// Something has left the spool, so what waits for room may go on.
    func roomWasMade() {
        guard obstacle != nil || !overLimit.isEmpty else { return }
        scheduleScan()
    }

    /// Looks whether the disk has become short, or is so no more, while a long file is being read.
    func lookForRoom() throws(FileError) {
        let obstacle = try findObstacle()
        steerReading(obstacle)
        if (obstacle == nil) != (self.obstacle == nil) { scheduleScan() }
    }

    /// Lets reading wait or go on as the room on the disk says.
    func steerReading(_ obstacle: IntakeObstacle?) {
        let isLast = obstacle?.isBelow(1, Limits.lastReserve) ?? false
        desk?.hold(mustHoldReading(obstacle) || isMakingRoom, carefully: isLast || wasFull)
    }

    /// Seals everything open, so that event files can leave the disk.
    func makeRoom() {
        guard !isMakingRoom else { return }
        isMakingRoom = true
        // Called on the storage lane.
        flush(.all) { [weak self] isSealed in
            self?.isMakingRoom = false
            guard isSealed else { return }
            self?.attempt { () throws(FileError) in try self?.lookForRoom() }
        }
    }

    // MARK: Obstacles

    func findObstacle() throws(FileError) -> IntakeObstacle? {
        let now = surroundings.now()
        if now < Limits.earliestTime { return .clockTooEarly(now) }
        if let newestHour,
            Hour(unixSeconds: now.unixSeconds).hoursSince1970 + Limits.hoursBehind
                < newestHour.hoursSince1970
        {
            return .clockBehind(now, newest: newestHour)
        }
        let space = try files.space()
        let least = minimumFree.amount(of: space.totalBytes)
        if space.freeBytes >= max(least, Limits.enoughRoom) { wasFull = false }
        if space.freeBytes < least {
            return .diskNearlyFull(free: ByteCount(space.freeBytes), least: ByteCount(least))
        }
        // Some file systems have no fixed number of inodes and say 0.
        let leastInodes = space.totalInodes / 20
        if space.totalInodes > 0, space.freeInodes < leastInodes {
            return .inodesNearlyGone(free: space.freeInodes, least: leastInodes)
        }
        return nil
    }

    /// Whether reading waits until some of what can be delivered is delivered.
    func mustHoldReading(_ obstacle: IntakeObstacle?) -> Bool {
        let leaving = heldBytes.total(except: policy.troubled)
        switch obstacle {
        case .diskNearlyFull(_, let least):
            return leaving > least.bytes / Limits.sharedReserve
                || leaving > 0 && obstacle?.isBelow(1, Limits.lastReserve) ?? false
        case .inodesNearlyGone: return leaving > 0
        default: return false
        }
    }
}

extension IntakeObstacle {
    /// Whether less than a part of the reserve is left.
    func isBelow(_ part: UInt64, _ parts: UInt64) -> Bool {
        switch self {
        case .diskNearlyFull(let free, let least): free.bytes < least.bytes / parts * part
        case .inodesNearlyGone(let free, let least): free < least / parts * part
        case .clockTooEarly, .clockBehind: false
        }
    }
}
