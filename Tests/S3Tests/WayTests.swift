import Curl
import Glibc
import ScriptedStore
import Testing

/// Whom a transfer trusts, and by which way it goes.
@Suite(.timeLimit(.minutes(2)))
struct WayTests {
    @Test("A certificate that nobody vouches for is refused, unless ca_file names it")
    func selfSigned() async throws {
        try await withTemporaryDirectory { directory in
            let (certificate, key) = ("\(directory)/certificate.pem", "\(directory)/key.pem")
            let openssl = try ChildProcess([
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=sluice",
                "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate,
            ])
            try #require(openssl.wait() == 0)
            try await withScriptedS3(["--cert", certificate, "--key", key]) { server in
                let failure = await failed(server, server.put("/b/k", BytesBody([1])))
                #expect(failure?.cause == .curl(60))
                #expect(failure?.sent == .nothing)

                server.options.caFile = certificate
                let trusted = server.put("/b/k", BytesBody([1]), server.options)
                let status = try await server.status(trusted)
                #expect(status == 200)
                let objects = try await server.objects()
                #expect(objects.count == 1)
            }
        }
    }

    @Test("A Unix socket is reached by its path")
    func unixSocket() async throws {
        try await withTemporaryDirectory { directory in
            let path = "\(directory)/http.sock"
            try await withScriptedS3(["--unix", path]) { server in
                var options = TransferOptions()
                options.unixSocket = path
                let request = HTTPRequest(.get, "http://sluice/__requests", options: options)
                let status = try await server.status(request)
                #expect(status == 200)
            }
        }
    }

    @Test("A proxy that is given is used for every host")
    func proxy() async throws {
        try await withScriptedS3 { server in
            var options = TransferOptions()
            options.proxy = .url(server.url)
            let request = HTTPRequest(.get, "http://store.invalid/b/k", options: options)
            let status = try await server.status(request)
            #expect(status == 403)
            let seen = try #require(try await server.log().requests.first)
            #expect(seen.target == "http://store.invalid/b/k")
            #expect(seen.header("host") == "store.invalid")
        }
    }

    @Test("A proxy that refuses is told from a store, and sees none of the request's headers")
    func refusingProxy() async throws {
        try await withScriptedS3 { server in
            try await server.script(#"{"do": "answer", "method": "CONNECT", "status": 407}"#)
            var options = TransferOptions()
            options.proxy = .url(server.url)
            let headers = [HeaderField("authorization", "AWS4-HMAC-SHA256 x")]
            let failure = await failed(
                server, .init(.get, "https://store.invalid/", headers: headers, options: options))
            #expect(failure?.proxyStatus == 407)
            #expect(failure?.sent == .nothing)
            let seen = try #require(try await server.log().requests.first)
            #expect(seen.method == "CONNECT")
            #expect(seen.header("authorization") == nil)
        }
    }
}

/// Lends a directory, and removes it with the files in it.
func withTemporaryDirectory(_ body: (String) async throws -> Void) async throws {
    var template = Array("/tmp/sluice-s3-XXXXXX".utf8CString)
    let made = mkdtemp(&template)
    let directory = String(cString: try #require(made))
    defer {
        if let listing = opendir(directory) {
            while let entry = readdir(listing) {
                let name = withUnsafeBytes(of: entry.pointee.d_name) {
                    String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
                }
                unlink("\(directory)/\(name)")
            }
            closedir(listing)
        }
        rmdir(directory)
    }
    try await body(directory)
}
