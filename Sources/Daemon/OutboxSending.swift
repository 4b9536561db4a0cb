import Credentials
import Delivery
import Dispatch
import Model
import S3
import Spool

/// Sending: what goes next, and what became of it.
extension Outbox {
    /// Sends as much as the connector's health allows.
    func pump() {
        guard !isPumping else { return }
        // Nothing begins, but what has ended is a change too: somebody may wait for it.
        guard !isStopped, let client else { return surroundings.changed() }
        isPumping = true
        defer {
            isPumping = false
            surroundings.changed()
        }
        while true {
            let now = clock.instant()
            let permission = health.permission(at: now)
            switch permission {
            case .full:
                if shipments.count >= mostUnderWay { return }
            case .oneAtATime, .probe:
                if !shipments.isEmpty { return }
            case .none(let until):
                return wake(at: until, now)
            }
            guard let batch = next(at: now, isProbe: permission == .probe) else { return }
            ship(batch, client, width: permission == .full ? Self.mostParts : 1)
        }
    }

    /// What overwrites goes in order, or an older file could take the place of a newer one.
    private var mostUnderWay: Int {
        settings?.onConflict == .overwrite ? 1 : Self.mostUnderWay
    }

    /// The oldest batch that may go now; its event type has its own permission. Probes take event types in turn.
    private func next(at now: Instant, isProbe: Bool) -> HeldBatch? {
        var wakeAt: Instant?
        func mayGo(_ first: HeldBatch) -> Bool {
            if let until = postponed[first.id]?.until, until > now {
                wakeAt = min(wakeAt ?? until, until)
                return false
            }
            switch health.permission(for: first.eventType, at: now) {
            case .full:
                return true
            case .oneAtATime, .probe:
                return !shipments.values.contains { $0.batch.eventType == first.eventType }
            case .none(let until):
                if let until { wakeAt = min(wakeAt ?? until, until) }
                return false
            }
        }
        let best =
            isProbe
            ? waiting.firsts.filter(mayGo).min(by: isProbedBefore) : waiting.oldest(where: mayGo)
        guard let best else {
            wake(at: wakeAt, now)
            return nil
        }
        return waiting.takeFirst(best.eventType)
    }

    /// The names behind the last one first, then those before it.
    private func isProbedBefore(_ left: HeldBatch, _ right: HeldBatch) -> Bool {
        let (isLeftLater, isRightLater) = (
            left.eventType > lastProbed, right.eventType > lastProbed
        )
        if isLeftLater != isRightLater { return isLeftLater }
        return left.eventType < right.eventType
    }

    private func wake(at instant: Instant?, _ now: Instant) {
        guard let instant else { return }
        let delay = max(.milliseconds(10), instant - now)
        timer.schedule(
            deadline: .now() + .milliseconds(Int(delay.milliseconds)), leeway: .milliseconds(50))
    }

    private func ship(_ batch: HeldBatch, _ client: S3Client, width: Int) {
        lastProbed = batch.eventType
        // After a restart, what was under way is sought among the first of an event type; this one may not be there.
        if atFault[batch.eventType] != nil { noteUncertain(batch) }
        let shipment = Shipment(
            batch, client: client, files: surroundings.files, on: surroundings.queue, at: clock,
            means: means(for: batch, client, width: width),
            note: { [weak self] disposition in self?.corrected(batch, disposition) },
            done: { [weak self] disposition in self?.ended(batch, disposition) })
        shipment.isKeyBusy = { [weak self] key in
            self?.shipments.values.contains { $0.envelope?.key == key } ?? false
        }
        shipments[batch.id] = shipment
        shipment.start(verifying: batch.isFromEarlierProcess)
    }

    private func noteUncertain(_ batch: HeldBatch) {
        guard uncertain.insert(batch.id).inserted, !batch.isUncertain else { return }
        surroundings.markUncertain([batch.id])
    }

    // MARK: What became of it

    func destination(eventType: String? = nil, key: String? = nil) -> Destination {
        Destination(
            connector: name.description, bucket: settings?.bucket ?? "",
            host: settings?.endpoint ?? "S3",
            eventType: eventType == ExportFile.eventType ? nil : eventType, key: key, noun: noun)
    }

    /// What it holds, for people.
    var noun: String { settings?.kind == .dataExport ? "file" : "event" }

    private func corrected(_ batch: HeldBatch, _ disposition: Disposition) {
        reporter.corrected(disposition, at: destination(eventType: batch.eventType))
    }

    private func ended(_ batch: HeldBatch, _ disposition: Disposition) {
        guard let shipment = shipments.removeValue(forKey: batch.id) else { return }
        let disposition = batch.isExport ? disposition.ofConnector : disposition
        failures.count(disposition)
        var batch = batch
        batch.hasUpload = shipment.hasUpload
        let now = clock.instant()
        let place = destination(eventType: batch.eventType, key: shipment.envelope?.key)
        if shipment.isUncertain, disposition != .delivered { noteUncertain(batch) }
        let actions = health.attemptEnded(
            disposition, eventType: batch.eventType, began: shipment.began, at: now,
            random: Double.random(in: 0..<1))
        switch disposition {
        case .delivered:
            delivered(batch, shipment)
        case .batchHeld(let fault):
            postponed[batch.id] = nil
            let reason = disposition.explanation(of: .putObject, at: place)
            atFault.insert(batch, because: reason, isConflict: fault.isConflict)
            if case .taken = fault, settings?.onConflict == .rename {
                rekey(batch.id.name, by: surroundings.spool) { _ in }
            } else {
                if let object = ExportFates.Object(shipment.envelope) {
                    fates.noteFault(object, because: reason)
                }
                reporter.held(fault, reason, place, batch)
            }
        case .conflict:
            let failures = (postponed[batch.id]?.failures ?? 0) + 1
            let delay = Backoff().delay(
                failures: failures, retryAfter: nil, random: Double.random(in: 0..<1))
            postponed[batch.id] = (now + delay, failures)
            enqueue(batch)
        default:
            // Whatever the keys were, the next attempt reads them anew: mending them is enough.
            if case .credentials(.connector, _) = disposition { provider?.forget() }
            enqueue(batch)
        }
        perform(actions, place)
        // Nothing else can cost a batch before the next tick.
        if case .credentials = disposition { giveUp() }
        pump()
    }

    private func delivered(_ batch: HeldBatch, _ shipment: Shipment) {
        totals.delivered.add(batch)
        rate.add(events: batch.events, bytes: batch.size, at: clock.bootTime())
        surroundings.delivered(batch)
        if let object = ExportFates.Object(shipment.envelope) { fates.noteStored(object) }
        if let envelope = shipment.envelope {
            totals.lastKey = envelope.key
            totals.lastTime = clock.now()
            // The configuration may have changed while it was under way.
            reporter.delivered(envelope, bucket: shipment.bucket)
        }
        settle(batch, removal.map { .stored(removal: $0) } ?? .delivered)
    }

    /// When an object that was stored just now is to be deleted.
    private var removal: Timestamp? {
        guard settings?.kind == .dataExport, let age = settings?.removeAfter else { return nil }
        return Timestamp(unixSeconds: clock.now().unixSeconds + age.components.seconds)
    }
}
