import Batching
import Files
import Model

/// The routing in effect, and how another one takes its place.
///
/// Skipping by position is right only if an event goes to the same streams when it is read again. So the routing lies in
/// the spool, and another one is put into effect only once `active/` is empty for good.
extension Spool {
    /// Files claimed under the routing that was in effect are read under it.
    func readRouting(isIdle: Bool) throws(SpoolFailure) {
        guard let text = try StateFile.read(SpoolLayout.routing, kind: "routing", files) else {
            guard isIdle else {
                throw .damaged(
                    path: SpoolLayout.routing,
                    reason: "it is gone, and the files in active/ must be read as it said")
            }
            return try onFile { () throws(FileError) in try keepRouting(wantedRouting) }
        }
        routing = try StateFile.value(SpoolLayout.routing) { () throws(CheckedText.Fault) in
            try Routing(text)
        }
        if isIdle, routing != wantedRouting {
            try onFile { () throws(FileError) in try keepRouting(wantedRouting) }
        }
    }

    private func keepRouting(_ next: Routing) throws(FileError) {
        try StateFile.write(SpoolLayout.routing, next.text, in: ".", files)
        routing = next
    }

    func makeDirectories() throws(FileError) {
        for connector in routing.connectors + wantedRouting.connectors {
            try files.makeDirectory(SpoolLayout.sealed(connector.name), mode: 0o700)
            try files.makeDropDirectory(SpoolLayout.incoming(connector.name))
        }
    }

    // MARK: Changing it

    /// Puts the wanted routing into effect once nothing is left of the old one.
    func advanceRouting() {
        guard let desk, !isStopping, routing != wantedRouting else { return }
        guard unsealed.isEmpty, active.count == leaving.count else {
            if activity.isIdle { flush(.all) { _ in } }
            return
        }
        guard active.isEmpty else { return }
        desk.stop { [surroundings] in
            surroundings.storage.run { [weak self] in self?.switchRouting() }
        }
        isStopping = true
    }

    private func switchRouting() {
        desk = nil
        // The desk may have been stopped before it took an order to cut; but nothing was left to be sealed.
        endFlushes(true)
        do throws(FileError) {
            // The event files must be gone for good before their routing is forgotten.
            try files.syncDirectory(SpoolLayout.active)
            retiredBelow = numbers.upcoming
            try makeDirectories()
            try keepRouting(wantedRouting)
            claimer.rules.exports = routing.exports
            startDesk(sealedThrough: [:])
            report(.routingChanged)
            scheduleScan()
            advanceQuarantine()
        } catch {
            endQuarantine(.file(error))
            report(.failed(.file(error)))
        }
    }
}
