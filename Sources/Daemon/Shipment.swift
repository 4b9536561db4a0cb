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
/// the connector. It never stores a second body under a key: what lies there is compared. Large objects go in parts, which
/// is `PartedUpload`'s.
final class Shipment {
    /// What an upload in parts needs of the outbox; see `PartedUpload.Means`.
    struct PartMeans {
        var digests: DispatchQueue
        var width: Int
        var keep: (UploadRecord, _ done: @escaping @MainActor () -> Void) -> Void
        var forget: () -> Void
        var abort: (UploadRecord) -> Void
        var mayGoOn: () -> Bool
        var wentWell: (Instant) -> Void
    }

    let batch: HeldBatch
    let began: Instant
    private(set) var envelope: Envelope?
    /// Whether some answer was lost, so that the object may be stored although nobody said so.
    private(set) var isUncertain = false

    /// Where it goes, whatever the configuration says by now.
    var bucket: String { client.settings.bucket }

    /// Whether another file is on its way to that key.
    var isKeyBusy: (String) -> Bool = { _ in false }
    private var hasLooked = false

    /// How much of the object was sent by now.
    var sent: UInt64 { parted?.sent ?? body.map { UInt64($0.reached) } ?? 0 }

    private let client: S3Client
    private let queue: DispatchQueue
    private let files: any FileSystem
    private let clock: DaemonClock
    private let means: PartMeans
    private let corrections: Corrections
    private let done: (Disposition) -> Void
    private var opened: OpenedObject?
    private var body: ObjectBody?
    /// Its SHA-256 as a whole, where the envelope has another digest.
    private var payload: SHA256Digest?
    private var parted: PartedUpload?
    private var rate: TransferRate
    private var isEnded = false
    /// How often a key was taken and then free again.
    private var vanished = 0

    private static let mostVanished = 4

    /// - Parameters:
    ///   - note: is told of corrections on the way.
    ///   - done: is called once, never before `start` returns.
    init(
        _ batch: HeldBatch, client: S3Client, files: any FileSystem, on queue: DispatchQueue,
        at clock: DaemonClock, means: PartMeans, note: @escaping (Disposition) -> Void,
        done: @escaping (Disposition) -> Void
    ) {
        self.batch = batch
        self.client = client
        self.files = files
        self.queue = queue
        self.clock = clock
        self.means = means
        self.done = done
        corrections = Corrections(client, note: note)
        began = clock.instant()
        rate = TransferRate(at: clock.bootTime())
    }

    /// - Parameter verifying: hash the object first, because this process did not make it; where it goes in parts, they are
    ///   compared on the way.
    func start(verifying: Bool) {
        let (batch, files) = (batch, files)
        let goesInParts = client.settings.multipart.parts(of: batch.size) != nil
        queue.async { [weak self] in
            if batch.isObjectMissing {
                let envelope = Result { () throws(SpoolFailure) in
                    try Envelope.read(batch.id, files)
                }
                onLoop { self?.lookForDelivered(envelope) }
            } else {
                let result = OpenedObject.open(
                    batch.id, verifying: verifying && !goesInParts, files)
                // One that cannot be read is none: all parts are sent.
                let record =
                    goesInParts || batch.hasUpload
                    ? try? UploadRecord.read(batch.id, files) : nil
                onLoop { self?.begin(result, record) }
            }
        }
    }

    private func end(_ disposition: Disposition) {
        guard !isEnded else { return }
        isEnded = true
        done(disposition)
    }

    // MARK: How far it is

    /// Whether the spool may have a record of an upload in parts.
    var hasUpload: Bool { parted.map { $0.record != nil } ?? (batch.hasUpload && !hasForgotten) }
    private var hasForgotten = false

    /// nil: it is small, or not begun.
    var progress: UploadProgress? {
        guard let envelope, envelope.size > UploadProgress.leastSize else { return nil }
        let sent = min(envelope.size, sent)
        let now = clock.bootTime()
        return UploadProgress(
            key: envelope.key, size: envelope.size, sent: sent,
            bytesPerSecond: rate.perSecond(at: now),
            secondsLeft: rate.secondsLeft(for: envelope.size - sent, at: now))
    }

