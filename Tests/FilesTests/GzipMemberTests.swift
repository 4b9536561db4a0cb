import Deflate
import Support
import Testing

/// Blocks that were compressed apart are one gzip member, whoever reads it.
@Suite struct GzipMemberTests {
    /// Blocks of several kinds, the empty one and the incompressible one among them.
    static func blocks(_ random: inout SeededGenerator) -> [[UInt8]] {
        let text = (0..<3000).map { "{\"id\":\"\($0)\",\"event_type\":\"users.Click\"}\n" }.joined()
        return [
            Array(text.utf8), noise(300_000, &random), [], Array("x".utf8),
            [UInt8](repeating: 0, count: 400_000), noise(1, &random), Array(text.utf8.reversed()),
        ]
    }

    static func noise(_ count: Int, _ random: inout SeededGenerator) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
    }

    /// One member of blocks, which are compressed in the given order by several deflaters.
    static func member(_ blocks: [[UInt8]], packedIn order: [Int]) -> [UInt8] {
        var even = BlockDeflater(level: 6)
        var odd = BlockDeflater(level: 6)
        var packed: [Int: [UInt8]] = [:]
        for (turn, index) in order.enumerated() {
            blocks[index].withUnsafeBytes { block in
                let ending: BlockDeflater.Ending =
                    index == blocks.count - 1 ? .complete : .joined
                packed[index] =
                    turn % 2 == 0
                    ? even.deflate(block, ending: ending) : odd.deflate(block, ending: ending)
            }
        }
        var checksum = CRC32()
        var size: UInt64 = 0
        for block in blocks {
            checksum.append(block.withUnsafeBytes { CRC32(of: $0) }, length: block.count)
            size += UInt64(block.count)
        }
        var body: [UInt8] = blocks.isEmpty ? [3, 0] : []
        for index in blocks.indices { body += packed[index] ?? [] }
        return GzipMember.header + body + GzipMember.trailer(checksum: checksum, size: size)
    }

    @Test(
        .enabled(
            if: ProcessRun([ProcessRun.python, "-c", "import zlib"], quietly: true)?.status == 0,
            "python3 is missing: set SLUICE_PYTHON to a Python"),
        arguments: [1, UInt64.random(in: 0..<1 << 32)])
    func `Python reads the blocks as one member that ends where the file ends`(seed: UInt64) throws
    {
        var random = SeededGenerator(seed: seed)
        let blocks = Self.blocks(&random)
        let member = Self.member(blocks, packedIn: blocks.indices.shuffled(using: &random))
        let directory = TemporaryTree()
        directory.write("member.gz", member)
        let tests = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
        let run = try #require(
            ProcessRun([
                ProcessRun.python, "/\(tests)/Oracles/gzip_member.py", directory.at("member.gz"),
            ]))
        #expect(run.status == 0)
        let said = run.output.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        #expect(said.first.map(Array.init) == Array("0".utf8))
        #expect(said.dropFirst().first.map(Array.init) == hexadecimal(Array(blocks.joined())))
    }

    @Test func `The order of packing does not change the bytes`() {
        var random = SeededGenerator(seed: 2)
        let blocks = Self.blocks(&random)
        let member = Self.member(blocks, packedIn: Array(blocks.indices))
        for _ in 0..<3 {
            #expect(
                Self.member(blocks, packedIn: blocks.indices.shuffled(using: &random)) == member)
        }
    }

    @Test func `A member of an empty block is an empty text`() throws {
        let member = Self.member([[]], packedIn: [0])
        #expect(member.count == 20)
        #expect(try gunzip(member) == [])
    }

    @Test func `Incompressible blocks grow by less than a thousandth`() {
        var random = SeededGenerator(seed: 3)
        var deflater = BlockDeflater(level: 6)
        for size in [1 << 10, 64 << 10, 256 << 10, 900_000] {
            let noise = Self.noise(size, &random)
            for ending in [BlockDeflater.Ending.joined, .complete] {
                let packed = noise.withUnsafeBytes { deflater.deflate($0, ending: ending) }
                #expect(packed.count > size && packed.count < size + size / 1000 + 32)
            }
        }
    }

    @Test func `The size in a trailer is modulo 2^32`() {
        let trailer = GzipMember.trailer(checksum: CRC32(value: 0x0403_0201), size: 0x7_0807_0605)
        #expect(trailer == [1, 2, 3, 4, 5, 6, 7, 8])
    }

    private func hexadecimal(_ bytes: [UInt8]) -> [UInt8] {
        let digits = Array("0123456789abcdef".utf8)
        return bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    }
}

@Suite struct CRC32Tests {
    @Test(
        arguments: [
            ("", 0), ("123456789", 0xcbf4_3926), ("a", 0xe8b7_be43),
            ("The quick brown fox jumps over the lazy dog", 0x414f_a339),
        ] as [(String, UInt32)])
    func `It is the CRC of gzip`(text: String, value: UInt32) {
        #expect(Array(text.utf8).withUnsafeBytes { CRC32(of: $0).value } == value)
    }

    @Test func `Checksums of parts combine to that of the whole`() {
        var random = SeededGenerator(seed: 4)
        for _ in 0..<50 {
            let bytes = GzipMemberTests.noise(Int.random(in: 0...5000, using: &random), &random)
            var (combined, updated) = (CRC32(), CRC32())
            var at = 0
            while at < bytes.count {
                let end = min(bytes.count, at + Int.random(in: 0...2000, using: &random))
                bytes[at..<end].withUnsafeBytes { part in
                    combined.append(CRC32(of: part), length: part.count)
                    updated.update(part)
                }
                at = end
            }
            let whole = bytes.withUnsafeBytes { CRC32(of: $0) }
            #expect(combined == whole)
            #expect(updated == whole)
        }
    }
}
