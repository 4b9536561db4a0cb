/// What one file in `connectors.d/` says.
public struct ConnectorSettings: Sendable, Equatable {
    public enum Kind: String, Sendable, Equatable, CaseIterable {
        case currents
        case dataExport = "data-export"
    }

    /// What becomes of events that their window gave up.
    public enum Expiry: String, Sendable, Equatable, CaseIterable { case drop, archive }

    /// What becomes of an export whose key another object has.
    public enum OnConflict: String, Sendable, Equatable, CaseIterable {
        case refuse, rename, overwrite
    }

    public enum Addressing: String, Sendable, Equatable, CaseIterable { case virtual, path }
    public enum Checksum: String, Sendable, Equatable, CaseIterable {
        case whenSupported = "when_supported"
        case whenRequired = "when_required"
    }

    public var name: ConnectorName
    public var kind = Kind.currents
    public var bucket: String
    /// "": the bucket's root, where exports go unless it is set.
    public var folder = "currents"
    public var integrationID: String
    public var events: [EventPattern] = [.all]
    public var defaultEventType: String?
    /// nil: asked from S3 (GetBucketLocation).
    public var region: String?
    /// nil: AWS. Otherwise `http(s)://host[:port]`, no path, no slash at the end.
    public var endpoint: String?
    /// AWS only: the endpoints of S3 and STS that answer over IPv6 too.
    public var usesDualStack = false
    /// AWS only: the endpoints of S3 and STS whose cryptography is validated (FIPS 140).
    public var usesFIPS = false
    /// nil: virtual for AWS where the bucket's name allows it, path for an own endpoint.
    public var addressing: Addressing?
    public var format = ObjectFormat.avro(.deflate)
    /// nil: the standard of the format's compression.
    public var compressionLevel: Int?
    public var transforms = Transforms()
    public var encryption: ServerSideEncryption?
    public var storageClass: String?
    public var acl: String?
    /// In ascending order of keys.
    public var tags: [Tag] = []
    /// nil: HTTPS_PROXY and NO_PROXY of the environment.
    public var proxy: String?
    public var conditionalWrites = true
    public var checksum = Checksum.whenSupported
    public var multipart = MultipartLimits()
    public var caFile: String?
    public var credentials = CredentialSettings()
    public var batch = BatchLimits()
    /// The window: for how long of an episode an event may wait.
    public var expireAfter = Duration.seconds(48 * 3600)
    public var onExpiry = Expiry.drop
    /// nil: no limit of its own.
    public var maxHeld: ByteCount?
    /// Of exports, as are those that follow.
    public var keyTemplate = KeyTemplate.standard
    public var onConflict = OnConflict.refuse
    /// How long after its upload an object is deleted; nil: it stays.
    public var removeAfter: Duration?

    /// Whether an object is stored only where its key is free.
    public var storesConditionally: Bool { conditionalWrites && onConflict != .overwrite }

    /// How the bucket is addressed where `addressing` leaves it open.
    ///
    /// A bucket with dots gets path addressing: no certificate for one label matches it.
    public var addressingInUse: Addressing {
        addressing
            ?? (endpoint != nil || bucket.utf8.contains(UInt8(ascii: ".")) ? .path : .virtual)
    }

    public init(name: ConnectorName, bucket: String, integrationID: String) {
        self.name = name
        self.bucket = bucket
        self.integrationID = integrationID
    }
}

/// The body of an object, and what it is compressed with.
public enum ObjectFormat: Sendable, Hashable {
    /// Avro object container files; each event type needs a schema.
    case avro(AvroCompression)
    /// The events' own bytes, a line each.
    case jsonl(JSONLinesCompression)

    public enum AvroCompression: String, Sendable, Hashable, CaseIterable {
        case deflate, zstandard, none
    }
    public enum JSONLinesCompression: String, Sendable, Hashable, CaseIterable {
        case gzip, zstd, none
    }

    public var isAvro: Bool {
        if case .avro = self { true } else { false }
    }

    /// What object keys end with.
    public var suffix: String {
        switch self {
        case .avro: ".avro"
        case .jsonl(.gzip): ".jsonl.gz"
        case .jsonl(.zstd): ".jsonl.zst"
        case .jsonl(.none): ".jsonl"
        }
    }

    public var contentType: String {
        switch self {
        case .avro: "application/avro"
        case .jsonl(.gzip): "application/gzip"
        case .jsonl(.zstd): "application/zstd"
        case .jsonl(.none): "application/x-ndjson"
        }
    }

    /// How hard its compression may try, from the least, and how hard it does unless told; nil: it has no levels.
    ///
    /// The standards are chosen by the table in docs/performance.md.
    public var levels: (range: ClosedRange<Int>, standard: Int)? {
        switch self {
        case .avro(.deflate), .jsonl(.gzip): (1...12, 5)
        case .avro(.zstandard), .jsonl(.zstd): (1...19, 1)
        case .avro(.none), .jsonl(.none): nil
        }
    }
}

public enum ServerSideEncryption: Sendable, Equatable {
    case aes256
    case kms(keyID: String?, bucketKey: Bool?)
}

public struct Tag: Sendable, Equatable {
    public var key: String
    public var value: String

    public init(key: String, value: String) {
        self.key = key
        self.value = value
    }
}

/// When a batch is sealed: whichever of these comes first.
public struct BatchLimits: Sendable, Hashable {
    public var maxEvents = 15_000
    public var maxAge = Duration.seconds(300)
    /// Of the encoded object; looked at with each block, so an object may be larger by one block.
    public var maxBytes = ByteCount(64 << 20)

    public init() {}
}
