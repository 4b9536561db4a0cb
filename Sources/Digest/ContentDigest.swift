/// What the bytes of an object are known by: their SHA-256, or of a large file the SHA-256 of the SHA-256s of its pieces,
/// which several cores compute at once.
///
/// As text the digest in hexadecimal digits; of pieces with "-" and their number behind, as S3 writes checksums of parts.
public struct ContentDigest: Hashable, Sendable {
    public enum Form: Sendable {
        case whole, pieces
    }

    /// Bytes of a piece; the last may have fewer.
    public static let pieceBytes: UInt64 = 8 << 20
    /// Bytes up to which a file is known as a whole.
    public static let wholeUpTo: UInt64 = 100 << 20

    public var sha256: SHA256Digest
    /// nil: of all bytes at once.
    public var pieces: Int?

    public init(whole sha256: SHA256Digest) {
        self.sha256 = sha256
    }

    /// - Parameter digests: of all pieces, in order.
    public init(ofPieces digests: [SHA256Digest]) {
        var computation = SHA256()
        for digest in digests { digest.withUnsafeBytes { computation.update($0) } }
        sha256 = computation.finish()
        pieces = digests.count
    }

    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard let sha256 = parts.first.flatMap({ SHA256Digest(hex: $0) }) else { return nil }
        self.sha256 = sha256
        guard parts.count == 2 else { return }
        guard let pieces = Int(parts[1]), pieces > 0, parts[1] == String(pieces) else { return nil }
        self.pieces = pieces
    }

    public var form: Form { pieces == nil ? .whole : .pieces }

    /// How a file that goes as it is is known.
    public static func form(ofFile size: UInt64) -> Form {
        size > wholeUpTo ? .pieces : .whole
    }
}

extension ContentDigest: CustomStringConvertible {
    public var description: String {
        pieces.map { "\(sha256.hex)-\($0)" } ?? sha256.hex
    }
}

/// Computes a `ContentDigest` of bytes that come one after another.
public struct ContentDigestComputation: ~Copyable {
    private let form: ContentDigest.Form?
    private var whole = SHA256()
    private var piece = SHA256()
    private var digests: [SHA256Digest] = []
    private var total: UInt64 = 0

    /// - Parameter form: nil: that of a file of as many bytes as will have come.
    public init(_ form: ContentDigest.Form?) {
        self.form = form
    }

    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        if form == .whole || form == nil && total <= ContentDigest.wholeUpTo { whole.update(bytes) }
        if form == .whole {
            total += UInt64(bytes.count)
        } else {
            addPieces(bytes)
        }
    }

    private mutating func addPieces(_ bytes: UnsafeRawBufferPointer) {
        var rest = bytes
        while !rest.isEmpty {
            let room = ContentDigest.pieceBytes - total % ContentDigest.pieceBytes
            let next = UnsafeRawBufferPointer(
                rebasing: rest.prefix(Int(min(room, UInt64(rest.count)))))
            piece.update(next)
            total += UInt64(next.count)
            if UInt64(next.count) == room { digests.append(piece.finish()) }
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(next.count))
        }
    }

    public consuming func finish() -> ContentDigest {
        switch form ?? ContentDigest.form(ofFile: total) {
        case .whole:
            return ContentDigest(whole: whole.finish())
        case .pieces:
            if total % ContentDigest.pieceBytes > 0 { digests.append(piece.finish()) }
            return ContentDigest(ofPieces: digests)
        }
    }
}
