import Credentials
import Curl
import Delivery
import Digest
import Model
import ScriptedStore
import Signing
import Testing

@testable import S3

/// Uploads in parts and removals, as a store sees them.
@Suite(.timeLimit(.minutes(2)))
struct MultipartTests {
    private static let piece = [UInt8](repeating: 0x61, count: 5 << 20)

    @Test("An upload in parts becomes one object with all that the connector asks for")
    func whole() async throws {
        try await withScriptedS3 { server in
            var settings = settings(server)
            settings.storageClass = "STANDARD_IA"
            let client = client(settings, server)
            let begun = await reply { client.createMultipartUpload(object, completion: $0) }
            #expect(begun.disposition == .answered)
            #expect(begun.attempt.features == [.checksum])
            let id = try #require(begun.answer?.uploadID)
            let upload = MultipartUpload(key: object.key, id: id, hasChecksums: true)
            var parts: [CompletedPart] = []
            for (number, body) in [(2, Array("end".utf8)), (1, Self.piece)] {
                let part = part(number, body)
                let sent = await reply {
                    client.uploadPart(part, of: upload, body: BytesBody(body), completion: $0)
                }
                #expect(sent.disposition == .answered)
                let tag = try #require(sent.answer?.entityTag)
                parts.append(CompletedPart(number: number, entityTag: tag, crc32: part.crc32))
            }
            let ended = await reply {
                client.completeMultipartUpload(upload, parts: parts, completion: $0)
            }
            #expect(ended.disposition == .delivered)
            #expect(ended.attempt.features == [.conditionalWrites])
            #expect(ended.answer?.entityTag == "\"2\"")
            let stored = try await server.objects()["b/\(object.key)"]
            #expect(stored?.size == Self.piece.count + 3)
            #expect(stored?.headers["x-amz-meta-sluice-events"] == "1")

            let log = try await server.log()
            let create = try #require(log.requests.first)
            #expect(create.target == "/b/a%20%2B1?uploads")
            #expect(create.header("content-length") == "0")
            #expect(create.header("x-amz-storage-class") == "STANDARD_IA")
            #expect(create.header("x-amz-checksum-algorithm") == "CRC32")
            #expect(create.header("x-amz-meta-sluice-sha256") == object.digest.description)
            #expect(create.header("if-none-match") == nil)
            let first = try #require(log.requests.last { $0.method == "PUT" })
            #expect(first.target.hasPrefix("/b/a%20%2B1?partNumber=1&uploadId="))
            #expect(first.header("x-amz-storage-class") == nil)
            #expect(first.header("x-amz-checksum-crc32") != nil)
            #expect(log.requests.last?.header("if-none-match") == "*")
            // Once it is complete the upload is no more.
            let again = await reply {
                client.completeMultipartUpload(upload, parts: parts, completion: $0)
            }
            guard case .startOver = again.disposition else {
                Issue.record("\(again.disposition)")
                return
            }
        }
    }

    @Test("An upload that is begun without checksums has none in any request")
    func withoutChecksums() async throws {
        try await withScriptedS3 { server in
            var settings = settings(server)
            settings.checksum = .whenRequired
            settings.conditionalWrites = false
            let client = client(settings, server)
            let begun = await reply { client.createMultipartUpload(object, completion: $0) }
            let id = try #require(begun.answer?.uploadID)
            let upload = MultipartUpload(
                key: object.key, id: id, hasChecksums: begun.attempt.features.contains(.checksum))
            let part = part(1, Array("end".utf8))
            let sent = await reply {
                client.uploadPart(
                    part, of: upload, body: BytesBody(Array("end".utf8)), completion: $0)
            }
            let tag = try #require(sent.answer?.entityTag)
            let parts = [CompletedPart(number: 1, entityTag: tag, crc32: part.crc32)]
            let ended = await reply {
                client.completeMultipartUpload(upload, parts: parts, completion: $0)
            }
            #expect(ended.disposition == .delivered)
            for request in try await server.log().requests {
                let names = request.headers.map { $0[0].lowercased() }
                #expect(!names.contains { $0.contains("checksum") || $0 == "if-none-match" })
            }
        }
    }

