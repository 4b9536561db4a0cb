import Testing

@testable import Avro

struct ContainerHeaderTests {
    private let marker = SyncMarker(digestOf: "abc")

    @Test func `A marker is the beginning of a SHA-256`() {
        // FIPS 180-4: the digest of "abc" is ba7816bf 8f01cfea 414140de 5dae2223 …
        #expect(
            marker.bytes == [
                0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae,
                0x22, 0x23,
            ])
    }

    @Test(arguments: ContainerHeader.Codec.allCases)
    func `A header is magic, schema, codec, the caller's pairs and the marker`(
        codec: ContainerHeader.Codec
    ) {
        let header = ContainerHeader(
            schema: "{}", codec: codec, metadata: [("b", "é"), ("a", "")], marker: marker)
        var expected: [UInt8] = [0x4F, 0x62, 0x6A, 1, 8]
        for text in ["avro.schema", "{}", "avro.codec", codec.rawValue, "b", "é", "a", ""] {
            expected += [UInt8(2 * text.utf8.count)] + text.utf8
        }
        #expect(header.bytes == expected + [0] + marker.bytes)
    }

    @Test func `A block's head is its count and its size`() {
        #expect(ContainerHeader.blockHead(count: 0, size: 0) == [0, 0])
        #expect(ContainerHeader.blockHead(count: 64, size: 8191) == [0x80, 1, 0xFE, 0x7F])
    }

    @Test(
        arguments: [
            // The specification's own examples, and the ends of what there is.
            (0, [0x00]), (-1, [0x01]), (1, [0x02]), (-2, [0x03]), (2, [0x04]), (-64, [0x7f]),
            (64, [0x80, 0x01]), (Int64(Int32.max), [0xfe, 0xff, 0xff, 0xff, 0x0f]),
            (Int64(Int32.min), [0xff, 0xff, 0xff, 0xff, 0x0f]),
            (.max, [0xfe] + Array(repeating: 0xff, count: 8) + [0x01]),
            (.min, Array(repeating: 0xff, count: 9) + [0x01]),
        ] as [(Int64, [UInt8])])
    func `A long takes as many bytes as it needs`(number: Int64, bytes: [UInt8]) {
        var written: [UInt8] = []
        VariableLong.append(number, to: &written)
        #expect(written == bytes)
        #expect(VariableLong.read(bytes + [9]) == .number(number, length: bytes.count))
        for length in bytes.indices {
            #expect(VariableLong.read(bytes.prefix(length)) == .incomplete)
        }
    }

    @Test(arguments: [2, 0x7F, 0x80, 0xFF] as [UInt8])
    func `A long of more than 64 bits is impossible`(last: UInt8) {
        #expect(VariableLong.read(Array(repeating: 0xFF, count: 9) + [last]) == .impossible)
    }
}
