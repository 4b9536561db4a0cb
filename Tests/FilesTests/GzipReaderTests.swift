import Deflate
import Support
import Testing

/// Reads a whole gzip text, in pieces of the given sizes.
func gunzip(_ bytes: [UInt8], input: Int = .max, output: Int = 1 << 16) throws -> [UInt8] {
    var reader = GzipReader()
    var text: [UInt8] = []
    var room = [UInt8](repeating: 0, count: output)
    var at = 0
    while at < bytes.count {
        let end = input >= bytes.count - at ? bytes.count : at + input
        let done = try bytes[at..<end].withUnsafeBytes { part in
            try room.withUnsafeMutableBytes { try reader.read(part, into: $0) }
        }
        at += done.consumed
        text += room[..<done.produced]
        if done.consumed == 0, done.produced == 0 { break }
    }
    #expect(at == bytes.count, "the reader stopped at byte \(at)")
    try reader.finish()
    return text
}

@Suite struct GzipReaderTests {
    private static let text = Array(
        (0..<2000).map { "{\"id\":\($0),\"name\":\"n\($0 * $0)\"}\n" }.joined().utf8)
    private static let member = GzipMemberTests.member(
        [Array(text[..<30_000]), Array(text[30_000...])], packedIn: [1, 0])

    @Test(arguments: [(Int.max, 1 << 20), (1, 1 << 20), (.max, 1), (1, 1), (7, 13), (1000, 300)])
    func `A text is read in pieces of any size`(input: Int, output: Int) throws {
        #expect(try gunzip(Self.member, input: input, output: output) == Self.text)
    }

    @Test(arguments: [1, 3, Int.max])
    func `Members one after another are one text, and zeros after the last are padding`(input: Int)
        throws
    {
        let empty = GzipMemberTests.member([], packedIn: [])
        let bytes = Self.member + empty + Self.member
        #expect(try gunzip(bytes, input: input) == Self.text + Self.text)
        let padded = bytes + [UInt8](repeating: 0, count: 512)
        #expect(try gunzip(padded, input: input) == Self.text + Self.text)
    }

    @Test(arguments: [1, 5, Int.max])
    func `A header may have a name, a comment and other fields`(input: Int) throws {
        let flags: UInt8 = 0x04 | 0x08 | 0x10
        let header =
            [0x1f, 0x8b, 8, flags, 1, 2, 3, 4, 0, 3, 2, 0, 9, 9] + Array("name\0comment\0".utf8)
        let bytes = header + Self.member.dropFirst(GzipMember.header.count)
        #expect(try gunzip(bytes, input: input) == Self.text)
    }

    @Test func `A text cut anywhere is truncated`() {
        for count in Array(0..<40) + Array(Self.member.count - 40..<Self.member.count) {
            #expect(throws: GzipReader.Failure.truncated, "\(count) bytes") {
                try gunzip(Array(Self.member[..<count]), input: 1000)
            }
        }
        // A second member that was begun is a part of the text.
        #expect(throws: GzipReader.Failure.truncated) { try gunzip(Self.member + [0x1f]) }
    }

    @Test(arguments: [0, 1, 2, 3])
    func `A wrong header is damage`(index: Int) {
        var bytes = Self.member
        bytes[index] ^= 0xe0
        #expect(isCorrupt(bytes))
    }

    @Test(arguments: 1...8)
    func `A wrong checksum or size is damage`(fromEnd: Int) {
        var bytes = Self.member
        bytes[bytes.count - fromEnd] ^= 1
        #expect(isCorrupt(bytes))
    }

    @Test func `Anything but zeros and members after a member is damage`() {
        #expect(isCorrupt(Self.member + Array("trailing".utf8)))
        #expect(isCorrupt(Self.member + [0, 0, 0, 1, 2, 3]))
    }

    @Test(arguments: [1, 7, 1000, Int.max])
    func `What comes before damage is given out, however the input is cut`(input: Int) throws {
        let damaged = Self.member.dropLast(8) + [0xff, 0xff, 0xff, 0xff]
        var reader = GzipReader()
        var room = [UInt8](repeating: 0, count: 1 << 20)
        var text: [UInt8] = []
        var rest = damaged[...]
        #expect(throws: GzipReader.Failure.self) {
            while !rest.isEmpty {
                let done = try rest.prefix(input).withUnsafeBytes { part in
                    try room.withUnsafeMutableBytes { try reader.read(part, into: $0) }
                }
                rest = rest.dropFirst(done.consumed)
                text += room[..<done.produced]
            }
            try reader.finish()
        }
        #expect(text == Self.text)
    }

    @Test func `A flipped bit is noticed, unless it stands where none is read`() {
        var random = SeededGenerator(seed: 5)
        var noticed = 0
        for _ in 0..<300 {
            var bytes = Self.member
            let index = Int.random(in: GzipMember.header.count..<bytes.count, using: &random)
            bytes[index] ^= 1 << UInt8.random(in: 0...7, using: &random)
            do {
                // Bits that fill up a byte before a sync flush mean nothing.
                let text = try gunzip(bytes)
                #expect(text == Self.text, "byte \(index)")
            } catch {
                noticed += 1
            }
        }
        #expect(noticed > 290)
    }

    private func isCorrupt(_ bytes: [UInt8]) -> Bool {
        do {
            _ = try gunzip(bytes)
            return false
        } catch GzipReader.Failure.corrupt {
            return true
        } catch {
            return false
        }
    }
}
