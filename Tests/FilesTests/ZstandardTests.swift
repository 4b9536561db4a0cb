import Support
import Testing
import Zstandard

/// Blocks that zstd compressed apart are one frame, or a frame each.
@Suite struct ZstandardTests {
    private static func unpacked(
        _ bytes: [UInt8], limit: Int = 1 << 24
    ) -> Result<[UInt8], FrameReader.Failure> {
        var reader = FrameReader()
        return bytes.withUnsafeBytes { bytes in
            Result { () throws(FrameReader.Failure) in
                try reader.decompress(bytes, limit: limit)
            }
        }
    }

    private static func frame(_ block: [UInt8], level: Int = 1) -> [UInt8] {
        var compressor = BlockCompressor(level: level)
        return block.withUnsafeBytes { compressor.frame($0) }
    }

    /// Blocks that a frame would not survive if one could use what another left behind: they begin with runs and with
    /// copies over short and over the same distances.
    private static func blocks(_ random: inout SeededGenerator) -> [[UInt8]] {
        let text = Array(
            (0..<500).map { "{\"id\":\"\($0)\",\"event_type\":\"users.Click\"}\n" }.joined().utf8)
        let repetitive = (0..<12).map { index -> [UInt8] in
            let period = GzipMemberTests.noise([1, 2, 4, 8, 40, 41][index % 6], &random)
            let run = [[UInt8]](repeating: period, count: 40).flatMap { $0 }
            return run + GzipMemberTests.noise(index * 5, &random) + run + text.prefix(90)
        }
        return repetitive + [text, text, [], GzipMemberTests.noise(20_000, &random), [7], text]
    }

    /// One frame of blocks, which are compressed in the given order by several compressors.
    private static func joined(_ blocks: [[UInt8]], packedIn order: [Int], level: Int) -> [UInt8] {
        var even = BlockCompressor(level: level)
        var odd = BlockCompressor(level: level)
        var packed: [Int: [UInt8]] = [:]
        for (turn, index) in order.enumerated() {
            blocks[index].withUnsafeBytes { block in
                packed[index] = turn % 3 == 0 ? even.section(block) : odd.section(block)
                // A frame between sections is of no account to them.
                if turn % 5 == 0 { _ = odd.frame(block) }
            }
        }
        var frame = JoinedFrame.header
        for index in blocks.indices { frame += packed[index] ?? [] }
        return frame + JoinedFrame.trailer
    }

    @Test(arguments: [1, 3, 9, 19], [UInt64.random(in: 0..<1 << 32)])
    func `Sections made in any order are one frame, and the same one`(level: Int, seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var blocks = Self.blocks(&random)
        // Larger than a section can be.
        if level == 1 { blocks.append([UInt8](repeating: 0x61, count: 1_500_000)) }
        blocks.shuffle(using: &random)
        let frame = Self.joined(blocks, packedIn: Array(blocks.indices), level: level)
        var text: [UInt8] = []
        for block in blocks { text += block }
        #expect(Self.unpacked(frame) == .success(text), "seed \(seed)")
        let again = Self.joined(
            blocks, packedIn: blocks.indices.shuffled(using: &random), level: level)
        #expect(again == frame, "seed \(seed)")
    }

    @Test func `A frame says its size, and has a checksum`() {
        let frame = Self.frame(Array(repeating: 7, count: 1000))
        // The descriptor: a size of two bytes, one segment, a checksum (RFC 8878, 3.1.1.1.1).
        #expect(Array(frame.prefix(7)) == FrameReader.magic + [0x64, 0xE8, 0x02])
        var damaged = frame
        damaged[damaged.count - 1] ^= 1
        guard case .failure(.corrupt) = Self.unpacked(damaged) else {
            Issue.record("a wrong checksum is not seen")
            return
        }
    }

    @Test func `Frames one after another are one text`() {
        #expect(
            Self.unpacked(Self.frame([1, 2]) + Self.frame([]) + Self.frame([3]))
                == .success([1, 2, 3]))
    }

    @Test func `Data that ends early is truncated, wherever`() {
        var random = SeededGenerator(seed: 6)
        let block = GzipMemberTests.noise(100, &random) + Array("abcabcabc".utf8)
        let whole = Self.joined([block, block], packedIn: [1, 0], level: 1)
        for length in 1..<whole.count {
            #expect(Self.unpacked(Array(whole.prefix(length))) == .failure(.truncated))
        }
    }

    @Test func `A block that holds more than the limit is refused`() {
        let bomb = Self.frame([UInt8](repeating: 0, count: 50_000_000))
        #expect(bomb.count < 10_000)
        #expect(Self.unpacked(bomb, limit: 1_000_000) == .failure(.tooLong))
        #expect(Self.unpacked(Self.frame([1, 2, 3]), limit: 3) == .success([1, 2, 3]))
        #expect(Self.unpacked(Self.frame([1, 2, 3]), limit: 2) == .failure(.tooLong))
        #expect(Self.unpacked(Self.frame([1]), limit: 0) == .failure(.tooLong))
    }

    @Test func `A frame that asks for more memory than zstd(1) would give is refused`() {
        // A window of 256 MiB.
        let frame = FrameReader.magic + [0x00, 18 << 3] + JoinedFrame.trailer
        #expect(
            Self.unpacked(frame)
                == .failure(.corrupt("Frame requires too much memory for decoding")))
    }

    @Test func `Bytes that are no zstd data are corrupt`() {
        #expect(
            Self.unpacked(Array("no frame".utf8)) == .failure(.corrupt("Unknown frame descriptor")))
    }
}
