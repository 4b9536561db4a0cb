import Delivery
import Dispatch
import Model
import S3
import Spool

/// Uploads in parts, as far as they concern more than one attempt: what is given up, what is learned, what is told.
extension Outbox {
    /// What a shipment needs for an upload in parts.
    func means(
        for batch: HeldBatch, _ client: S3Client, width: Int
    ) -> Shipment.PartMeans {
        Shipment.PartMeans(
            digests: surroundings.digests, width: width,
            keep: { [surroundings] record, done in
                surroundings.keepUpload(record, batch.id, done)
            },
            forget: { [surroundings] in surroundings.forgetUpload(batch.id) },
            abort: { [weak self] record in self?.abort(record) },
            mayGoOn: { [weak self] in
                guard let self else { return false }
                return !self.isStopped && !self.isPaused && self.client === client
            },
            wentWell: { [weak self] began in self?.partWentWell(batch, began) })
    }

    /// A part that is taken proves as much as an object: the whole may take hours, and a trouble need not last so long.
    private func partWentWell(_ batch: HeldBatch, _ began: Instant) {
        defer { surroundings.changed() }
        guard isTroubled else { return }
        let actions = health.attemptEnded(
            .delivered, eventType: batch.eventType, began: began, at: clock.instant(),
            random: Double.random(in: 0..<1))
        perform(actions, destination(eventType: batch.eventType))
        pump()
    }

    // MARK: Giving up

    /// Has the store forget the upload of a batch that leaves, and goes on when it is known which that is.
    func abandonUpload(of batch: BatchID, then proceed: @escaping () -> Void) {
        let files = surroundings.files
        aborting += 1
        // Made and called on the main actor only; the queue just carries it.
        nonisolated(unsafe) let proceed = proceed
        surroundings.queue.async { [weak self] in
            let record = try? UploadRecord.read(batch, files)
            onLoop {
                if let self {
                    self.aborting -= 1
                    if let record { self.abort(record) }
                }
                proceed()
            }
        }
    }

    /// Has the store forget an upload and its parts. Where it does not, that is told, once.
    func abort(_ record: UploadRecord, isCorrected: Bool = false) {
        let place = destination(key: record.key)
        guard let client, client.settings.bucket == record.bucket,
            client.settings.endpoint ?? "" == record.endpoint
        else { return tellPartsLeft(nil, record, place) }
        aborting += 1
        client.abortMultipartUpload(MultipartUpload(record)) { [weak self] reply in
            guard let self else { return }
            self.aborting -= 1
            switch reply.disposition {
            case .answered, .missing:
                break
            case .clock, .region, .refreshCredentials:
                if !isCorrected, client.correct(by: reply.disposition) {
                    self.abort(record, isCorrected: true)
                } else {
                    self.tellPartsLeft(reply.disposition, record, place)
                }
            default:
                self.tellPartsLeft(reply.disposition, record, place)
            }
            self.surroundings.changed()
        }
    }

    private func tellPartsLeft(
        _ disposition: Disposition?, _ record: UploadRecord, _ place: Destination
    ) {
        guard !hasToldPartsLeft else { return }
        hasToldPartsLeft = true
        reporter.partsLeft(disposition, record, place)
    }

    // MARK: Status

    /// The larger objects that are under way, the oldest first.
    var uploads: [UploadProgress] {
        shipments.values.sorted { $0.batch.id < $1.batch.id }.compactMap(\.progress)
    }
}