    private func wasRead(_ count: Int) {
        rate.add(UInt64(count), at: clock.bootTime())
    }

    // MARK: Putting

    private func begin(_ result: Result<OpenedObject, ObjectFailure>, _ record: UploadRecord?) {
        switch result {
        case .success(let object):
            opened = object
            if object.envelope.export != nil, isKeyBusy(object.envelope.key) {
                let message = "another file of that name is on its way"
                return end(.conflict(Cause(code: "OperationAborted", message: message)))
            }
            envelope = object.envelope
            if let plan = client.settings.multipart.parts(of: object.envelope.size) {
                parted = makeParted(object, plan, record)
            } else if let record {
                // It was begun when less went whole.
                hasForgotten = true
                means.forget()
                means.abort(record)
            }
            put()
        case .failure(let failure):
            end(Disposition(failure))
        }
    }

    private func put() {
        guard let opened else { return }
        if mustLook { return compare() }
        if let parted { return parted.goOn() }
        var upload = ObjectUpload(opened.envelope)
        if upload.payload == nil, isPayloadSigned {
            guard let payload else { return sign(opened) }
            upload.payload = payload
        }
        let body = ObjectBody(
            opened.file, 0..<opened.envelope.size, on: queue,
            sent: { [weak self] in self?.wasRead($0) })
        self.body = body
        let mark = corrections.mark
        client.putObject(upload, body: body) { [self] reply in
            if body.wasSentAgain || reply.answer?.leavesUncertain == true { isUncertain = true }
            if let failure = body.failure { return end(Disposition(failure)) }
            switch reply.disposition {
            case .existing: compare()
            default: correctOrEnd(reply.disposition, mark) { [self] in put() }
            }
        }
    }

    /// Whether what is sent has to be signed, too: its checksum is, and that is enough where nobody can change both.
    private var isPayloadSigned: Bool {
        !client.isPrivate || client.settings.checksum != .whenSupported
            || client.unsupported.contains(.checksum)
    }

    /// A file that is known by its pieces, and goes whole all the same, is read once more for that.
    private func sign(_ object: OpenedObject) {
        means.digests.async { [self] in
            let result = PartDigest.of(0..<object.envelope.size, object.file, isSigned: true)
            onLoop { [self] in
                switch result {
                case .success(let digest):
                    payload = digest.sha256
                    put()
                case .failure(let failure):
                    end(Disposition(failure))
                }
            }
        }
    }

    /// A store without conditional writes would take a file over another object. To look before is not safe against who
    /// writes at the same moment, but against all that was there.
    private var mustLook: Bool {
        envelope?.export != nil && !hasLooked && !isConditional
            && client.settings.onConflict != .overwrite
    }

    /// Makes the correction that an answer asks for and tries again; any other answer is the end.
    private func correctOrEnd(
        _ disposition: Disposition, _ mark: Corrections.Mark, again: () -> Void
    ) {
        if let disposition = corrections.follow(disposition, sent: mark) { return end(disposition) }
        again()
    }

    private func makeParted(
        _ object: OpenedObject, _ plan: MultipartLimits.Parts, _ record: UploadRecord?
    ) -> PartedUpload {
        let clock = clock
        return PartedUpload(
            object, ObjectUpload(object.envelope), plan: plan, record: record,
            by: PartedUpload.Means(
                client: client, corrections: corrections, reading: queue, digests: means.digests,
                width: means.width, keep: means.keep, forget: means.forget, abort: means.abort,
                mayGoOn: means.mayGoOn, instant: { clock.instant() }, wentWell: means.wentWell,
                sent: { [weak self] in self?.wasRead($0) },
                mustLook: { [weak self] in self?.mustLook == true })
        ) { [weak self] disposition in self?.partsEnded(disposition) }
    }

