import Credentials
import Curl
import Delivery
import Digest
import Model
import S3
import ScriptedStore
import Signing
import Testing

@Suite(.timeLimit(.minutes(2)))
struct S3ClientTests {
    @Test("PutObject sends all that the connector asks for, signed")
    func headers() async throws {
        try await withScriptedS3 { server in
            var settings = settings(server)
            settings.encryption = .kms(keyID: "alias/events", bucketKey: true)
            settings.storageClass = "STANDARD_IA"
            settings.acl = "bucket-owner-full-control"
            settings.tags = [Tag(key: "team", value: "growth & co"), Tag(key: "ü", value: "")]
            let client = client(settings, server)
            let key = "currents/date=2026-11-22-18/+0+1 é.jsonl"
            let reply = await put(client, key, body: "123456789")
            #expect(reply.disposition == .delivered)
            let log = try await server.log()
            let request = try #require(log.requests.first)
            #expect(request.key == key)
            #expect(request.target == "/b/currents/date%3D2026-11-22-18/%2B0%2B1%20%C3%A9.jsonl")
            let sha256 = SHA256.digest(of: "123456789").hex
            let expected = [
                ("host", "127.0.0.1:\(server.port)"), ("content-length", "9"),
                ("content-type", "application/x-ndjson"), ("if-none-match", "*"),
                ("x-amz-sdk-checksum-algorithm", "CRC32"),
                ("x-amz-checksum-crc32", "y/Q5Jg=="), ("x-amz-content-sha256", sha256),
                ("x-amz-meta-sluice-sha256", sha256), ("x-amz-meta-sluice-events", "1"),
                ("x-amz-server-side-encryption", "aws:kms"),
                ("x-amz-server-side-encryption-aws-kms-key-id", "alias/events"),
                ("x-amz-server-side-encryption-bucket-key-enabled", "true"),
                ("x-amz-storage-class", "STANDARD_IA"), ("x-amz-acl", "bucket-owner-full-control"),
                ("x-amz-tagging", "team=growth%20%26%20co&%C3%BC="), ("x-amz-security-token", "t"),
            ]
            for (name, value) in expected { #expect(request.header(name) == value, "\(name)") }
            #expect(request.header("expect") == nil)
            #expect(request.header("accept-encoding") == nil)
            #expect(request.header("authorization")?.contains("/eu-west-1/s3/aws4_request") == true)
        }
    }

    @Test("What is switched off is not sent")
    func options() async throws {
        try await withScriptedS3 { server in
            var settings = settings(server)
            settings.conditionalWrites = false
            settings.checksum = .whenRequired
            settings.encryption = .aes256
            let reply = await put(client(settings, server), "k")
            #expect(reply.attempt.features.isEmpty)
            let log = try await server.log()
            let request = try #require(log.requests.first)
            #expect(request.header("x-amz-server-side-encryption") == "AES256")
            let extras = [
                "if-none-match", "x-amz-sdk-checksum-algorithm", "x-amz-checksum-crc32",
                "x-amz-acl",
                "x-amz-tagging",
            ]
            for name in extras {
                #expect(request.header(name) == nil, "\(name)")
            }
        }
    }

    @Test("An object that is there already is compared by its metadata", arguments: [true, false])
    func existing(_ same: Bool) async throws {
        try await withScriptedS3 { server in
            let client = client(settings(server), server)
            _ = await put(client, "k", body: same ? "ours" : "theirs")
            let reply = await put(client, "k", body: "ours")
            #expect(reply.disposition == .existing)
            let head = await outcome(of: { client.headObject("k", completion: $0) })
            #expect(head.disposition == .answered)
            let sha256 = SHA256.digest(of: "ours").hex
            let comparison = head.answer?.comparison(length: 4, digest: sha256)
            #expect(comparison == (same ? .equal : .different))
            let objects = try await server.objects()
            #expect(objects["b/k"]?.bodies.count == 1)
        }
    }

    @Test("A lost answer leaves the object uncertain; the next attempt finds it")
    func lostAnswer() async throws {
        try await withScriptedS3 { server in
            try await server.script(#"{"do": "lose"}"#)
            let client = client(settings(server), server)
            // The first transfer of a connection: libcurl does not try again by itself.
            let fresh = Transport()
            defer { fresh.shutDown() }
            let other = self.client(settings(server), server, transport: fresh)
            let reply = await put(other, "k")
            #expect(reply.answer?.leavesUncertain == true)
            let again = await put(client, "k")
            #expect(again.disposition == .existing)
        }
    }

    @Test("An answer that libcurl makes up for by sending again leaves the object uncertain")
    func lostOnKeptConnection() async throws {
        try await withScriptedS3 { server in
            let client = client(settings(server), server)
            // The connection is kept.
            #expect(await put(client, "first").answer?.leavesUncertain == false)
            try await server.script(
                #"{"do": "lose"}, {"do": "answer", "status": 403, "code": "InvalidAccessKeyId"}"#)
            let reply = await put(client, "k")
            #expect(reply.answer?.status == 403)
            #expect(reply.answer?.leavesUncertain == true)
            #expect(try await server.objects()["b/k"] != nil)
        }
    }

    @Test("An unreachable store leaves nothing uncertain")
    func unreachable() async throws {
        try await withScriptedS3 { server in
            var settings = settings(server)
            settings.endpoint = "http://127.0.0.1:1"
            let reply = await put(client(settings, server), "k")
            #expect(reply.answer?.leavesUncertain == false)
            guard case .backingOff(.unreachable, _, _) = reply.disposition else {
                Issue.record("\(reply.disposition)")
                return
            }
        }
    }

    @Test("The region is asked once, whoever waits for it")
    func region() async throws {
        try await withScriptedS3(["--region", "eu-west-3"]) { server in
            var settings = settings(server)
            settings.region = nil
            let client = client(settings, server)
            async let first = put(client, "1")
            async let second = put(client, "2")
            async let third = put(client, "3")
            let replies = await [first, second, third]
            #expect(replies.allSatisfy { $0.disposition == .delivered })
            #expect(client.region == "eu-west-3")
            let log = try await server.log()
            #expect(log.requests.filter { $0.target == "/b?location" }.count == 1)
            let puts = log.requests.filter { $0.method == "PUT" }
            #expect(puts.count == 3)
            for put in puts {
                #expect(put.header("authorization")?.contains("/eu-west-3/s3/") == true)
            }
        }
    }

    @Test("Without an answer about the region nothing else is sent")
    func regionUnreachable() async throws {
        try await withScriptedS3 { server in
            try await server.script(#"{"do": "reset", "times": null}"#)
            var settings = settings(server)
            settings.region = nil
            let reply = await put(client(settings, server), "k")
            #expect(reply.attempt.operation == .putObject)
            #expect(reply.answer?.leavesUncertain == false)
            let log = try await server.log()
            #expect(log.requests.allSatisfy { $0.method == "GET" })
        }
    }

    @Test("A redirect names the region, and the next attempt is signed for it")
    func redirect() async throws {
        try await withScriptedS3 { server in
            try await server.script(#"{"do": "redirect", "region": "ap-south-1"}"#)
            let client = client(settings(server), server)
            let reply = await put(client, "k")
            guard case .region("ap-south-1", _) = reply.disposition else {
                Issue.record("\(reply.disposition)")
                return
            }
            #expect(client.correct(by: reply.disposition))
            let again = await put(client, "k")
            #expect(again.disposition == .delivered)
            let log = try await server.log()
            let scope = log.requests.last?.header("authorization") ?? ""
            #expect(scope.contains("/ap-south-1/s3/"))
            #expect(!client.correct(by: reply.disposition), "the same correction a second time")
        }
    }

    @Test("A clock that is off is corrected by S3's")
    func clock() async throws {
        try await withScriptedS3 { server in
            try await server.script(#"{"do": "skew", "seconds": 7200}"#)
            let client = client(settings(server), server)
            let reply = await put(client, "k")
            #expect(client.correct(by: reply.disposition))
            #expect((7195...7205).contains(client.clockOffset))
            let again = await put(client, "k")
            #expect(again.disposition == .delivered)
            let log = try await server.log()
            let dates = log.requests.compactMap { $0.header("x-amz-date") }
            #expect(dates.count == 2)
            #expect(dates[0] < dates[1])
        }
    }

    @Test("What the store does not implement is left out from then on")
    func notImplemented() async throws {
        try await withScriptedS3 { server in
            let body = "<Error><Code>NotImplemented</Code><Header>If-None-Match</Header></Error>"
            try await server.script(
                #"{"do": "answer", "status": 501, "body": "\#(body)"}"#)
            let client = client(settings(server), server)
            let reply = await put(client, "k")
            #expect(client.correct(by: reply.disposition))
            let again = await put(client, "k")
            #expect(again.attempt.features == [.checksum])
            let log = try await server.log()
            #expect(log.requests.map { $0.header("if-none-match") } == ["*", nil])
        }
    }

    @Test("Without credentials nothing is sent")
    func unsigned() async throws {
        try await withScriptedS3 { server in
            let keys = FixedCredentials(.failure(.misconfigured("there are none")))
            let client = S3Client(
                settings(server), transport: server.transport, credentials: keys)
            let reply = await put(client, "k")
            guard case .misconfigured(.local) = reply.disposition else {
                Issue.record("\(reply.disposition)")
                return
            }
            let log = try await server.log()
            #expect(log.requests.isEmpty)
        }
    }

    @Test("GetObject hands the bytes on as they come")
    func getObject() async throws {
        try await withScriptedS3 { server in
            let client = client(settings(server), server)
            let text = String(repeating: "0123456789abcdef", count: 10_000)
            _ = await put(client, "k", body: text)
            var seen: [UInt8] = []
            let ended = await outcome(of: { completion in
                client.getObject("k", sink: { seen += $0 }, completion: completion)
            })
            #expect(ended.disposition == .answered)
            #expect(seen == Array(text.utf8))
            seen = []
            let missing = await outcome(of: { completion in
                client.getObject("other", sink: { seen += $0 }, completion: completion)
            })
            #expect(missing.disposition == .missing)
            #expect(seen.isEmpty)
        }
    }

    @Test("Virtual addressing names the bucket in the host")
    func virtualAddressing() async throws {
        try await withScriptedS3 { server in
            var settings = settings(server)
            settings.endpoint = "http://localhost:\(server.port)"
            settings.addressing = .virtual
            let client = client(settings, server)
            let reply = await put(client, "a/b")
            #expect(reply.disposition == .delivered)
            let list = await outcome(of: { client.listBucket(prefix: "a/", completion: $0) })
            #expect(list.disposition == .answered)
            let log = try await server.log()
            #expect(log.requests.first?.header("host") == "b.localhost:\(server.port)")
            #expect(log.requests.map(\.bucket) == ["b", "b"])
        }
    }

    @Test("A cancelled call ends as aborted, even before it is sent")
    func cancel() async throws {
        try await withScriptedS3 { server in
            var settings = settings(server)
            settings.region = nil
            let client = client(settings, server)
            let ended = await outcome(of: { completion in
                let call = client.headObject("k", completion: completion)
                call.cancel()
                return call
            })
            #expect(ended.disposition == .aborted)
        }
    }

    // MARK: Making them

    private func settings(_ server: ScriptedS3) -> ConnectorSettings {
        var settings = ConnectorSettings(
            name: ConnectorName("orders")!, bucket: "b", integrationID: "i")
        settings.endpoint = server.url
        settings.region = "eu-west-1"
        return settings
    }

    private func client(
        _ settings: ConnectorSettings, _ server: ScriptedS3, transport: Transport? = nil
    ) -> S3Client {
        let keys = FixedCredentials(
            .success(
                Credentials(
                    accessKeyID: "AKIDEXAMPLE", secretAccessKey: Secret("secret"),
                    sessionToken: Secret("t"))))
        return S3Client(settings, transport: transport ?? server.transport, credentials: keys)
    }

    private func put(_ client: S3Client, _ key: String, body: String = "body") async -> S3Reply {
        let object = ObjectUpload(
            key: key, digest: ContentDigest(whole: SHA256.digest(of: body)),
            crc32: referenceCRC32(Array(body.utf8)),
            contentType: "application/x-ndjson", metadata: [Header("sluice-events", "1")])
        return await outcome(of: { completion in
            client.putObject(object, body: BytesBody(Array(body.utf8)), completion: completion)
        })
    }

    private func outcome(
        of start: (@escaping (S3Reply) -> Void) -> S3Call
    ) async -> S3Reply {
        await withCheckedContinuation { continuation in
            _ = start { continuation.resume(returning: $0) }
        }
    }
}

/// Bit by bit, as RFC 1952 defines it.
func referenceCRC32(_ bytes: [UInt8]) -> UInt32 {
    var crc = ~UInt32(0)
    for byte in bytes {
        crc ^= UInt32(byte)
        for _ in 0..<8 { crc = crc & 1 == 0 ? crc >> 1 : (crc >> 1) ^ 0xEDB8_8320 }
    }
    return ~crc
}

/// Credentials that never change.
final class FixedCredentials: CredentialsProvider {
    private let result: Result<Credentials, CredentialsUnavailable>

    init(_ result: Result<Credentials, CredentialsUnavailable>) {
        self.result = result
    }

    func credentials(
        completion: @escaping (Result<Credentials, CredentialsUnavailable>) -> Void
    ) {
        completion(result)
    }

    func forget() {}
    var isFixedUntilRestart: Bool { true }
}
