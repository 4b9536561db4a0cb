/// What S3 is asked for. The raw value is the permission that it needs.
public enum Operation: String, Sendable, CaseIterable {
    case putObject = "s3:PutObject"
    case headObject = "s3:GetObject (HEAD)"
    case getObject = "s3:GetObject"
    case getBucketLocation = "s3:GetBucketLocation"
    case listBucket = "s3:ListBucket"
    case createMultipartUpload = "s3:PutObject (CreateMultipartUpload)"
    case uploadPart = "s3:PutObject (UploadPart)"
    case completeMultipartUpload = "s3:PutObject (CompleteMultipartUpload)"
    case abortMultipartUpload = "s3:AbortMultipartUpload"
    case deleteObject = "s3:DeleteObject"

    /// Whether it is a step on the way of an object into the bucket, which PutObject has to be allowed for.
    public var delivers: Bool {
        switch self {
        case .putObject, .createMultipartUpload, .uploadPart, .completeMultipartUpload: true
        case .headObject, .getObject, .getBucketLocation, .listBucket, .abortMultipartUpload,
            .deleteObject:
            false
        }
    }

    /// Whether it makes an object under a key, if it succeeds.
    var stores: Bool { self == .putObject || self == .completeMultipartUpload }
}

/// What makes an upload safer, and what some S3-compatible stores do not know.
public enum OptionalFeature: Sendable, CaseIterable {
    /// `If-None-Match: *`.
    case conditionalWrites
    /// `x-amz-checksum-crc32`.
    case checksum
    /// `If-Match` with DeleteObject.
    case conditionalDeletes
}

/// What was asked, as far as the meaning of the answer depends on it.
public struct Attempt: Sendable, Equatable {
    public var operation: Operation
    /// The region the request was signed for.
    public var region: String?
    /// The optional features the request made use of.
    public var features: Set<OptionalFeature>

    public init(_ operation: Operation, region: String? = nil, features: Set<OptionalFeature> = [])
    {
        self.operation = operation
        self.region = region
        self.features = features
    }
}