    @Test(
        "A 200 with anything but a whole result does not complete an upload",
        arguments: [
            ("<Error><Code>InternalError</Code></Error>", "serverError"), ("", "serverError"),
            ("<CompleteMultipartUploadResult><ETag>1</ETag>", "serverError"),
            ("<Error><Code>InvalidPart</Code></Error>", "startOver"),
            ("<Error><Code>PreconditionFailed</Code></Error>", "existing"),
        ])
    func errorInSuccess(body: String, meaning: String) async throws {
        try await withScriptedS3 { server in
            try await server.script(
                #"{"method": "POST", "do": "answer", "status": 200, "body": "\#(body)"}"#)
            let upload = MultipartUpload(key: "k", id: "u", hasChecksums: true)
            let client = client(settings(server), server)
            let ended = await reply {
                client.completeMultipartUpload(upload, parts: [], completion: $0)
            }
            #expect("\(ended.disposition)".contains(meaning), "\(ended.disposition)")
        }
    }

    @Test("An aborted upload is gone")
    func abort() async throws {
        try await withScriptedS3 { server in
            let client = client(settings(server), server)
            let begun = await reply { client.createMultipartUpload(object, completion: $0) }
            let id = try #require(begun.answer?.uploadID)
            let upload = MultipartUpload(key: object.key, id: id, hasChecksums: true)
            let meanings: [Disposition] = [.answered, .missing]
            for meaning in meanings {
                let ended = await reply { client.abortMultipartUpload(upload, completion: $0) }
                #expect(ended.disposition == meaning)
            }
        }
    }

    @Test("An object is removed only if it is still the one that was meant")
    func delete() async throws {
        try await withScriptedS3 { server in
            let client = client(settings(server), server)
            _ = await reply {
                client.putObject(object, body: BytesBody(Array("12".utf8)), completion: $0)
            }
            let there = await reply { client.headObject(object.key, completion: $0) }
            let tag = try #require(there.answer?.entityTag)
            let other = await reply {
                client.deleteObject(object.key, ifMatch: "\"other\"", completion: $0)
            }
            #expect(other.disposition == .existing)
            #expect(other.attempt.features == [.conditionalDeletes])
            let removed = await reply {
                client.deleteObject(object.key, ifMatch: tag, completion: $0)
            }
            #expect(removed.disposition == .answered)
            let gone = await reply { client.headObject(object.key, completion: $0) }
            #expect(gone.disposition == .missing)
        }
    }

    @Test("ETags are sent back as they came, escaped, and parts in their order")
    func document() {
        let parts = [
            CompletedPart(number: 10, entityTag: "\"a<&>'b\"", crc32: 0xCBF4_3926),
            CompletedPart(number: 9, entityTag: "W/x", crc32: 0),
        ]
        let opening =
            "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
        let plain = String(
            decoding: CompletionDocument(parts, hasChecksums: false).bytes, as: UTF8.self)
        #expect(
            plain == opening
                + "<Part><ETag>W/x</ETag><PartNumber>9</PartNumber></Part>"
                + "<Part><ETag>&quot;a&lt;&amp;&gt;'b&quot;</ETag><PartNumber>10</PartNumber></Part>"
                + "</CompleteMultipartUpload>")
        let checked = String(
            decoding: CompletionDocument(parts, hasChecksums: true).bytes, as: UTF8.self)
        #expect(checked.contains("<ChecksumCRC32>y/Q5Jg==</ChecksumCRC32><PartNumber>10<"))
    }

    // MARK: Making them

    private let object = ObjectUpload(
        key: "a +1", digest: ContentDigest(whole: SHA256.digest(of: "12")), crc32: 0x4F53_44CD,
        contentType: "application/x-ndjson", metadata: [Header("sluice-events", "1")])

    private func part(_ number: Int, _ body: [UInt8]) -> PartUpload {
        let sha256 = body.withUnsafeBytes { SHA256.digest(of: $0) }
        return PartUpload(number: number, sha256: sha256, crc32: referenceCRC32(body))
    }

    private func settings(_ server: ScriptedS3) -> ConnectorSettings {
        var settings = ConnectorSettings(
            name: ConnectorName("orders")!, bucket: "b", integrationID: "i")
        settings.endpoint = server.url
        settings.region = "eu-west-1"
        return settings
    }

    private func client(_ settings: ConnectorSettings, _ server: ScriptedS3) -> S3Client {
        let keys = FixedCredentials(
            .success(
                Credentials(accessKeyID: "AKIDEXAMPLE", secretAccessKey: Secret("secret"))))
        return S3Client(settings, transport: server.transport, credentials: keys)
    }

    private func reply(
        of start: (@escaping (S3Reply) -> Void) -> S3Call
    ) async -> S3Reply {
        await withCheckedContinuation { continuation in
            _ = start { continuation.resume(returning: $0) }
        }
    }
}
