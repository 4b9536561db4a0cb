import Deflate
import Delivery
import Dispatch
import Files
import Model
import S3
import Spool

/// One object on its way in parts: a new upload, or one that an earlier attempt began.
///
/// ```
/// create --> keep --> part: digest, send, keep --> compare the CRC-32s of all --> complete
///               `-------- several side by side --------'
/// ```
///
/// What the store has is kept in the record, durably. So an attempt ends with its first failure, as soon as what is on
/// its way has come to an end, and the next one sends only what is missing. Parts are read twice, first for their digests,
/// off the loop and ahead of their turn; only chunks of them are ever in memory. The object is not hashed before: the
/// CRC-32s of all parts together have to be that of the envelope, or it is never completed.
///
/// Between its steps nothing may be under way but parts, so an upload that is given up has nothing left to come.
final class PartedUpload {
    /// What it is done with.
    struct Means {
        var client: S3Client
        var corrections: Corrections
        /// Reads what is to be sent.
        var reading: DispatchQueue
        /// Computes the digests of parts, which takes a while.
        var digests: DispatchQueue
        /// Parts side by side, once something has gone well.
        var width: Int
        /// Keeps the record durably; calls back on the loop, whether that went well or not.
        var keep: (UploadRecord, _ done: @escaping @MainActor () -> Void) -> Void
        /// The record is of no use any more.
        var forget: () -> Void
        /// Has the store forget an upload.
        var abort: (UploadRecord) -> Void
        /// Whether it may go on: nobody has paused, stopped or changed anything.
        var mayGoOn: () -> Bool
        var instant: () -> Instant
        /// A request went well that left at that moment.
        var wentWell: (Instant) -> Void
        /// So many bytes were read to be sent.
        var sent: (Int) -> Void
        /// Whether somebody has to look what lies under the key, since the store knows no conditions.
        var mustLook: () -> Bool
    }

    private let opened: OpenedObject
    private let object: ObjectUpload
    private let plan: MultipartLimits.Parts
    private let means: Means
    private let done: (Disposition) -> Void
    private var client: S3Client { means.client }

    /// nil: no upload is under way.
    private(set) var record: UploadRecord?
    /// Whether the answer to a completion was lost, so that the object may be there.
    private(set) var isUncertain = false
    private var parts: MultipartLimits.Parts
    /// The first part that was not yet looked at.
    private var upcoming = 1
    private var ready: [(number: Int, digest: PartDigest)] = []
    private var isHashing = false
    private var sending: [Int: ObjectBody] = [:]
    /// Records on their way to the disk.
    private var keeping = 0
    /// Between `goOn` and its end, but for the completion.
    private var isSending = false
    private var hasHeard = false
    private var failure: Disposition?
    private var beginnings = 0

    /// An upload that the store does not keep is begun anew so many times in one attempt.
    private static let mostBeginnings = 4
    private static let mostReady = 2

    /// - Parameters:
    ///   - plan: how the object is cut, if it is begun anew.
    ///   - record: what an earlier attempt left.
    ///   - done: is called at the end of `goOn`, and of `startOver`: with `existing` and `startOver` the object is to be
    ///     compared with what is in the bucket.
    init(
        _ opened: OpenedObject, _ object: ObjectUpload, plan: MultipartLimits.Parts,
        record: UploadRecord?, by means: Means, done: @escaping (Disposition) -> Void
    ) {
        (self.opened, self.object, self.plan, self.means) = (opened, object, plan, means)
        self.record = record
        self.done = done
        parts = plan
    }

    /// Bytes of the object that are in the store or on their way.
    var sent: UInt64 {
        var sent: UInt64 = 0
        if let record {
            for number in record.parts.keys { sent += UInt64(parts.range(number).count) }
        }
        return sending.values.reduce(sent) { $0 + UInt64($1.reached) }
    }

    /// Goes on from what the store has, or begins.
    func goOn() {
        if let record, !belongs(record) { giveUp() }
        guard let record else { return create() }
        parts.partSize = record.partSize
        (failure, upcoming, isSending) = (nil, 1, true)
        advance()
    }

    /// Whether a record is of an upload to where the object goes today.
    private func belongs(_ record: UploadRecord) -> Bool {
        let count = MultipartLimits.Parts(size: plan.size, partSize: record.partSize).count
        return record.bucket == client.settings.bucket
            && record.endpoint == client.settings.endpoint ?? "" && record.key == object.key
            && count <= Int(MultipartLimits.mostParts)
            && record.parts.keys.allSatisfy { $0 <= count }
    }

    /// Begins anew, since the store has not kept the parts; a few times, then the batch is held.
    func startOver(because cause: Cause) {
        if cause.code == "NoSuchUpload" { forget() } else { giveUp() }
        guard beginnings < Self.mostBeginnings else {
            return done(Disposition.startOver(cause).afterCorrection)
        }
        goOn()
    }

    /// Gives the upload up, where there is one; the store is asked to forget it.
    func giveUp() {
        guard let record else { return }
        forget()
        means.abort(record)
    }

    private func forget() {
        guard record != nil else { return }
        record = nil
        means.forget()
    }

    private func end(_ disposition: Disposition) {
        isSending = false
        done(disposition)
    }

    // MARK: Beginning

