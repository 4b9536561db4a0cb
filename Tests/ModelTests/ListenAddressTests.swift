import Model
import Testing

/// Where the daemon may listen.
@Suite struct ListenAddressTests {
    @Test(
        "A path of a Unix socket and a loopback port are addresses",
        arguments: [
            ("/run/sluice/http.sock", ListenAddress.unix(path: "/run/sluice/http.sock")),
            ("/odd:9464", .unix(path: "/odd:9464")),
            ("127.0.0.1:9464", .loopback(address: "127.0.0.1", port: 9464)),
            ("127.8.0.255:1", .loopback(address: "127.8.0.255", port: 1)),
            ("[::1]:65535", .loopback(address: "::1", port: 65535)),
        ])
    func addresses(text: String, expected: ListenAddress) throws {
        let address = try ListenAddress(text)
        #expect(address == expected)
        #expect(address.description == text)
    }

    @Test(
        "What others could reach, or what needs a name service, is none",
        arguments: [
            "0.0.0.0:9464", ":9464", "*:9464", "localhost:9464", "10.0.0.1:9464", "::1:9464",
            "[::]:9464", "[::ffff:127.0.0.1]:9464", "127.1:9464", "127.0.0.01:9464",
            "127.0.0.256:9464", "127.0.0.1:", "127.0.0.1:99999", "127.0.0.1:+80", "127.0.0.1",
            "127.0.0.1:０", "", "http.sock", "/" + String(repeating: "s", count: 107),
        ])
    func refused(text: String) {
        #expect(throws: ListenAddress.Fault.self) { try ListenAddress(text) }
    }
}
