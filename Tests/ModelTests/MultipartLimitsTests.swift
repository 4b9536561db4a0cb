import Testing

@testable import Model

struct MultipartLimitsTests {
    private static let mebibyte: UInt64 = 1 << 20

    @Test func `Only what is larger than the limit goes in parts`() {
        var limits = MultipartLimits()
        #expect(limits.parts(of: 100 * Self.mebibyte) == nil)
        #expect(limits.parts(of: 100 * Self.mebibyte + 1)?.count == 7)
        limits.above = ByteCount(5 * Self.mebibyte)
        // One part is enough for it.
        #expect(limits.parts(of: 5 * Self.mebibyte + 1)?.count == 1)
    }

    private static let sizes: [(size: UInt64, count: Int, last: Int)] = [
        (33_554_432, 2, 16_777_216), (33_554_433, 3, 1), (33_554_431, 2, 16_777_215),
    ]

    @Test(arguments: sizes)
    func `All parts but the last have the same size`(size: UInt64, count: Int, last: Int) {
        let parts = MultipartLimits.Parts(size: size, partSize: 16 << 20)
        #expect(parts.count == count)
        #expect(parts.range(1) == 0..<(16 << 20))
        #expect(parts.range(count).count == last)
        #expect(parts.range(count).upperBound == size)
    }

    @Test func `Parts grow with the object, so that ten thousand are enough for five terabytes`() {
        let limits = MultipartLimits()
        #expect(limits.parts(of: 160_000 * Self.mebibyte)?.partSize == 16 * Self.mebibyte)
        #expect(limits.parts(of: 160_000 * Self.mebibyte)?.count == 10_000)
        #expect(limits.parts(of: 160_000 * Self.mebibyte + 1)?.partSize == 17 * Self.mebibyte)
        let largest: UInt64 = 5 << 40
        let sizes = (0..<1000).map { _ in UInt64.random(in: (101 * Self.mebibyte)...largest) }
        for size in sizes + [largest] {
            guard let parts = limits.parts(of: size) else {
                Issue.record("\(size) bytes go whole")
                continue
            }
            #expect(parts.count <= 10_000, "\(size)")
            #expect(parts.partSize <= MultipartLimits.largestPart.bytes, "\(size)")
            #expect(!parts.range(parts.count).isEmpty, "\(size)")
            #expect(parts.range(parts.count).upperBound == size)
            #expect(parts.range(parts.count - 1).upperBound == parts.range(parts.count).lowerBound)
        }
    }
}
