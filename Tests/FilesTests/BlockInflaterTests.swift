import Deflate
import Support
import Testing

/// Blocks that are each a raw deflate stream of their own.
struct BlockInflaterTests {
    private static func packed(_ block: [UInt8]) -> [UInt8] {
        var deflater = BlockDeflater(level: 6)
        return block.withUnsafeBytes { deflater.deflate($0, ending: .complete) }
    }

    /// What one block inflates to, or how it fails.
    private static func unpacked(
        _ block: [UInt8], limit: Int = 1 << 24
    ) -> Result<[UInt8], BlockInflater.Failure> {
        var inflater = BlockInflater()
        return block.withUnsafeBytes { block in
            Result { () throws(BlockInflater.Failure) in
                try inflater.inflate(block, limit: limit)
            }
        }
    }

    @Test func `Complete blocks are read back, one after the other, by one inflater`() throws {
        var random = SeededGenerator(seed: 5)
        var deflater = BlockDeflater(level: 6)
        var inflater = BlockInflater()
        for block in GzipMemberTests.blocks(&random) {
            // What a joined block leaves behind is of no account.
            _ = block.withUnsafeBytes { deflater.deflate($0) }
            let packed = block.withUnsafeBytes { deflater.deflate($0, ending: .complete) }
            let result = packed.withUnsafeBytes { packed in
                Result { () throws(BlockInflater.Failure) in
                    try inflater.inflate(packed, limit: block.count)
                }
            }
            #expect(try result.get() == block)
        }
    }

    @Test func `An empty block is an empty stream`() {
        #expect(Self.packed([]) == [0x03, 0x00])
        #expect(Self.unpacked([0x03, 0x00]) == .success([]))
    }

    @Test func `A block that ends early is truncated, wherever`() {
        var random = SeededGenerator(seed: 6)
        let whole = Self.packed(GzipMemberTests.noise(100, &random) + Array("abcabcabc".utf8))
        for length in whole.indices {
            #expect(Self.unpacked(Array(whole.prefix(length))) == .failure(.truncated))
        }
    }

    @Test func `What follows a block is ignored`() {
        let block = Array("abcabcabcabc".utf8)
        #expect(Self.unpacked(Self.packed(block) + [1, 2, 3]) == .success(block))
    }

    @Test func `A block that holds more than the limit is refused`() {
        let bomb = Self.packed([UInt8](repeating: 0, count: 50_000_000))
        #expect(bomb.count < 100_000)
        #expect(Self.unpacked(bomb, limit: 1_000_000) == .failure(.tooLong))
        #expect(Self.unpacked(Self.packed([1, 2, 3]), limit: 3) == .success([1, 2, 3]))
        #expect(Self.unpacked(Self.packed([1, 2, 3]), limit: 2) == .failure(.tooLong))
        #expect(Self.unpacked(Self.packed([1]), limit: 0) == .failure(.tooLong))
    }

    @Test func `Bytes that are no deflate stream are corrupt`() {
        // Block type 3 does not exist.
        #expect(Self.unpacked([0x07]) == .failure(.corrupt("invalid block type")))
    }
}
