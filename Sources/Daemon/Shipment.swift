import Curl
import Delivery
import Digest
import Dispatch
import Files
import Glibc
import Model
import S3
import Signing
import Spool

/// One attempt to deliver one batch: from its envelope to what became of it.
///
/// The steps on the way (another region, another clock, a key that is taken) are made here; what it ends with concerns
/// the connector. It never stores a second body under a key: what lies there is compared.
final class Shipment {
    let batch: HeldBatch
    let began: Instant
    private(set) var envelope: Envelope?
    /// Whether some answer was lost, so that the object may be stored although nobody said so.
    private(set) var isUncertain = false

    /// Where it goes, whatever the configuration says by now.
    var bucket: String { client.settings.bucket }

    private let client: S3Client
    private let queue: DispatchQueue
    private let files: any FileSystem
    private let note: (Disposition) -> Void
    private let done: (Disposition) -> Void
    private var opened: OpenedObject?
    private var isEnded = false
    /// Corrections made in this attempt. Each kind is made a few times at most.
    private var corrections = 0
    /// What the client believed of the clock when the last request left.
    private var clockWhenSent: Int64 = 0
    /// How often a key was taken and then free again.
    private var vanished = 0

    private static let mostCorrections = 4

    /// - Parameters:
    ///   - note: is told of corrections on the way.
    ///   - done: is called once, never before `start` returns.
    init(
        _ batch: HeldBatch, client: S3Client, files: any FileSystem, on queue: DispatchQueue,
        at clock: DaemonClock, note: @escaping (Disposition) -> Void,
        done: @escaping (Disposition) -> Void
    ) {
        self.batch = batch
        self.client = client
        self.files = files
        self.queue = queue
        self.note = note
        self.done = done
        began = clock.instant()
    }

    /// - Parameter verifying: hash the object first, because this process did not make it.
    func start(verifying: Bool) {
        let (batch, files) = (batch, files)
        queue.async { [weak self] in
            if batch.isObjectMissing {
                let envelope = Result { () throws(SpoolFailure) in
                    try Envelope.read(batch.id, files)
                }
                onLoop { self?.lookForDelivered(envelope) }
            } else {
                let result = OpenedObject.open(batch.id, verifying: verifying, files)
                onLoop { self?.begin(result) }
            }
        }
    }

    private func end(_ disposition: Disposition) {
        guard !isEnded else { return }
        isEnded = true
        done(disposition)
    }

    // MARK: Putting

    private func begin(_ result: Result<OpenedObject, ObjectFailure>) {
        switch result {
        case .success(let object):
            opened = object
            envelope = object.envelope
            put()
        case .failure(let failure):
            end(Self.disposition(failure))
        }
    }

    private static func disposition(_ failure: ObjectFailure) -> Disposition {
        switch failure {
        case .damaged(let text): .batchHeld(.damaged(text))
        case .unreadable(let text): .misconfigured(.local("the spool cannot be read: \(text)"))
        }
    }

    private func put() {
        guard let opened else { return }
        let envelope = opened.envelope
        let upload = ObjectUpload(
            key: envelope.key, sha256: envelope.sha256, crc32: envelope.crc32,
            contentType: envelope.contentType, metadata: Self.metadata(envelope))
        let body = ObjectBody(opened, on: queue)
        clockWhenSent = client.clockOffset
        client.putObject(upload, body: body) { [self] reply in
            if body.wasSentAgain || reply.answer?.leavesUncertain == true { isUncertain = true }
            if let failure = body.failure { return end(Self.disposition(failure)) }
            switch reply.disposition {
            case .existing: compare()
            default: correctOrEnd(reply.disposition) { [self] in put() }
            }
        }
    }

    /// Of an object of events; a file that goes as it is needs none.
    private static func metadata(_ envelope: Envelope) -> [Header] {
        guard envelope.export == nil else { return [] }
        return [
            Header("sluice-events", String(envelope.events)),
            Header("sluice-first-offset", String(envelope.offset)),
            Header("sluice-event-type", envelope.eventType),
            Header("sluice-schema-id", String(envelope.schemaID)),
        ]
    }

