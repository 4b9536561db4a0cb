import Model
import Testing

@Suite struct EventTypeTests {
    @Test(
        "Names that go into keys as they are",
        arguments: [
            "a", "users.messages.email.Send", "A-b_c.0", "-", "_._",
            String(repeating: "x", count: 128),
        ])
    func valid(name: String) {
        #expect(EventType.isValid(name))
    }

    @Test(
        "Empty parts, other characters and too long names are refused",
        arguments: [
            "", ".", "..", ".a", "a.", "a..b", "a b", "a/b", "a\0b", "é", "a=b", "a+b", "a\n",
            String(repeating: "x", count: 129),
        ])
    func invalid(name: String) {
        #expect(!EventType.isValid(name))
    }

    @Test("Of all bytes, 65 may stand in a name")
    func bytes() {
        let allowed = (UInt8.min...UInt8.max).filter { byte in
            [UInt8(ascii: "a"), byte, UInt8(ascii: "b")].withUnsafeBufferPointer(EventType.isValid)
        }
        #expect(allowed.count == 26 + 26 + 10 + 3)
    }
}

@Suite struct EventPatternTests {
    @Test(
        "A star stands for any run of characters, dots too",
        arguments: [
            ("*", "a.b", true), ("a.*", "a.b.c", true), ("a.*", "a.", true), ("a.*", "a", false),
            ("*.Send", "users.messages.email.Send", true), ("*.Send", "Send", false),
            ("users.*.Send", "users.a.b.Send", true), ("users.*.Send", "users.Send", false),
            ("a*b*c", "abc", true), ("a*b*c", "aXbYbZc", true), ("a*b*c", "acb", false),
            ("**", "a", true), ("a", "a", true), ("a", "A", false), ("a", "ab", false),
            ("ab", "a", false), ("*aab", "aaab", true), ("a*", "b", false), ("*a", "ab", false),
        ])
    func matches(pattern: String, name: String, expected: Bool) throws {
        #expect(try #require(EventPattern(pattern)).matches(name) == expected)
    }

    @Test("The pattern of all event types is a star")
    func all() {
        #expect(EventPattern.all == EventPattern("*"))
        #expect(EventPattern.all.matches("users.behaviors.CustomEvent"))
    }

    @Test(
        "Characters that no event type has are refused",
        arguments: ["", "a b", "a/*", "é*", "?", "a,b"])
    func refused(pattern: String) {
        #expect(EventPattern(pattern) == nil)
    }

    @Test("A pattern of stars is matched as a naive search matches it")
    func naive() {
        var generator = SystemRandomNumberGenerator()
        let seed = generator.next()
        var random = Linear(state: seed)
        for _ in 0..<5000 {
            let pattern = random.word(of: "ab*", longest: 6)
            let name = random.word(of: "ab", longest: 8)
            guard !pattern.isEmpty, let subject = EventPattern(pattern) else { continue }
            #expect(
                subject.matches(name) == Self.naive(pattern[...], name[...]),
                "pattern \(pattern), name \(name), seed \(seed)")
        }
    }

    private static func naive(_ pattern: Substring, _ name: Substring) -> Bool {
        guard let first = pattern.first else { return name.isEmpty }
        if first == "*" {
            return name.indices.contains { naive(pattern.dropFirst(), name[$0...]) }
                || naive(pattern.dropFirst(), "")
        }
        return name.first == first && naive(pattern.dropFirst(), name.dropFirst())
    }
}

/// Numbers that a seed determines: Knuth's linear congruential generator.
private struct Linear {
    var state: UInt64

    mutating func number(below bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int((state >> 33) % UInt64(bound))
    }

    mutating func word(of letters: String, longest: Int) -> String {
        let letters = Array(letters)
        return String(
            (0..<number(below: longest + 1)).map { _ in letters[number(below: letters.count)] })
    }
}