    private func create() {
        guard means.mayGoOn() else { return end(.aborted) }
        let (mark, began) = (means.corrections.mark, means.instant())
        client.createMultipartUpload(object) { [self] reply in
            guard case .answered = reply.disposition, let id = reply.answer?.uploadID else {
                if let disposition = means.corrections.follow(reply.disposition, sent: mark) {
                    return end(disposition)
                }
                return create()
            }
            heard(began)
            beginnings += 1
            (parts, failure, upcoming, isSending) = (plan, nil, 1, true)
            record = UploadRecord(
                bucket: client.settings.bucket, endpoint: client.settings.endpoint ?? "",
                key: object.key, uploadID: id, partSize: plan.partSize,
                hasChecksums: reply.attempt.features.contains(.checksum))
            // Durable before anything is sent, so that no parts are left that nobody knows of.
            keep()
        }
    }

    private func keep() {
        guard let record else { return }
        keeping += 1
        means.keep(record) { [self] in
            keeping -= 1
            advance()
        }
    }

    private func heard(_ began: Instant) {
        hasHeard = true
        means.corrections.wentWell()
        means.wentWell(began)
    }

    // MARK: Parts

    /// Does whatever can be done now.
    private func advance() {
        guard let record, isSending else { return }
        if failure == nil, !means.mayGoOn() { failure = .aborted }
        if let failure {
            // The next attempt reads what was kept.
            guard sending.isEmpty, !isHashing, keeping == 0 else { return }
            ready = []
            return end(failure)
        }
        // The very first record.
        if record.parts.isEmpty, keeping > 0 { return }
        while sending.count < (hasHeard ? means.width : 1), !ready.isEmpty {
            let (number, digest) = ready.removeFirst()
            send(number, digest)
        }
        while upcoming <= parts.count, record.parts[upcoming] != nil { upcoming += 1 }
        if upcoming <= parts.count {
            if !isHashing, ready.count < Self.mostReady { hash() }
        } else if sending.isEmpty, !isHashing, ready.isEmpty, keeping == 0 {
            complete()
        }
    }

    /// Whether the bytes of parts are signed: their checksums are, and that is enough where nobody can change both.
    private var signsParts: Bool { record?.hasChecksums != true || !client.isPrivate }

    private func hash() {
        isHashing = true
        let (number, file, isSigned) = (upcoming, opened.file, signsParts)
        let range = parts.range(number)
        upcoming += 1
        means.digests.async {
            let result = PartDigest.of(range, file, isSigned: isSigned)
            onLoop { [self] in
                isHashing = false
                switch result {
                case .success(let digest): ready.append((number, digest))
                case .failure(let failure): fail(Disposition(failure))
                }
                advance()
            }
        }
    }

    private func send(_ number: Int, _ digest: PartDigest) {
        guard let record else { return }
        let body = ObjectBody(
            opened.file, parts.range(number), on: means.reading, sent: means.sent)
        sending[number] = body
        let (mark, began) = (means.corrections.mark, means.instant())
        let part = PartUpload(number: number, sha256: digest.sha256, crc32: digest.crc32)
        client.uploadPart(part, of: MultipartUpload(record), body: body) { [self] reply in
            sending[number] = nil
            if let failure = body.failure {
                fail(Disposition(failure))
            } else if case .answered = reply.disposition, let tag = reply.answer?.entityTag {
                self.record?.parts[number] = UploadRecord.Part(
                    entityTag: tag, crc32: digest.crc32)
                keep()
                heard(began)
            } else if let disposition = means.corrections.follow(reply.disposition, sent: mark) {
                fail(disposition)
            } else if case .unsupported(_, let cause) = reply.disposition {
                // All parts are sent as the upload was begun.
                fail(.startOver(cause))
            } else {
                ready.insert((number, digest), at: 0)
            }
            advance()
        }
    }

    private func fail(_ disposition: Disposition) {
        failure = failure ?? disposition
    }

    // MARK: Completing

    private func complete() {
        guard let record else { return }
        isSending = false
        guard checksum(of: record) == opened.envelope.crc32 else {
            giveUp()
            let text = "\(opened.envelope.objectPath) has another CRC-32 than it had"
            return end(.batchHeld(.damaged(text)))
        }
        let mark = means.corrections.mark
        let completed = record.parts.map { number, part in
            CompletedPart(number: number, entityTag: part.entityTag, crc32: part.crc32)
        }
        client.completeMultipartUpload(MultipartUpload(record), parts: completed) { [self] reply in
            if reply.leavesCompletionUncertain { isUncertain = true }
            switch reply.disposition {
            case .delivered:
                forget()
                end(.delivered)
            case .conflict(let cause):
                // S3 wants the upload to be begun anew, unless it only asks for patience.
                if cause.code != "OperationAborted" { giveUp() }
                end(reply.disposition)
            default:
                if let disposition = means.corrections.follow(reply.disposition, sent: mark) {
                    return end(disposition)
                }
                // It has just said that it would take this over another object.
                if means.mustLook() { return end(.existing) }
                complete()
            }
        }
    }

    /// Of the whole object, as it was sent.
    private func checksum(of record: UploadRecord) -> UInt32 {
        var whole = CRC32()
        for number in 1...parts.count {
            guard let part = record.parts[number] else { continue }
            whole.append(CRC32(value: part.crc32), length: parts.range(number).count)
        }
        return whole.value
    }
}

extension S3Reply {
    /// Whether the parts may have become an object although nobody said so: the head of such an answer is sent before the
    /// store knows.
    fileprivate var leavesCompletionUncertain: Bool {
        guard disposition != .delivered, let answer else { return false }
        return answer.leavesUncertain || (200..<300).contains(answer.status ?? 0)
    }
}

extension MultipartUpload {
    init(_ record: UploadRecord) {
        self.init(key: record.key, id: record.uploadID, hasChecksums: record.hasChecksums)
    }
}
