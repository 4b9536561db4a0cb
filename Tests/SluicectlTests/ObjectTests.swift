import Model
import Testing

@testable import sluicectl

@Suite("What sluicectl cat is given")
struct ObjectTests {
    @Test(
        "An object is a file, stdin, or lies in S3",
        arguments: [
            ("-", .input), ("a.avro", .file("a.avro")), ("./-", .file("./-")),
            ("s3://b/k", .s3(bucket: "b", key: "k")),
            ("s3://b/a//b=c/", .s3(bucket: "b", key: "a//b=c/")),
            ("s3://b/", nil), ("s3://b", nil), ("s3:///k", nil), ("s3://", nil),
        ] as [(String, ObjectPlace?)])
    func place(text: String, place: ObjectPlace?) {
        #expect(ObjectPlace(text) == place)
    }

    @Test(
        "The connector is the one with the bucket, and the longest folder that has the key",
        arguments: [
            ("b", "currents/a/k", "currents"), ("b", "currents/k", "currents"),
            ("b", "currents-2/k", "root"), ("b", "k", "root"), ("c", "x/k", "other"),
            ("c", "k", nil), ("d", "x/k", nil),
        ] as [(String, String, String?)])
    func connector(bucket: String, key: String, name: String?) {
        let connectors = [("root", "b", ""), ("currents", "b", "currents"), ("other", "c", "x")]
            .map { name, bucket, folder in
                var settings = ConnectorSettings(
                    name: ConnectorName(name)!, bucket: bucket, integrationID: "i")
                settings.folder = folder
                return settings
            }
        let found = ObjectPlace.connector(for: bucket, key: key, among: connectors)
        #expect(found?.name.description == name)
    }

    @Test(
        "The first bytes tell what it is",
        arguments: [
            (Array("Obj\u{1}".utf8), .avro), ([0x1F, 0x8B, 8], .gzip),
            ([0x28, 0xB5, 0x2F, 0xFD, 4], .zstd), (Array("{}".utf8), .lines),
            (Array("\n \t\r\n{".utf8), .lines), ([], .lines), (Array("\n".utf8), .lines),
        ] as [([UInt8], ObjectKind)])
    func kind(bytes: [UInt8], kind: ObjectKind) throws {
        #expect(try ObjectKind(firstBytes: bytes[...]) == kind)
    }

    @Test(
        "What is none of these is refused with a reason",
        arguments: [
            ([0x50, 0x4B, 3, 4, 5], "50 4b 03 04"),
            (Array("Obj\u{2}".utf8), "4f 62 6a 02"), (Array("[1]".utf8), "5b 31 5d"),
        ] as [([UInt8], String)])
    func refused(bytes: [UInt8], reason: String) {
        let refusal = #expect(throws: Refusal.self) { try ObjectKind(firstBytes: bytes[...]) }
        #expect(refusal?.text.contains(reason) == true)
    }
}
