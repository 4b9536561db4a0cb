import Avro
import Model

/// The schemas that the target `encoder` chooses from. New ones go to the end: the corpus counts on their order.
enum FuzzSchemas {
    struct Choice: Sendable {
        let schema: AvroSchema
        let transforms: Transforms
        /// Plain values mean one branch of each union, so what is decoded is encoded to the same bytes.
        let isUnambiguous: Bool
    }

    static let all: [Choice] = [
        choice(
            #"""
            {"name":"Currents","fields":[{"name":"id","type":"string"},{"name":"time","type":"int"},
            {"name":"user_id","type":["null","string"]},{"name":"ok","type":["null","boolean"]},
            {"name":"price","type":["null","float"]},{"name":"urls","type":["null",{"type":"array",
            "items":["null","string"]}]},{"name":"big","type":["null","long"]}]
            """#),
        choice(
            #"""
            {"name":"Primitives","fields":[{"name":"n","type":"null"},{"name":"b","type":"boolean"},
            {"name":"i","type":"int"},{"name":"l","type":"long"},{"name":"f","type":"float"},
            {"name":"d","type":"double"},{"name":"y","type":"bytes"},{"name":"s","type":"string"}]
            """#),
        choice(
            #"""
            {"name":"Optional","fields":[{"name":"i","type":["null","int"]},{"name":"d","type":["double",
            "null"]},{"name":"y","type":["null","bytes"]},{"name":"s","type":["string","null"]},
            {"name":"e","type":["null",{"type":"enum","name":"E","symbols":["RED","GREEN"]}]},
            {"name":"x","type":["null",{"type":"fixed","name":"X","size":2}]}]
            """#),
        choice(
            #"""
            {"name":"Containers","fields":[{"name":"a","type":["null",{"type":"array","items":{"type":
            "array","items":"int"}}]},{"name":"m","type":["null",{"type":"array","items":{"type":"map",
            "values":"long"}}]},{"name":"z","type":["null",{"type":"array","items":"null"}]}]
            """#),
        choice(
            #"""
            {"name":"Tree","fields":[{"name":"v","type":["null","int"]},{"name":"c","type":["null",
            {"type":"array","items":"Tree"}]},{"name":"next","type":["null","Tree"]}]
            """#, isUnambiguous: false),
        choice(
            #"""
            {"name":"Unions","fields":[{"name":"u","type":["null","int","double","bytes","string",{"type":
            "array","items":"int"},{"type":"map","values":["null","long","Unions"]}]},{"name":"w","type":
            ["null","float","long",{"type":"record","name":"A","fields":[{"name":"a","type":"int"}]},
            {"type":"record","name":"B","fields":[{"name":"b","type":["null","A","B"]}]}]}]
            """#, isUnambiguous: false),
        choice(
            #"""
            {"name":"Transformed","fields":[{"name":"h","type":"string"},{"name":"r","type":["null",
            "string"]},{"name":"o","type":["null","string"]},{"name":"x","type":["null","int"]}]
            """#,
            Transforms(["h": .hash, "r": .remove, "o": .hash, "x": .remove])),
        choice(#"{"name":"Empty","fields":[]"#),
    ]

    /// - Parameter text: without the type and the last brace.
    private static func choice(
        _ text: String, _ transforms: Transforms = Transforms(), isUnambiguous: Bool = true
    ) -> Choice {
        do throws(SchemaFault) {
            let schema = try AvroSchema(json: Array(text.utf8) + Array(#","type":"record"}"#.utf8))
            return Choice(schema: schema, transforms: transforms, isUnambiguous: isUnambiguous)
        } catch {
            preconditionFailure("a schema of the fuzzer is none: \(error)")
        }
    }
}
