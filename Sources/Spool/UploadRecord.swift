public import Files
import Model

/// An upload in parts that is under way: what the next attempt has to know to send only what is missing.
///
/// ```
/// sluice upload 1
/// bucket, endpoint, key, upload-id, part-size, checksums       each on a line of its own
/// part: <number> <CRC-32> <ETag>                               for each part that the store has
/// ```
///
/// It lies beside the envelope of its batch. Without it all parts are sent again, so nothing depends on it.
public struct UploadRecord: Sendable, Equatable {
    /// What the store has.
    public struct Part: Sendable, Equatable {
        /// As the store gave it, quotation marks and all.
        public var entityTag: String
        public var crc32: UInt32

        public init(entityTag: String, crc32: UInt32) {
            self.entityTag = entityTag
            self.crc32 = crc32
        }
    }

    public var bucket: String
    /// As the configuration has it; empty: Amazon's.
    public var endpoint: String
    public var key: String
    public var uploadID: String
    /// Of all parts but the last.
    public var partSize: UInt64
    /// Whether it was begun with checksums: then all its parts have them, else none.
    public var hasChecksums: Bool
    /// By number, from 1 on.
    public var parts: [Int: Part] = [:]

    public init(
        bucket: String, endpoint: String, key: String, uploadID: String, partSize: UInt64,
        hasChecksums: Bool
    ) {
        self.bucket = bucket
        self.endpoint = endpoint
        self.key = key
        self.uploadID = uploadID
        self.partSize = partSize
        self.hasChecksums = hasChecksums
    }
}

extension UploadRecord {
    static let kind = "upload"

    var text: CheckedText {
        var text = CheckedText(kind: Self.kind)
        text.add("bucket", bucket)
        text.add("endpoint", endpoint)
        text.add("key", key)
        text.add("upload-id", uploadID)
        text.add("part-size", partSize)
        text.add("checksums", hasChecksums)
        for (number, part) in parts.sorted(by: { $0.key < $1.key }) {
            text.add("part", "\(number) \(part.crc32) \(part.entityTag)")
        }
        return text
    }

    init(_ text: CheckedText) throws(CheckedText.Fault) {
        guard let hasChecksums = Bool(try text.value("checksums")) else {
            throw .damaged("checksums is neither true nor false")
        }
        self.init(
            bucket: try text.value("bucket"), endpoint: try text.value("endpoint"),
            key: try text.value("key"), uploadID: try text.value("upload-id"),
            partSize: try text.number("part-size"), hasChecksums: hasChecksums)
        guard partSize > 0, !uploadID.isEmpty else { throw .damaged("no upload is such") }
        for line in text.lines where line.key == "part" {
            let words = line.value.split(separator: " ", maxSplits: 2)
            guard words.count == 3, let number = Int(words[0]), let crc32 = UInt32(words[1]),
                (1...Int(MultipartLimits.mostParts)).contains(number)
            else { throw .damaged("\"\(line.value)\" is no part") }
            parts[number] = Part(entityTag: String(words[2]), crc32: crc32)
        }
    }

    /// Reads the record of a held batch; nil where there is none.
    public static func read(
        _ batch: BatchID, _ files: any FileSystem
    ) throws(SpoolFailure) -> UploadRecord? {
        let path = SpoolLayout.upload(batch)
        guard let text = try StateFile.read(path, kind: kind, files) else { return nil }
        return try StateFile.value(path) { () throws(CheckedText.Fault) in try UploadRecord(text) }
    }
}
