import Credentials
import Curl
import Deflate
import Delivery
import Digest
import Model
import S3

/// The permissions, one after the other: a failure of one keeps none of the others from being tried.
extension ConnectorTrial {
    /// Corrections of region and clock that one step may take.
    private static let mostCorrections = 3

    /// Sends a request, again where S3 corrects region or clock, and tells what came of it.
    ///
    /// - Parameters:
    ///   - judge: says what came of it where that is not the general verdict.
    ///   - next: is told whether it went well.
    private func attempt(
        _ operation: Operation, action: String, corrections: Int = 0,
        send: @escaping (@escaping (S3Reply) -> Void) -> Void,
        judge: @escaping (S3Reply) -> TrialStep?, next: @escaping (Bool) -> Void
    ) {
        send { [self] reply in
            if corrections < Self.mostCorrections, client.correct(by: reply.disposition) {
                return attempt(
                    operation, action: action, corrections: corrections + 1, send: send,
                    judge: judge, next: next)
            }
            let outcome =
                judge(reply)
                ?? verdict.failure(reply.disposition.afterCorrection, operation, action: action)
            tell(outcome)
            // Of keys that S3 rejects nothing else can come.
            if case .credentials(.connector, _) = reply.disposition {
                let index = steps.firstIndex(of: outcome.name) ?? steps.endIndex
                return skip(from: index + 1, Self.rejected)
            }
            next(outcome.result == .ok)
        }
    }

    func askForLocation() {
        attempt(
            .getBucketLocation, action: "s3:GetBucketLocation",
            send: { [client] in client.getBucketLocation(completion: $0) },
            judge: { [self] reply in
                guard case .answered = reply.disposition else { return nil }
                return locationStep(reply.location)
            },
            next: { [self] _ in list() })
    }

    private func locationStep(_ location: String?) -> TrialStep {
        var text = location ?? "the store names no region"
        if let location, let region = connector.region, region != location {
            text += ", and region says \(region); write region = \"\(location)\""
        }
        return TrialStep(name: "GetBucketLocation", result: .ok, text: text)
    }

    private func list() {
        let prefix = connector.folder.isEmpty ? "" : connector.folder + "/"
        attempt(
            .listBucket, action: "s3:ListBucket",
            send: { [client] in client.listBucket(prefix: prefix, completion: $0) },
            judge: { [connector] reply in
                guard case .answered = reply.disposition else { return nil }
                return TrialStep(
                    name: "ListBucket", result: .ok, text: "s3://\(connector.bucket)/\(prefix)")
            },
            next: { [self] isAllowed in
                mayList = isAllowed
                put()
            })
    }

    /// As the connector writes; where that is denied, each part of it by itself.
    private func put() {
        put(with: client) { [self] reply in
            guard case .credentials(.eventType, _) = reply.disposition, !extras.isEmpty else {
                guard wrote(reply) else { return get() }
                for extra in extras { step(extra.name, .ok, "used for this object") }
                return get()
            }
            var bare = connector
            (bare.acl, bare.tags) = (nil, [])
            put(with: makeClient(bare)) { [self] reply in
                wrote(reply)
                put(extras[...])
            }
        }
    }

    private func put(_ extras: ArraySlice<PutExtra>) {
        guard let extra = extras.first else { return get() }
        put(with: makeClient(extra.alone(connector))) { [self] reply in
            if case .delivered = reply.disposition {
                step(extra.name, .ok, "used for this object")
            } else {
                var failure = verdict.failure(reply.disposition, .putObject, action: extra.action)
                failure.name = extra.name
                tell(failure)
            }
            put(extras.dropFirst())
        }
    }

    /// Tells what came of writing the object; true where it is there.
    @discardableResult
    private func wrote(_ reply: S3Reply) -> Bool {
        if case .delivered = reply.disposition {
            isWritten = true
            step("PutObject", .ok, "s3://\(connector.bucket)/\(key)")
        } else {
            tell(verdict.failure(reply.disposition, .putObject, action: "s3:PutObject"))
        }
        return isWritten
    }

    private func put(
        with client: S3Client, corrections: Int = 0, completion: @escaping (S3Reply) -> Void
    ) {
        let upload = body.withUnsafeBytes { bytes in
            ObjectUpload(
                key: key, digest: ContentDigest(whole: SHA256.digest(of: bytes)),
                crc32: CRC32(of: bytes).value,
                contentType: "text/plain")
        }
        client.putObject(upload, body: BytesBody(body)) { [self] reply in
            if corrections < Self.mostCorrections, client.correct(by: reply.disposition) {
                return put(with: client, corrections: corrections + 1, completion: completion)
            }
            completion(reply)
        }
    }

    private func get() {
        let received = Received()
        attempt(
            .getObject, action: "s3:GetObject",
            send: { [client, key] completion in
                received.bytes = []
                client.getObject(key, sink: { received.take($0) }, completion: completion)
            },
            judge: { [self] reply in readStep(reply.disposition, received.bytes) },
            next: { [self] _ in mayDelete ? remove() : end() })
    }

    private func remove() {
        attempt(
            .deleteObject, action: "s3:DeleteObject",
            send: { [client, key] in client.deleteObject(key, completion: $0) },
            judge: { [self] reply in
                guard case .answered = reply.disposition else { return nil }
                let text = isWritten ? "the object is gone again" : "there was no object to delete"
                return TrialStep(name: "DeleteObject", result: .ok, text: text)
            },
            next: { [self] _ in end() })
    }

    private func readStep(_ disposition: Disposition, _ bytes: [UInt8]) -> TrialStep? {
        let name = "GetObject"
        switch disposition {
        case .answered where !isWritten:
            return TrialStep(name: name, result: .ok, text: "an older object was read")
        case .answered where bytes == body:
            return TrialStep(name: name, result: .ok, text: "the same bytes came back")
        case .answered:
            return TrialStep(
                name: name, result: .failed,
                text: "other bytes came back than were written; does somebody else test at this "
                    + "moment, or does something between this machine and S3 keep copies?")
        case .missing where !isWritten:
            return TrialStep(
                name: name, result: .skipped, text: "\(key) is not there, so it cannot be read")
        // Only who may list a bucket is told that an object is not there.
        case .advice where !isWritten && !mayList:
            return TrialStep(
                name: name, result: .skipped, text: "nothing could be written that could be read")
        default:
            return nil
        }
    }

    /// The beginning of an object's bytes.
    private final class Received {
        var bytes: [UInt8] = []

        func take(_ piece: UnsafeRawBufferPointer) {
            // More than any trial writes; an object of somebody else's may be of any size.
            if bytes.count < 64 << 10 { bytes += piece }
        }
    }
}
