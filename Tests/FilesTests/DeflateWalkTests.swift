import Support
import Testing

@testable import Deflate

/// Where the last block of a deflate stream is.
@Suite struct DeflateWalkTests {
    /// A copy with the padding that the walk reads.
    private static func lastBlock(of stream: [UInt8]) -> DeflateWalk.LastBlock? {
        var walk = DeflateWalk()
        let padded = stream + [UInt8](repeating: 0xAA, count: DeflateWalk.padding)
        return padded.withUnsafeBytes { walk.lastBlock(of: .init(rebasing: $0[..<stream.count])) }
    }

    @Test(
        arguments: [
            ([0x03, 0x00], 0, 10),
            // A stored block of one byte, alone and after an empty one with a fixed code.
            ([0x01, 0x01, 0x00, 0xFE, 0xFF, 0x61], 0, 48),
            ([0x02, 0x04, 0x01, 0x00, 0xFE, 0xFF, 0x61], 10, 56),
        ] as [([UInt8], Int, Int)])
    func `The blocks of a stream made by hand are found`(stream: [UInt8], start: Int, end: Int) {
        #expect(Self.lastBlock(of: stream) == DeflateWalk.LastBlock(start: start, end: end))
    }

    @Test(arguments: [1, UInt64.random(in: 0..<1 << 32)])
    func `Texts of every kind, joined at every level, are read back`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for level in [1, 2, 4, 6, 9, 12] {
            let blocks = Self.texts(&random)
            var deflater = BlockDeflater(level: level)
            var stream: [UInt8] = GzipMember.header
            var checksum = CRC32()
            for (index, block) in blocks.enumerated() {
                block.withUnsafeBytes { bytes in
                    let isLast = index == blocks.count - 1
                    stream += deflater.deflate(bytes, ending: isLast ? .complete : .joined)
                    checksum.update(bytes)
                }
            }
            let text = Array(blocks.joined())
            stream += GzipMember.trailer(checksum: checksum, size: UInt64(text.count))
            #expect(try gunzip(stream) == text, "seed \(seed), level \(level)")
        }
    }

    /// Many symbols and few, long matches and none, codes of all lengths, and sizes from one byte to several blocks.
    private static func texts(_ random: inout SeededGenerator) -> [[UInt8]] {
        var texts: [[UInt8]] = [[7], GzipMemberTests.noise(5000, &random)]
        for _ in 0..<6 {
            let count = Int.random(in: 1...12_000, using: &random)
            let skew = Double.random(in: 0.2...8, using: &random)
            var text: [UInt8] = []
            while text.count < count {
                if text.count > 300, Int.random(in: 0..<20, using: &random) == 0 {
                    let from = Int.random(in: 0..<text.count - 258, using: &random)
                    text += text[from..<from + Int.random(in: 3...258, using: &random)]
                } else {
                    let part = Double.random(in: 0..<1, using: &random)
                    var power = part
                    for _ in 0..<Int(skew) { power *= part }
                    text.append(UInt8(power * 256))
                }
            }
            texts.append(text)
        }
        return texts
    }

    @Test func `What is no stream, or ends early or late, is told`() {
        var random = SeededGenerator(seed: 3)
        var deflater = BlockDeflater(level: 6)
        let stream = Self.texts(&random)[2].prefix(3000).withUnsafeBytes {
            deflater.deflate($0, ending: .complete)
        }
        #expect(Self.lastBlock(of: stream) != nil)
        #expect(Self.lastBlock(of: stream + [0]) == nil)
        #expect(Self.lastBlock(of: []) == nil)
        for count in stride(from: 0, to: stream.count, by: 7) {
            #expect(Self.lastBlock(of: Array(stream[..<count])) == nil)
        }
        // Whatever else it is, it is found within the bytes or not at all.
        for _ in 0..<500 {
            let noise = GzipMemberTests.noise(Int.random(in: 0...200, using: &random), &random)
            if let found = Self.lastBlock(of: noise) {
                #expect(found.start < found.end && (found.end + 7) / 8 == noise.count)
            }
        }
    }
}
