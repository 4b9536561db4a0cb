import Avro
import Testing

@Suite("What is no schema")
struct SchemaFaultTests {
    private static let name =
        "a name is made of the letters A-Z and a-z, digits and \"_\", with no digit first"

    /// What is said of a schema; empty where it is taken.
    private func fault(_ json: String) -> String {
        do throws(SchemaFault) {
            _ = try AvroSchema(json: Array(json.utf8))
            return ""
        } catch {
            return error.description
        }
    }

    /// What is said of the type of the one field `f` of a record `a.R`.
    private func fault(ofType type: String, after other: String = "") -> String {
        fault(
            #"{"type":"record","name":"R","namespace":"a","fields":[\#(other){"name":"f","type":\#(type)}]}"#
        )
    }

    @Test(
        "A text that is no record is refused",
        arguments: [
            ("", "line 1, byte 1"), ("{\n\"type\": \"record\",\n}", "line 3, byte 1"),
            ("{\"type\":\"record\"} x", "line 1, byte 19"), ("\u{FEFF}{}", "line 1, byte 1"),
            (String(repeating: "[", count: 65), "line 1, byte 65"),
        ])
    func json(text: String, place: String) {
        #expect(
            fault(text)
                == "this is no JSON: \(place) is wrong, or more than 64 arrays and objects stand in each other"
        )
    }

    @Test(
        "A schema whose root is no record is refused",
        arguments: [
            #""string""#, "7", "[]", #"["null"]"#, "{}", #"{"type":"string"}"#,
            #"[{"type":"record","name":"R","fields":[]}]"#, #"{"type":["record"]}"#,
            #"{"type":"enum","name":"E","symbols":["A"]}"#,
        ])
    func root(text: String) {
        #expect(
            fault(text)
                == "the schema of an event is a record: {\"type\": \"record\", \"name\": …, \"fields\": […]}"
        )
    }

    @Test("A text of more than a mebibyte is refused")
    func size() {
        let schema = #"{"type":"record","name":"R","fields":[]}"#
        let filled = schema + String(repeating: " ", count: AvroSchema.longest - schema.utf8.count)
        #expect(fault(filled) == "")
        #expect(
            fault(filled + " ")
                == "the schema has 1048577 bytes; 1048576 is the most that is read")
    }

    @Test(
        "What is wrong with a record is said with its place",
        arguments: [
            (
                #"{"type":"record","fields":[]}"#,
                "name: the record needs a name, alone or with a namespace and a dot before it; \(name)"
            ),
            (
                #"{"type":"record","name":"2R","fields":[]}"#,
                "name: the record needs a name, alone or with a namespace and a dot before it; \(name)"
            ),
            (
                #"{"type":"record","name":"a..R","fields":[]}"#,
                "name: the record needs a name, alone or with a namespace and a dot before it; \(name)"
            ),
            (
                #"{"type":"record","name":"R-1","fields":[]}"#,
                "name: the record needs a name, alone or with a namespace and a dot before it; \(name)"
            ),
            (
                #"{"type":"record","name":"a.string","fields":[]}"#,
                "name: \"string\" is a primitive type; no other has its name"
            ),
            (
                #"{"type":"record","name":"R","namespace":"a.","fields":[]}"#,
                "namespace: a namespace is a string of names with dots between them; \(name)"
            ),
            (
                #"{"type":"record","name":"R","namespace":null,"fields":[]}"#,
                "namespace: a namespace is a string of names with dots between them; \(name)"
            ),
            (
                #"{"type":"record","name":"R","aliases":"S","fields":[]}"#,
                "aliases: they are an array of names"
            ),
            (
                #"{"type":"record","name":"R","aliases":["S","é"],"fields":[]}"#,
                "aliases[1]: an alias is a name; \(name)"
            ),
            (#"{"type":"record","name":"R","doc":[],"fields":[]}"#, "doc: it is a string"),
            (
                #"{"type":"record","name":"R"}"#,
                "a record needs \"fields\", an array of objects"
            ),
            (
                #"{"type":"record","name":"R","fields":{}}"#,
                "a record needs \"fields\", an array of objects"
            ),
            (
                #"{"type":"record","name":"R","fields":[],"name":"S"}"#,
                "\"name\" stands here twice"
            ),
            (
                #"{"type":"record","name":"R","fields":["f"]}"#,
                "fields[0]: a field is an object: {\"name\": …, \"type\": …}"
            ),
            (
                #"{"type":"record","name":"R","fields":[{"type":"int"}]}"#,
                "fields[0]: name: a field needs a name; \(name)"
            ),
            (
                #"{"type":"record","name":"R","fields":[{"name":"a.b","type":"int"}]}"#,
                "fields[0]: name: a field needs a name; \(name)"
            ),
            (
                #"{"type":"record","name":"R","fields":[{"name":"f"}]}"#,
                "fields[0] \"f\": \"type\" is missing"
            ),
            (
                #"{"type":"record","name":"R","fields":[{"name":"f","type":"int","type":"int"}]}"#,
                "fields[0]: \"type\" stands here twice"
            ),
            (
                #"{"type":"record","name":"R","fields":[{"name":"f","type":"int"},{"name":"f","type":"int"}]}"#,
                "fields[1]: the record has a field \"f\" already"
            ),
            (
                #"{"type":"record","name":"R","fields":[{"name":"f","type":"int","order":"up"}]}"#,
                "fields[0] \"f\": order: it is \"ascending\", \"descending\" or \"ignore\""
            ),
            (
                #"{"type":"record","name":"R","fields":[{"name":"f","type":"int","aliases":["a.b"]}]}"#,
                "fields[0] \"f\": aliases[0]: an alias is a name; \(name)"
            ),
            (
                #"{"type":"record","name":"R","fields":[{"name":"f","type":"int","doc":null}]}"#,
                "fields[0] \"f\": doc: it is a string"
            ),
        ])
    func records(text: String, said: String) {
        #expect(fault(text) == said)
    }

    @Test(
        "What is wrong with a type is said with its place",
        arguments: [
            ("7", "a type is a name, an object with \"type\", or an array of types"),
            ("null", "a type is a name, an object with \"type\", or an array of types"),
            (#"{"items":"int"}"#, "\"type\" is missing"),
            (
                #"{"type":{"type":"int"}}"#,
                "type: of an object it is a string; write the inner type itself in place of the object"
            ),
            (
                #"{"type":"error","name":"E","fields":[]}"#,
                "type: \"error\" is for protocols only; write \"record\""
            ),
            (
                #"{"type":"R"}"#,
                "type: a type that is defined elsewhere is referred to by its name alone: write \"R\" in place of the object"
            ),
            (
                #"{"type":"integer"}"#,
                "type: \"integer\" is no type; it is \"record\", \"enum\", \"array\", \"map\", \"fixed\" or the name of a primitive type"
            ),
            (
                #""array""#,
                "\"array\" needs its attributes in an object of its own: {\"type\": \"array\", …}"
            ),
            (
                #""Int""#,
                "\"Int\" is no primitive type, and no type of this name is defined before this place"
            ),
            (
                #""b.R""#,
                "\"b.R\" means b.R here, which is not defined; a.R is"
            ),
            (#"{"type":"array"}"#, "\"items\" is missing"),
            (
                #"{"type":"array","items":{"type":"map","values":"x"}}"#,
                "items: values: \"x\" is no primitive type, and no type of this name is defined before this place"
            ),
            (#"{"type":"map","items":"int"}"#, "\"values\" is missing"),
            (
                #"{"type":"enum","symbols":["A"]}"#,
                "name: the enum needs a name, alone or with a namespace and a dot before it; \(name)"
            ),
            (
                #"{"type":"enum","name":"E"}"#,
                "an enum needs \"symbols\", an array of at least one string"
            ),
            (
                #"{"type":"enum","name":"E","symbols":[]}"#,
                "an enum needs \"symbols\", an array of at least one string"
            ),
            (
                #"{"type":"enum","name":"E","symbols":["A","b-c"]}"#,
                "symbols[1]: a symbol is a string, and a name: \(name)"
            ),
            (
                #"{"type":"enum","name":"E","symbols":["A",7]}"#,
                "symbols[1]: a symbol is a string, and a name: \(name)"
            ),
            (
                #"{"type":"enum","name":"E","symbols":["A","B","A"]}"#,
                "symbols[2]: \"A\" is among the symbols already"
            ),
            (
                #"{"type":"enum","name":"E","symbols":["A"],"default":"B"}"#,
                "default: the default of an enum is one of its symbols"
            ),
            (
                #"{"type":"enum","name":"E","symbols":["A"],"default":null}"#,
                "default: the default of an enum is one of its symbols"
            ),
            (
                #"{"type":"fixed","name":"F"}"#,
                "a fixed needs \"size\", an integer: its number of bytes"
            ),
            (
                #"{"type":"fixed","name":"F","size":-1}"#,
                "a fixed needs \"size\", an integer: its number of bytes"
            ),
            (
                #"{"type":"fixed","name":"F","size":"16"}"#,
                "a fixed needs \"size\", an integer: its number of bytes"
            ),
            (
                #"{"type":"fixed","name":"a.R","size":1}"#,
                "name: a.R is defined already; refer to it by its name, or give this type another"
            ),
            (
                #"{"type":"fixed","name":"long","size":1}"#,
                "name: \"long\" is a primitive type; no other has its name"
            ),
            (
                #"{"type":"record","name":"S","fields":[{"name":"g","type":{"type":"array","items":"T"}}]}"#,
                "fields[0] \"g\": items: \"T\" is no primitive type, and no type of this name is defined before this place"
            ),
        ])
    func types(type: String, said: String) {
        #expect(fault(ofType: type) == "fields[0] \"f\": \(said)")
    }

    @Test(
        "What is wrong with a union is said with its place",
        arguments: [
            ("[]", "type: a union needs at least one type: nothing is a value of this one"),
            (
                #"["null",["int"]]"#,
                "type[1]: a union stands in no other; write its types into the outer one"
            ),
            (#"["null","int",{"type":"null"}]"#, "type[2]: null is in the union already, as [0]"),
            (
                #"[{"type":"array","items":"int"},{"type":"array","items":"long"}]"#,
                "type[1]: an array is in the union already, as [0]"
            ),
            (
                #"["null",{"type":"map","values":"int"},{"type":"map","values":"int"}]"#,
                "type[2]: a map is in the union already, as [1]"
            ),
            (#"["null","R","a.R"]"#, "type[2]: a.R is in the union already, as [1]"),
            (
                #"["null",{"type":"array","items":["int",{"type":"map","values":[]}]}]"#,
                "type[1]: items[1]: values: a union needs at least one type: nothing is a value of this one"
            ),
        ])
    func unions(type: String, said: String) {
        #expect(fault(ofType: type) == "fields[0] \"f\": \(said)")
    }

    @Test("A name is known only after its definition, and is defined once")
    func order() {
        let fixed = #"{"name":"e","type":{"type":"fixed","name":"F","size":1}},"#
        #expect(fault(ofType: #""F""#, after: fixed) == "")
        #expect(
            fault(ofType: #"{"type":"fixed","name":"F","size":1}"#, after: fixed)
                == "fields[1] \"f\": name: a.F is defined already, in fields[0] \"e\"; refer to it by its "
                + "name, or give this type another")
        #expect(
            fault(ofType: #"["F",{"type":"fixed","name":"F","size":1}]"#)
                == "fields[0] \"f\": type[0]: \"F\" is no primitive type, and no type of this name is "
                + "defined before this place")
        #expect(
            fault(
                ofType: #"{"type":"record","name":"b.S","fields":[{"name":"x","type":"F"}]}"#,
                after: fixed)
                == "fields[1] \"f\": fields[0] \"x\": \"F\" means b.F here, which is not defined; a.F is"
        )
    }

    @Test(
        "A record that could never end is refused",
        arguments: [
            (#""R""#, "every a.R would hold another, without end"),
            (#"["R"]"#, "every a.R would hold another, without end"),
            (
                #"["null",{"type":"record","name":"S","fields":[{"name":"g","type":"S"}]}]"#,
                "fields[0] \"f\": type[1]: every a.S would hold another, without end"
            ),
            (
                #"{"type":"record","name":"S","fields":[{"name":"g","type":"R"}]}"#,
                "every a.R would hold another, without end"
            ),
        ])
    func endless(type: String, said: String) {
        #expect(
            fault(ofType: type)
                == "\(said); a union with null, an array or a map between them ends it")
    }

    @Test(
        "A default that is no value of its type is refused",
        arguments: [
            (#""null""#, "0", "null"), (#""boolean""#, #""true""#, "true or false"),
            (#""int""#, "2147483648", "an integer of 32 bits"),
            (#""int""#, "1.0", "an integer of 32 bits"),
            (#""long""#, "9223372036854775808", "an integer of 64 bits"),
            (#""double""#, #""NaN""#, "a number"), (#""float""#, "null", "a number"),
            (#""string""#, "null", "a string"),
            (#""bytes""#, #""Ā""#, "a string of characters up to U+00FF, one a byte"),
            (
                #"{"type":"fixed","name":"F","size":2}"#, #""abc""#,
                "a string of 2 characters up to U+00FF, one a byte"
            ),
            (#"{"type":"enum","name":"E","symbols":["A"]}"#, #""B""#, "a symbol of a.E"),
            (
                #"{"type":"array","items":"int"}"#, #"[1,"2"]"#,
                "an array, each element an integer of 32 bits"
            ),
            (
                #"{"type":"map","values":"string"}"#, #"{"a":null}"#,
                "an object, each value a string"
            ),
            (#"["null","string"]"#, "7", "null; or a string"),
            (
                #"{"type":"record","name":"S","fields":[{"name":"g","type":"int"}]}"#, "{}",
                "an object with the fields of a.S that have no default of their own"
            ),
        ])
    func defaults(type: String, value: String, rule: String) {
        #expect(
            fault(
                #"{"type":"record","name":"a.R","fields":[{"name":"f","type":\#(type),"default":\#(value)}]}"#
            )
                == "fields[0] \"f\": default: this is no value of the field's type: \(rule)")
    }

    @Test(
        "An ID that is no integer from 1 to 2^31 - 1 is refused",
        arguments: ["0", "-1", "2147483648", "1.0", "\"1\"", "null", "99999999999999999999"])
    func identity(id: String) {
        #expect(
            fault(#"{"type":"record","name":"R","fields":[],"schema_id":\#(id)}"#)
                == "schema_id: an ID is an integer from 1 to 2147483647; without the attribute it is "
                + "made from the schema's fingerprint")
    }
}