    /// Makes the correction that an answer asks for and tries again; any other answer is the end.
    private func correctOrEnd(_ disposition: Disposition, again: () -> Void) {
        switch disposition {
        case .clock, .region, .unsupported, .refreshCredentials:
            corrections += 1
            guard corrections <= Self.mostCorrections else {
                return end(disposition.afterCorrection)
            }
            if isAlreadyMade(disposition) { return again() }
            guard client.correct(by: disposition) else { return end(disposition.afterCorrection) }
            note(disposition)
            if case .refreshCredentials = disposition, corrections > 1 {
                return end(disposition.afterCorrection)
            }
            again()
        default:
            end(disposition)
        }
    }

    /// Whether another attempt made the same correction while this one's request was under way.
    private func isAlreadyMade(_ correction: Disposition) -> Bool {
        switch correction {
        case .region(let region, _): client.region == region
        case .unsupported(let feature, _): client.unsupported.contains(feature)
        case .clock: client.clockOffset != clockWhenSent
        default: false
        }
    }

    // MARK: Comparing

    /// An envelope whose object is gone was delivered before a crash, unless the spool is damaged. S3 knows.
    private func lookForDelivered(_ result: Result<Envelope, SpoolFailure>) {
        switch result {
        case .success(let envelope):
            self.envelope = envelope
            compare()
        case .failure(.file(let error)):
            end(.misconfigured(.local("the spool cannot be read: \(error)")))
        case .failure(let failure):
            end(.batchHeld(.damaged(failure.description)))
        }
    }

    private func compare() {
        guard let envelope else { return }
        clockWhenSent = client.clockOffset
        client.headObject(envelope.key) { [self] reply in
            switch reply.disposition {
            case .answered:
                let comparison =
                    reply.answer?.comparison(
                        length: envelope.size, sha256: envelope.sha256.hex) ?? .unknown
                switch comparison {
                case .equal: end(.delivered)
                case .different: differs(reply.answer)
                case .unknown: hash()
                }
            case .missing:
                gone()
            case .advice(let cause):
                end(.batchHeld(.incomparable(cause)))
            default:
                correctOrEnd(reply.disposition) { [self] in compare() }
            }
        }
    }

    /// Another object lies under the key. For events that says that two daemons share an identity; a file may just be
    /// called like one that was there before.
    private func differs(_ answer: Answer?) {
        guard envelope?.export != nil else { return end(.batchHeld(.differs)) }
        end(
            .batchHeld(
                .taken(ExistingObject(size: answer?.contentLength, modified: answer?.lastModified))
            ))
    }

    /// Nothing lies under the key.
    private func gone() {
        guard opened != nil else {
            return end(
                .batchHeld(
                    .damaged(
                        "its object is gone from the spool, and was never stored in the bucket")))
        }
        vanished += 1
        if vanished > Self.mostCorrections {
            return end(.conflict(Cause(code: "NoSuchKey", message: "the key is taken, then free")))
        }
        put()
    }

    /// The object under the key does not say its digest: it is fetched and hashed.
    private func hash() {
        guard let envelope else { return }
        let computation = Hashing()
        clockWhenSent = client.clockOffset
        // One byte more than ours has makes it another object, however much would follow.
        let size = Int(clamping: envelope.size)
        client.getObject(
            envelope.key, most: size, sink: { computation.update($0) }
        ) { [self] reply in
            switch reply.disposition {
            case .answered:
                guard computation.finish() == envelope.sha256 else {
                    return differs(reply.answer)
                }
                end(.delivered)
            case .missing: gone()
            case .advice(let cause): end(.batchHeld(.incomparable(cause)))
            default: correctOrEnd(reply.disposition) { [self] in hash() }
            }
        }
    }

    /// A digest that a closure can hold.
    private final class Hashing {
        private var computation = SHA256()
        func update(_ bytes: UnsafeRawBufferPointer) { computation.update(bytes) }
        func finish() -> SHA256Digest { computation.finish() }
    }
}
