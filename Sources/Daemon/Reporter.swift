import Delivery
import Dispatch
import Model
import Spool
import Systemd

/// Writes the daemon's lines: state changes, each of a kind with its fields; never one per attempt.
final class Reporter {
    let journal: JournalWriter
    /// `object delivered` lines of the present second, and what came past the bound.
    private var deliveredLines = 0
    private var uncounted = BatchSums()
    private var isSecondRunning = false

    /// Lines of one kind a second, past which one line with a count takes their place.
    private static let mostDeliveredLines = 10

    init(_ journal: JournalWriter) {
        self.journal = journal
    }

    func say(
        _ kind: MessageKind, _ message: String, _ fields: [JournalField] = [],
        priority: Priority? = nil
    ) {
        journal.send(JournalEntry(kind, message, fields, priority: priority))
    }

    // MARK: Delivery

    func delivered(_ envelope: Envelope, bucket: String) {
        beginSecond()
        deliveredLines += 1
        guard deliveredLines <= Self.mostDeliveredLines else {
            uncounted.objects += 1
            uncounted.events += envelope.events
            uncounted.bytes += envelope.size
            return
        }
        let what = envelope.export.map { "file \($0.path)" } ?? count(envelope.events, "event")
        let fields: [JournalField] =
            envelope.export == nil
            ? [.eventType(envelope.eventType), .firstOffset(envelope.offset)] : []
        say(
            .objectDelivered,
            "connector \(envelope.batch.connector): delivered \(what) "
                + "(\(ByteCount(envelope.size))) to s3://\(bucket)/\(envelope.key)",
            [
                .connector(envelope.batch.connector.description), .bucket(bucket),
                .key(envelope.key), .events(envelope.events), .bytes(envelope.size),
            ] + fields)
    }

    /// A batch with what is in it.
    private func described(_ batch: HeldBatch) -> String {
        batch.isExport
            ? "file \(batch.id.name)"
            : "batch \(batch.id.name) with \(count(batch.events, "event"))"
    }

    private func beginSecond() {
        guard !isSecondRunning else { return }
        isSecondRunning = true
        DispatchQueue.main.asyncAfter(deadline: .now() + 1) { [weak self] in self?.endSecond() }
    }

    /// Says what was counted; also before the end, so that nothing stays unsaid.
    func endSecond() {
        isSecondRunning = false
        deliveredLines = 0
        guard uncounted.objects > 0 else { return }
        say(
            .objectDelivered,
            "delivered \(count(uncounted.objects, "object")) more with "
                + "\(count(uncounted.events, "event")) (\(ByteCount(uncounted.bytes)))",
            [.objects(uncounted.objects), .events(uncounted.events), .bytes(uncounted.bytes)])
        uncounted = BatchSums()
    }

    func corrected(_ disposition: Disposition, at place: Destination) {
        let text = disposition.explanation(of: .putObject, at: place)
        let fields = [JournalField.connector(place.connector), .bucket(place.bucket)]
        switch disposition {
        case .clock: say(.clockCorrected, text, fields)
        case .unsupported(.conditionalWrites, _): say(.conditionalWritesRefused, text, fields)
        case .unsupported, .region: say(.connectorVerified, text, fields)
        default: break
        }
    }

    func held(_ fault: BatchFault, _ text: String, _ place: Destination, _ batch: HeldBatch) {
        let kind: MessageKind =
            switch fault {
            case .differs: .identityConflict
            case .damaged: .spoolDamaged
            case .refused, .incomparable, .taken: .batchHeld
            }
        let name = "\(described(batch)) is held"
        say(kind, "\(text); \(name)", fields(place, batch))
    }

    /// - Parameter disposition: what the store said; nil: the bucket is not the connector's any more.
    func partsLeft(_ disposition: Disposition?, _ record: UploadRecord, _ place: Destination) {
        let cause = disposition?.cause
        let request = cause?.requestID.map { ", request \($0)" } ?? ""
        let reason =
            cause.map { "s3:AbortMultipartUpload was not allowed or failed (\($0.code)\(request))" }
            ?? "the connector does not go there any more"
        var fields: [JournalField] = [
            .connector(place.connector), .bucket(record.bucket), .key(record.key),
        ]
        if let cause { fields.append(.s3Code(cause.code)) }
        if let id = cause?.requestID { fields.append(.s3RequestID(id)) }
        say(
            .partsLeft,
            "connector \(place.connector): an upload in parts to s3://\(record.bucket)/\(record.key) was "
                + "given up, and its parts stay in the bucket, for \(reason); a lifecycle rule with "
                + "AbortIncompleteMultipartUpload removes such parts; this is told once", fields)
    }

    func rekeyed(_ batch: HeldBatch, from old: String, _ place: Destination) {
        say(
            .identityConflict,
            "connector \(place.connector): \(described(batch)) is delivered as "
                + "\(place.key ?? "") from now on, for another object lies at \(old)",
            fields(place, batch), priority: .notice)
    }

    // MARK: What is deleted in buckets

    func removed(_ envelope: Envelope, _ place: Destination) {
        say(
            .fileRemoved,
            "connector \(place.connector): file \(envelope.export?.path ?? envelope.key) "
                + "(\(ByteCount(envelope.size))) is deleted at s3://\(place.bucket)/\(envelope.key): "
                + "its remove_after is over",
            [
                .connector(place.connector), .bucket(place.bucket), .key(envelope.key),
                .bytes(envelope.size),
            ])
    }

    /// - Parameter found: what lies there.
    func removalLeft(
        _ batch: BatchID, _ envelope: Envelope?, _ found: String, _ place: Destination
    ) {
        let object = envelope.map { "s3://\(place.bucket)/\($0.key)" } ?? "file \(batch.name)"
        say(
            .fileNotRemoved,
            "connector \(place.connector): \(object) is not deleted, though its remove_after is "
                + "over: \(found); it is left alone for good",
            [.connector(place.connector), .bucket(place.bucket)]
                + (envelope.map { [.key($0.key), .bytes($0.size)] } ?? []))
    }

    func removalFailed(_ disposition: Disposition, of operation: Operation, _ place: Destination) {
        let text = disposition.explanation(of: operation, at: place)
        say(
            .fileNotRemoved,
            "\(text); what is to be deleted there is tried again by itself",
            [.connector(place.connector), .bucket(place.bucket)]
                + (place.key.map { [.key($0)] } ?? []))
    }

    private func fields(_ place: Destination, _ batch: HeldBatch) -> [JournalField] {
        var fields: [JournalField] = [
            .connector(place.connector), .bucket(place.bucket), .events(batch.events),
            .bytes(batch.size),
        ]
        if !batch.isExport { fields.append(.eventType(batch.eventType)) }
        if let key = place.key { fields.append(.key(key)) }
        return fields
    }
}

/// "1 event", "1,234 events".
nonisolated func count(_ number: Int, _ noun: String, plural: String? = nil) -> String {
    "\(grouped(number)) \(number == 1 ? noun : plural ?? noun + "s")"
}

extension Duration {
    /// For people, in the largest unit that fits: "3 s", "12 min", "46 h".
    nonisolated var spoken: String {
        let seconds = components.seconds
        if seconds < 120 { return "\(seconds) s" }
        if seconds < 7200 { return "\(seconds / 60) min" }
        return "\(seconds / 3600) h"
    }
}
