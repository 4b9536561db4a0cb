import Avro
import Testing

/// The schema in a text; a fault is a failure of the test.
func schema(_ json: String) throws -> AvroSchema {
    try AvroSchema(json: Array(json.utf8))
}

/// A record `a.R` with fields of these texts.
private func record(_ fields: String) throws -> AvroSchema {
    try schema(#"{"type":"record","name":"R","namespace":"a","fields":[\#(fields)]}"#)
}

private func field(_ type: String) -> String { #"{"name":"f","type":"# + type + "}" }

@Suite("Reading schemas")
struct SchemaParserTests {
    @Test(
        "A type is read as it is declared",
        arguments: [
            (#""null""#, .null), (#""boolean""#, .boolean), (#""int""#, .int), (#""long""#, .long),
            (#""float""#, .float), (#""double""#, .double), (#""bytes""#, .bytes),
            (#""string""#, .string), (#"{"type":"string"}"#, .string),
            (#"{"type":"long","logicalType":"timestamp-millis"}"#, .long),
            (#"{"type":"string","logicalType":"timestamp-millis"}"#, .string),
            (#"{"type":"bytes","logicalType":"decimal","precision":-1,"scale":"x"}"#, .bytes),
            (#"{"type":"int","logicalType":7,"any":{"thing":[]}}"#, .int),
            (#"{"type":"array","items":"int"}"#, .array(of: .int)),
            (
                #"{"type":"map","values":{"type":"array","items":"int"}}"#,
                .map(of: .array(of: .int))
            ),
            (#"["null","string"]"#, .union([.null, .string])),
            (#"["null"]"#, .union([.null])),
            (
                #"["bytes",{"type":"string"},{"type":"map","values":"a.R"}]"#,
                .union([.bytes, .string, .map(of: .named(0))])
            ),
            (#"{"type":"array","items":["null","R"]}"#, .array(of: .union([.null, .named(0)]))),
        ] as [(String, AvroType)])
    func types(json: String, type: AvroType) throws {
        #expect(try record(field(json)).record.fields == [.init(name: "f", type: type)])
    }

    @Test("Named types stand in the order of their definition, and the root comes first")
    func named() throws {
        let read = try record(
            #"""
            {"name": "e", "type": {
              "type": "enum", "name": "E", "symbols": ["A", "B_2", "_c"], "default": "A"}},
            {"name": "r", "type": {
              "type": "record", "name": "b.S", "doc": "…", "aliases": ["T", "c.T"], "fields": [
                {"name": "x", "type": {"type": "fixed", "name": "F", "size": 16}},
                {"name": "y", "type": ["null", "S", {"type": "array", "items": "F"}],
                 "order": "ignore"}]}},
            {"name": "again", "type": ["E", "b.F"], "aliases": ["before"], "doc": "",
             "order": "descending"}
            """#)
        #expect(
            read.types == [
                .record(
                    AvroRecord(
                        fullName: "a.R",
                        fields: [
                            .init(name: "e", type: .named(1)), .init(name: "r", type: .named(2)),
                            .init(name: "again", type: .union([.named(1), .named(3)])),
                        ])),
                .enumeration(AvroEnumeration(fullName: "a.E", symbols: ["A", "B_2", "_c"])),
                .record(
                    AvroRecord(
                        fullName: "b.S",
                        fields: [
                            .init(name: "x", type: .named(3)),
                            .init(
                                name: "y", type: .union([.null, .named(2), .array(of: .named(3))])),
                        ])),
                .fixed(AvroFixed(fullName: "b.F", size: 16)),
            ])
    }

    @Test(
        "A name has the namespace that it gives, has beside it, or inherits",
        arguments: [
            (#""name":"I""#, "a.I"), (#""name":"I","namespace":"b.c""#, "b.c.I"),
            (#""name":"I","namespace":"""#, "I"), (#""name":"d.e.I","namespace":"b""#, "d.e.I"),
            (#""name":"_1","namespace":"_""#, "_._1"), (#""name":"record""#, "a.record"),
        ])
    func namespaces(attributes: String, fullName: String) throws {
        let read = try record(field(#"{"type":"fixed","size":0,"# + attributes + "}"))
        #expect(read.types[1].fullName == fullName)
    }

    @Test("A root without a namespace has none, and its names are found in it")
    func noNamespace() throws {
        let read = try schema(
            #"{"type":"record","name":"R","fields":[{"name":"f","type":["null","R"]}]}"#)
        #expect(read.record.fullName == "R")
        #expect(read.record.fields[0].type == .union([.null, .named(0)]))
    }

    @Test("A record may hold others of its kind where that can end")
    func recursion() throws {
        let through = [
            #"["null","R"]"#, #"["R","string"]"#, #"{"type":"array","items":"R"}"#,
            #"{"type":"map","values":"R"}"#,
            #"{"type":"record","name":"S","fields":[{"name":"r","type":["R","null"]}]}"#,
            #"""
            {"type": "record", "name": "S", "fields": [
              {"name": "r", "type": [{"type": "array", "items": "S"}, "R"]}]}
            """#,
        ]
        for type in through {
            #expect(throws: Never.self) { try record(field(type)) }
        }
    }

    @Test(
        "A default that its type has is taken",
        arguments: [
            (#""null""#, "null"), (#""boolean""#, "false"), (#""int""#, "-2147483648"),
            (#""int""#, "2147483647"), (#""long""#, "9223372036854775807"), (#""float""#, "1"),
            (#""double""#, "-1.5e300"), (#""double""#, "99999999999999999999"),
            (#""bytes""#, #""\u0000ÿ""#), (#""string""#, #""日本""#),
            (#"["null","string"]"#, "null"), (#"["null","string"]"#, #""any branch""#),
            (#"{"type":"array","items":"int"}"#, "[]"),
            (#"{"type":"array","items":"int"}"#, "[1,2]"),
            (#"{"type":"map","values":"long"}"#, #"{"a":1,"":2}"#),
            (#"{"type":"enum","name":"E","symbols":["A"]}"#, #""A""#),
            (#"{"type":"fixed","name":"F","size":2}"#, #""ÿa""#),
            (
                #"""
                {"type": "record", "name": "S", "fields": [
                  {"name": "a", "type": "int"}, {"name": "b", "type": "int", "default": 1}]}
                """#, #"{"a":1}"#
            ),
            (#"["null",{"type":"array","items":["null","R"]}]"#, #"[null,{"f":[]},{}]"#),
        ])
    func defaults(type: String, value: String) throws {
        #expect(throws: Never.self) {
            try record(#"{"name":"f","type":\#(type),"default":\#(value)}"#)
        }
    }
}

@Suite("What a schema is known by")
struct SchemaIdentityTests {
    private static let spaced = #"""
        { "schema_id" : 77, "type": "record", "name": "R",
          "doc": "é \u00e9 \"\n\ud83d\ude00", "fields": [
            {"name": "f", "default": 1.0, "type": {
              "type": "double", "unit": [1.50, -0.0, 1e+9, 99999999999999999999]}}]
        }
        """#

    @Test("Its text is all of it on one line")
    func text() throws {
        #expect(
            try schema(Self.spaced).text
                == #"{"schema_id":77,"type":"record","name":"R","doc":"é é \"\n😀","fields":["#
                + #"{"name":"f","default":1.0,"type":"#
                + #"{"type":"double","unit":[1.50,-0.0,1e+9,99999999999999999999]}}]}"#)
    }

    @Test("The text of a schema is a schema with the same text")
    func again() throws {
        let read = try schema(Self.spaced)
        #expect(try schema(read.text) == read)
    }

    @Test("The canonical form has what readers need, in the order of the specification")
    func canonicalForm() throws {
        let read = try schema(
            #"""
            {"fields": [
              {"doc": "x", "name": "e",
               "type": {"symbols": ["A", "B"], "type": "enum", "name": "E"}},
              {"name": "f", "order": "ignore", "type": ["null",
                {"type": "fixed", "size": 3, "name": "F", "namespace": "b"}, "E"]},
              {"default": [], "name": "g",
               "type": {"items": {"values": "b.F", "type": "map"}, "type": "array"}}],
             "namespace": "a", "name": "R", "type": "record", "aliases": ["Q"]}
            """#)
        #expect(
            read.canonicalForm
                == #"{"name":"a.R","type":"record","fields":[{"name":"e","type":{"name":"a.E","#
                + #""type":"enum","symbols":["A","B"]}},{"name":"f","type":["null",{"name":"b.F","#
                + #""type":"fixed","size":3},"a.E"]},{"name":"g","type":{"type":"array","items":"#
                + #"{"type":"map","values":"b.F"}}}]}"#)
    }

    /// From the data that Apache Avro's implementations share for their tests.
    @Test(
        "Fingerprints are those of other implementations",
        arguments: [
            (#""null""#, 7_195_948_357_588_979_594), (#""boolean""#, -6_970_731_678_124_411_036),
            (#""int""#, 8_247_732_601_305_521_295), (#""string""#, -8_142_146_995_180_207_161),
        ])
    func fingerprints(canonicalForm: String, fingerprint: Int64) {
        #expect(AvroFingerprint.of(canonicalForm.utf8) == UInt64(bitPattern: fingerprint))
    }

    @Test("An ID is the one that is given, from 1 to 2^31 - 1", arguments: [1, 77, 2_147_483_647])
    func givenID(id: Int) throws {
        let read = try schema(#"{"type":"record","name":"R","fields":[],"schema_id":\#(id)}"#)
        #expect(read.id == id)
    }

    @Test("Without one, the ID is 31 bits of the fingerprint")
    func ownID() throws {
        let read = try schema(#"{"type":"record","name":"R","fields":[]}"#)
        #expect(UInt64(read.id) == read.fingerprint & 0x7fff_ffff)
        #expect(read.id > 0)
    }

    @Test("Schemas that differ only in what readers do not need have one fingerprint")
    func sameFingerprint() throws {
        let one = try schema(#"{"type":"record","name":"a.R","fields":[],"schema_id":5}"#)
        let other = try schema(
            #"{"type":"record","name":"R","namespace":"a","doc":"","fields":[]}"#)
        #expect(one.fingerprint == other.fingerprint)
        #expect(one != other)
    }
}
