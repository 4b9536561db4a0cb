/// When an object goes in parts, and how large they are.
public struct MultipartLimits: Sendable, Hashable {
    /// Larger objects go in parts.
    public var above = ByteCount(100 << 20)
    /// Of all parts but the last; of very large objects they are larger.
    public var partSize = ByteCount(16 << 20)

    /// S3 takes no smaller parts, but for the last one of an object.
    public static let smallestPart = ByteCount(5 << 20)
    public static let largestPart = ByteCount(5 << 30)
    /// S3 takes nothing larger with one request.
    public static let largestPut = ByteCount(5_000_000_000)
    /// S3 takes no more parts of an object.
    ///
    /// Source: "Amazon S3 multipart upload limits", Amazon S3 User Guide.
    public static let mostParts: UInt64 = 10_000

    public init() {}

    /// The parts of an object of so many bytes; nil: it goes whole.
    public func parts(of size: UInt64) -> Parts? {
        guard size > above.bytes else { return nil }
        let least = (size + Self.mostParts - 1) / Self.mostParts
        guard least > partSize.bytes else { return Parts(size: size, partSize: partSize.bytes) }
        // Whole MiB, so that it is seen where it comes from.
        return Parts(size: size, partSize: ((least + (1 << 20) - 1) >> 20) << 20)
    }

    /// How an object is cut.
    public struct Parts: Sendable, Hashable {
        public var size: UInt64
        /// Of all parts but the last.
        public var partSize: UInt64

        /// - Parameter partSize: more than 0.
        public init(size: UInt64, partSize: UInt64) {
            self.size = size
            self.partSize = partSize
        }

        public var count: Int { Int((size + partSize - 1) / partSize) }

        /// The bytes of a part; they are numbered from 1 on.
        public func range(_ number: Int) -> Range<UInt64> {
            let start = UInt64(number - 1) * partSize
            return start..<min(size, start + partSize)
        }
    }
}
