import Digest
import Testing

@Suite struct DigestTests {
    @Test(
        "SHA-256 gives the digests of FIPS 180-4",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
        ])
    func sha256(message: String, hex: String) {
        #expect(SHA256.digest(of: message).hex == hex)
    }

    @Test("SHA-256 of a million letters is as FIPS 180-4 says")
    func million() {
        var computation = SHA256()
        for _ in 0..<1000 { computation.update(String(repeating: "a", count: 1000)) }
        let hex = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        #expect(computation.finish().hex == hex)
    }

    @Test("A message in pieces has the digest of the whole, one message after another")
    func pieces() {
        var computation = SHA256()
        for _ in 0..<2 {
            computation.update("a")
            computation.update(UnsafeRawBufferPointer(start: nil, count: 0))
            computation.update("bc")
            #expect(computation.finish() == SHA256.digest(of: "abc"))
            #expect(computation.finish() == SHA256.digest(of: ""))
        }
    }

    @Test(
        "HMAC-SHA256 gives the codes of RFC 4231",
        arguments: [
            (
                [UInt8](repeating: 0x0B, count: 20), "Hi There",
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
            ),
            (
                Array("Jefe".utf8), "what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
            ),
            (
                [UInt8](repeating: 0xAA, count: 131),
                "Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
            ),
            ([], "", "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"),
        ])
    func hmac(key: [UInt8], message: String, hex: String) {
        let key = key.withUnsafeBytes { Secret(copying: $0) }
        #expect(HMACSHA256.code(of: message, key: key).hex == hex)
        let derived = HMACSHA256.derivedKey(from: key, for: message)
        #expect(derived.withUnsafeBytes { bytes in bytes.map { $0 } } == bytes(ofHex: hex))
    }

    @Test("A digest reads what it writes, in either case")
    func hex() {
        let digest = SHA256.digest(of: "abc")
        #expect(SHA256Digest(hex: digest.hex) == digest)
        #expect(SHA256Digest(hex: digest.hex.uppercased()) == digest)
        #expect("\(digest)" == digest.hex)
    }

    @Test(
        "What is not 64 hexadecimal digits is no digest",
        arguments: [
            "", "ab", String(repeating: "0", count: 63), String(repeating: "0", count: 65),
            String(repeating: "0", count: 63) + "g", String(repeating: "0", count: 62) + "é",
        ])
    func notHex(text: String) {
        #expect(SHA256Digest(hex: text) == nil)
    }

    @Test("Digests that differ in any byte are unequal")
    func inequality() {
        let zero = String(repeating: "0", count: 64)
        let others = (0..<32).compactMap { index in
            let digits = (0..<64).map { $0 == 2 * index ? "1" : "0" }.joined()
            return SHA256Digest(hex: digits)
        }
        #expect(Set(others + [SHA256Digest(hex: zero)!]).count == 33)
    }

    @Test("A secret keeps its bytes, compares by them and is never printed")
    func secret() {
        let secret = Secret("hunter2")
        #expect(secret.withUnsafeBytes { String(decoding: $0, as: UTF8.self) } == "hunter2")
        #expect(secret == Secret("hunter2"))
        #expect(secret != Secret("hunter3"))
        #expect(secret != Secret("hunter"))
        #expect(Secret("") == Secret(""))
        var printed =
            "\(secret) \(String(reflecting: secret)) \([secret]) \(Optional(secret) as Any)"
        dump(secret, to: &printed)
        #expect(!printed.contains("hunter"))
        #expect("\(secret)" == "(secret)")
    }

    private func bytes(ofHex hex: String) -> [UInt8] {
        SHA256Digest(hex: hex)!.withUnsafeBytes { bytes in bytes.map { $0 } }
    }

    @Test("A buffer for secrets takes what it has room for, and says when that was not all")
    func buffer() {
        let buffer = SecretBuffer(capacity: 8)
        func append(_ text: String) { Secret(text).withUnsafeBytes { buffer.append($0) } }
        func text() -> String { buffer.withUnsafeBytes { String(decoding: $0, as: UTF8.self) } }
        append("12345")
        append("678")
        #expect(text() == "12345678" && !buffer.isOverfull)
        append("")
        #expect(!buffer.isOverfull)
        append("9")
        #expect(text() == "12345678" && buffer.isOverfull)
    }
}
