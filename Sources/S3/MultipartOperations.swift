public import Curl
internal import Delivery
public import Digest
internal import Model
internal import Signing

/// An upload in parts: begun, sent part by part in any order, and completed or aborted.
///
/// Source: "Uploading and copying objects using multipart upload", Amazon S3 User Guide.
extension S3Client {
    /// Begins an upload; its ID is in the answer. Whether its parts have checksums, the reply's attempt tells.
    @discardableResult
    public func createMultipartUpload(
        _ object: ObjectUpload, completion: @escaping (S3Reply) -> Void
    ) -> S3Call {
        let features = featuresInUse.subtracting([.conditionalWrites])
        let draft = Draft(
            operation: .createMultipartUpload, method: .post, key: object.key,
            query: [QueryItem("uploads")],
            headers: object.headersOfCreation(settings, features: features), features: features)
        return send(draft, completion: completion)
    }

    /// Sends one part; its ETag is in the answer.
    @discardableResult
    public func uploadPart(
        _ part: PartUpload, of upload: MultipartUpload, body: any UploadBody,
        completion: @escaping (S3Reply) -> Void
    ) -> S3Call {
        let draft = Draft(
            operation: .uploadPart, method: .put, key: upload.key,
            query: [QueryItem("partNumber", String(part.number)), upload.query],
            headers: upload.hasChecksums ? ObjectUpload.checksum(part.crc32) : [],
            features: upload.hasChecksums ? [.checksum] : [],
            payload: part.sha256.map { .sha256($0) } ?? .unsigned, body: body)
        return send(draft, completion: completion)
    }

    /// Makes the object of its parts; where conditional writes are on, only if its key is free.
    @discardableResult
    public func completeMultipartUpload(
        _ upload: MultipartUpload, parts: [CompletedPart],
        completion: @escaping (S3Reply) -> Void
    ) -> S3Call {
        let features = featuresInUse.intersection([.conditionalWrites])
        let document = CompletionDocument(parts, hasChecksums: upload.hasChecksums).bytes
        var headers = [Header("content-type", "application/xml")]
        if features.contains(.conditionalWrites) { headers.append(ObjectUpload.onlyIfNew) }
        let draft = Draft(
            operation: .completeMultipartUpload, method: .post, key: upload.key,
            query: [upload.query], headers: headers, features: features,
            payload: .sha256(document.withUnsafeBytes { SHA256.digest(of: $0) }),
            body: BytesBody(document), patience: Self.patience)
        return send(draft, completion: completion)
    }

    /// Has the store forget an upload and the parts that it has of it.
    @discardableResult
    public func abortMultipartUpload(
        _ upload: MultipartUpload, completion: @escaping (S3Reply) -> Void
    ) -> S3Call {
        let draft = Draft(
            operation: .abortMultipartUpload, method: .delete, key: upload.key,
            query: [upload.query])
        return send(draft, completion: completion)
    }

    /// S3 may take minutes to put an object together, and sends a blank now and then meanwhile.
    private static let patience = Duration.seconds(600)
}

/// An upload that was begun.
public nonisolated struct MultipartUpload: Sendable, Equatable {
    public var key: String
    public var id: String
    /// Whether it was begun with checksums: then all its parts have them, else none.
    public var hasChecksums: Bool

    public init(key: String, id: String, hasChecksums: Bool) {
        self.key = key
        self.id = id
        self.hasChecksums = hasChecksums
    }

    var query: QueryItem { QueryItem("uploadId", id) }
}

/// One part as UploadPart wants it described.
public nonisolated struct PartUpload: Sendable, Equatable {
    /// From 1 on.
    public var number: Int
    /// nil: its bytes are not signed, only its checksum is.
    public var sha256: SHA256Digest?
    /// The CRC-32 of zlib.
    public var crc32: UInt32

    public init(number: Int, sha256: SHA256Digest?, crc32: UInt32) {
        self.number = number
        self.sha256 = sha256
        self.crc32 = crc32
    }
}

/// One part that the store has.
public nonisolated struct CompletedPart: Sendable, Equatable {
    public var number: Int
    /// As the store gave it, quotation marks and all.
    public var entityTag: String
    public var crc32: UInt32

    public init(number: Int, entityTag: String, crc32: UInt32) {
        self.number = number
        self.entityTag = entityTag
        self.crc32 = crc32
    }
}

/// What CompleteMultipartUpload sends: `<CompleteMultipartUpload>` with a `<Part>` for each, in ascending order.
nonisolated struct CompletionDocument {
    let bytes: [UInt8]

    init(_ parts: [CompletedPart], hasChecksums: Bool) {
        var text = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
        for part in parts.sorted(by: { $0.number < $1.number }) {
            text += "<Part><ETag>\(Self.escaped(part.entityTag))</ETag>"
            if hasChecksums {
                text += "<ChecksumCRC32>\(ObjectUpload.base64(part.crc32))</ChecksumCRC32>"
            }
            text += "<PartNumber>\(part.number)</PartNumber></Part>"
        }
        bytes = Array((text + "</CompleteMultipartUpload>").utf8)
    }

    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
