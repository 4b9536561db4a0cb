import Avro
import Encoding
import Model
import Testing

/// Values of each type, byte for byte.
@Suite struct EncodingTests {
    private static let named: [NamedType] = [
        .enumeration(AvroEnumeration(fullName: "t.Color", symbols: ["RED", "GREEN", "BLUE"])),
        .fixed(AvroFixed(fullName: "t.Four", size: 4)),
        .record(
            AvroRecord(
                fullName: "u.Inner",
                fields: [.init(name: "a", type: .int), .init(name: "b", type: .string)])),
        .fixed(AvroFixed(fullName: "t.Nothing", size: 0)),
    ]

    /// The bytes of a one-field record are those of the field.
    private static func encode(_ value: String, _ type: AvroType) -> [UInt8]? {
        let event = EncodedEvent(#"{"f":\#(value)}"#, AvroSchema([("f", type)], named))
        if event.refusal != nil { #expect(event.bytes.isEmpty) }
        return event.refusal == nil ? event.bytes : nil
    }

    @Test(
        arguments: [
            (.null, "null", []),
            (.null, "0", nil),
            (.boolean, "true", [1]),
            (.boolean, "false", [0]),
            (.boolean, "null", nil),
            (.boolean, "1", nil),
            (.boolean, #""true""#, nil),
            (.string, #""""#, [0]),
            (.string, #""ab""#, [4, 97, 98]),
            (.string, #""é""#, [4, 0xc3, 0xa9]),
            (.string, #""\u00e9\n\"\\\/""#, [12, 0xc3, 0xa9, 10, 34, 92, 47]),
            (.string, #""\ud83d\ude80""#, [8, 0xf0, 0x9f, 0x9a, 0x80]),
            (.string, #""\ud83dx""#, [8, 0xef, 0xbf, 0xbd, 120]),
            (.string, #""\udc00""#, [6, 0xef, 0xbf, 0xbd]),
            (.string, #""\u0000""#, [2, 0]),
            (.string, #"{ "a" : [1, 2] }"#, [32] + Array(#"{ "a" : [1, 2] }"#.utf8)),
            (.string, #"[]"#, [4, 91, 93]),
            (.string, "1", nil),
            (.string, "true", nil),
            (.string, "null", nil),
            (.bytes, #""\u0000A\u00ff""#, [6, 0, 65, 255]),
            (.bytes, "\"\u{80}\u{ff}\"", [4, 128, 255]),
            (.bytes, #""\u0100""#, nil),
            (.bytes, #""€""#, nil),
            (.bytes, #""\ud800""#, nil),
            (.bytes, "[1]", nil),
            (.named(2), #""abcd""#, [97, 98, 99, 100]),
            (.named(2), #""ab\u00e9é""#, [97, 98, 0xe9, 0xe9]),
            (.named(2), #""abc""#, nil),
            (.named(2), #""abcde""#, nil),
            (.named(4), #""""#, []),
            (.named(1), #""RED""#, [0]),
            (.named(1), #""BL\u0055E""#, [4]),
            (.named(1), #""PINK""#, nil),
            (.named(1), "0", nil),
            (.array(of: .int), "[]", [0]),
            (.array(of: .int), "[ 1 , -1,64 ]", [6, 2, 1, 0x80, 1, 0]),
            (.array(of: .int), "{}", nil),
            (.array(of: .array(of: .null)), "[[],[null]]", [4, 0, 2, 0, 0]),
            (.map(of: .int), "{}", [0]),
            (.map(of: .int), #"{"a":1, "b" : 2}"#, [4, 2, 97, 2, 2, 98, 4, 0]),
            (.map(of: .int), #"{"a":1,"b":2,"\u0061":3}"#, [4, 2, 97, 6, 2, 98, 4, 0]),
            (.map(of: .int), "[]", nil),
            (.named(3), #"{"b":"x","a":1}"#, [2, 2, 120]),
            (.named(3), #"{"b":"x","a":1,"b":"y"}"#, [2, 2, 121]),
            (.named(3), #"{ "b" : "x" , "c" : {"a":[]} , "\u0061" : 1 }"#, [2, 2, 120]),
            (.named(3), #"{"a":1}"#, nil),
            (.named(3), #"[]"#, nil),
        ] as [(AvroType, String, [UInt8]?)])
    func `A value takes the bytes of its type`(
        type: AvroType, value: String, bytes: [UInt8]?
    ) {
        #expect(Self.encode(value, type) == bytes)
    }

    @Test(
        arguments: [
            (.int, "0", 0), (.int, "-0", 0), (.int, "1.0", 1), (.int, "1e3", 1000),
            (.int, "-12.50e1", -125), (.int, "1.5", nil), (.int, "1e-1", nil),
            (.int, "10e-1", 1), (.int, "0e999999999999999999999", 0), (.int, "0.000e-5", 0),
            (.int, "2147483647", 2_147_483_647), (.int, "2147483648", nil),
            (.int, "-2147483648", -2_147_483_648), (.int, "-2147483649", nil),
            (.int, #""1""#, nil), (.int, "true", nil), (.int, "null", nil), (.int, "[1]", nil),
            (.long, "9223372036854775807", .max), (.long, "9223372036854775808", nil),
            (.long, "-9223372036854775808", .min), (.long, "-9223372036854775809", nil),
            (.long, "9223372036854775807.000", .max), (.long, "922337203685477580.7e1", .max),
            (.long, "18446744073709551615", nil), (.long, "18446744073709551616", nil),
            (.long, "1e18", 1_000_000_000_000_000_000), (.long, "1e19", nil),
            (.long, "1e99999999999999999999", nil), (.long, "1e-99999999999999999999", nil),
            (.long, "9007199254740993", 9_007_199_254_740_993),
            (.long, "1000000000000000000000000e-6", 1_000_000_000_000_000_000),
            (.long, "123456789012345678901234e-20", nil),
            (.long, "0.00000000000000000000000000001e29", 1),
        ] as [(AvroType, String, Int?)])
    func `An integer is exact or refused`(type: AvroType, value: String, number: Int?) {
        var bytes: [UInt8] = []
        if let number {
            var rest = UInt(bitPattern: number << 1 ^ number >> 63)
            while rest > 127 {
                bytes.append(UInt8(rest & 127 | 128))
                rest >>= 7
            }
            bytes.append(UInt8(rest))
        }
        #expect(Self.encode(value, type) == (number == nil ? nil : bytes))
    }

    @Test(
        arguments: [
            ("0", 0), ("-0", -0.0), ("1", 1), ("0.1", 0.1), ("-1.5e3", -1500), ("1e22", 1e22),
            ("1e23", 1e23), ("123456789012345678", 123_456_789_012_345_680),
            ("9007199254740993", 9_007_199_254_740_992), ("5e-324", .leastNonzeroMagnitude),
            ("2e-324", 0),
            ("2.2250738585072011e-308", Double(bitPattern: 0xf_ffff_ffff_ffff)), ("1e308", 1e308),
            ("1.7976931348623157e308", 1.7976931348623157e308), ("1e309", nil), ("-1e309", nil),
            ("0.000000000000000000000000000001", 1e-30), ("1e-400", 0), ("0e400", 0),
            ("0.30000000000000004", 0.30000000000000004), ("8.5e-7", 8.5e-7),
            (#""Infinity""#, .infinity), (#""-Infinity""#, -.infinity), (#""INF""#, .infinity),
            (#""-INF""#, -.infinity), (#""NaN""#, .nan), (#""1""#, nil), (#""nan""#, nil),
            ("null", nil), ("true", nil), ("[]", nil),
        ] as [(String, Double?)])
    func `A double is rounded correctly`(value: String, number: Double?) {
        let bytes = number.map { number in
            withUnsafeBytes(of: number.bitPattern.littleEndian) { Array($0) }
        }
        #expect(Self.encode(value, .double) == bytes)
    }

    @Test(
        arguments: [
            ("0.1", 0.1), ("-0.0", -0.0), ("16777217", 16_777_216), ("1e-46", 0),
            ("1.4e-45", .leastNonzeroMagnitude), ("3.4028234e38", 3.4028234e38), ("3.5e38", nil),
            ("3.4028235677973366e38", nil), ("3.4028235e38", .greatestFiniteMagnitude),
            (#""-Infinity""#, -.infinity), (#""NaN""#, .nan),
        ] as [(String, Float?)])
    func `A float is the double, rounded again`(value: String, number: Float?) {
        let bytes = number.map { number in
            withUnsafeBytes(of: number.bitPattern.littleEndian) { Array($0) }
        }
        #expect(Self.encode(value, .float) == bytes)
    }
}
