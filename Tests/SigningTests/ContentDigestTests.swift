import Digest
import Testing

@Suite struct ContentDigestTests {
    // Python: hashlib.sha256 of 100 MiB of zeros; and of the digests of pieces of 8 MiB, of one zero more.
    static let whole = "20492a4d0d84f8beb1767f6616229f85d44c2827b64bdbfb260ee12fa1109e0e"
    static let pieces = "787dd20da2ee0ae36d96271ae5ce67ca08a9ef6ba61f9995d583ee99dab44fa2-13"

    @Test(arguments: [nil, .whole, .pieces] as [ContentDigest.Form?])
    func `A file above 100 MiB is known by its pieces, in whatever portions it comes`(
        form: ContentDigest.Form?
    ) {
        let bytes = [UInt8](repeating: 0, count: 3 << 20)
        for size in [100 << 20, 100 << 20 + 1] {
            var computation = ContentDigestComputation(form)
            var left = size
            while left > 0 {
                let count = min(left, bytes.count)
                bytes.withUnsafeBytes { computation.update(.init(rebasing: $0.prefix(count))) }
                left -= count
            }
            let digest = computation.finish()
            #expect(digest.form == form ?? ContentDigest.form(ofFile: UInt64(size)))
            if size == 100 << 20, digest.form == .whole { #expect("\(digest)" == Self.whole) }
            if size > 100 << 20, digest.form == .pieces { #expect("\(digest)" == Self.pieces) }
        }
    }

    @Test func `What is written is read again, and nothing else`() {
        for text in [Self.whole, Self.pieces] {
            #expect(ContentDigest(text)?.description == text)
        }
        for end in ["-", "-0", "-01", "-x", "-1-2", "0", " "] {
            #expect(ContentDigest(Self.whole + end) == nil, "\(end)")
        }
        #expect(ContentDigest("") == nil)
        #expect(ContentDigest(Self.whole)?.form == .whole)
        #expect(ContentDigest(Self.pieces)?.form == .pieces)
    }
}