    private func partsEnded(_ disposition: Disposition) {
        if parted?.isUncertain == true { isUncertain = true }
        switch disposition {
        case .existing: compare()
        case .startOver(let cause): compare(lost: cause)
        default: end(disposition)
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

    /// - Parameter lost: why nobody knows whether there is an object: the upload in parts is no more.
    private func compare(lost cause: Cause? = nil) {
        guard let envelope else { return }
        hasLooked = true
        let mark = corrections.mark
        client.headObject(envelope.key) { [self] reply in
            switch reply.disposition {
            case .answered:
                let comparison =
                    reply.answer?.comparison(
                        length: envelope.size, digest: envelope.digest.description) ?? .unknown
                switch comparison {
                case .equal: isEqual()
                case .different: differs(reply.answer, lost: cause)
                case .unknown: hash(lost: cause)
                }
            case .missing:
                gone(lost: cause)
            case .advice(let denial):
                cannotTell(denial, lost: cause)
            default:
                correctOrEnd(reply.disposition, mark) { [self] in compare(lost: cause) }
            }
        }
    }

    private func isEqual() {
        parted?.giveUp()
        end(.delivered)
    }

    /// Another object lies under the key. For events that says that two daemons share an identity; a file may just be
    /// called like one that was there before.
    private func differs(_ answer: Answer?, lost cause: Cause?) {
        // Where an upload is lost and completions have no condition, whoever completes last has the key.
        if let cause, !isConditional { return gone(lost: cause) }
        parted?.giveUp()
        guard envelope?.export != nil else { return end(.batchHeld(.differs)) }
        end(
            .batchHeld(
                .taken(ExistingObject(size: answer?.contentLength, modified: answer?.lastModified))
            ))
    }

    private var isConditional: Bool {
        client.settings.storesConditionally && !client.unsupported.contains(.conditionalWrites)
    }

    private func cannotTell(_ denial: Cause, lost cause: Cause?) {
        // The next completion will say what lies there.
        if let cause { return gone(lost: cause) }
        end(.batchHeld(.incomparable(denial)))
    }

    /// Nothing lies under the key.
    private func gone(lost cause: Cause? = nil) {
        guard opened != nil else {
            return end(
                .batchHeld(
                    .damaged(
                        "its object is gone from the spool, and was never stored in the bucket")))
        }
        if let cause, let parted { return parted.startOver(because: cause) }
        vanished += 1
        if vanished > Self.mostVanished {
            return end(.conflict(Cause(code: "NoSuchKey", message: "the key is taken, then free")))
        }
        put()
    }

    /// The object under the key does not say its digest: it is fetched and hashed.
    private func hash(lost cause: Cause?) {
        guard let envelope else { return }
        let computation = Hashing(envelope.digest.form)
        let mark = corrections.mark
        // One byte more than ours has makes it another object, however much would follow.
        let size = Int(clamping: envelope.size)
        client.getObject(
            envelope.key, most: size, sink: { computation.update($0) }
        ) { [self] reply in
            switch reply.disposition {
            case .answered:
                guard computation.finish() == envelope.digest else {
                    return differs(reply.answer, lost: cause)
                }
                isEqual()
            case .missing: gone(lost: cause)
            case .advice(let denial): cannotTell(denial, lost: cause)
            default: correctOrEnd(reply.disposition, mark) { [self] in hash(lost: cause) }
            }
        }
    }

    /// A digest that a closure can hold.
    private final class Hashing {
        private var computation: ContentDigestComputation?

        init(_ form: ContentDigest.Form) { computation = ContentDigestComputation(form) }
        func update(_ bytes: UnsafeRawBufferPointer) { computation?.update(bytes) }
        /// Once.
        func finish() -> ContentDigest? { computation.take()?.finish() }
    }
}

extension Disposition {
    init(_ failure: ObjectFailure) {
        switch failure {
        case .damaged(let text): self = .batchHeld(.damaged(text))
        case .unreadable(let text):
            self = .misconfigured(.local("the spool cannot be read: \(text)"))
        }
    }
}

extension ObjectUpload {
    /// What a batch's object is stored with.
    init(_ envelope: Envelope) {
        self.init(
            key: envelope.key, digest: envelope.digest, crc32: envelope.crc32,
            contentType: envelope.contentType, metadata: Self.metadata(envelope))
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
}
