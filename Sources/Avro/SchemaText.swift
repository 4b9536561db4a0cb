import Model

extension AvroSchema {
    /// The longest text of a schema, in bytes.
    public static let longest = 1 << 20

    /// Reads the text of an `.avsc` file.
    ///
    /// The root is a record, and every rule of the Avro 1.12 specification, "Schema Declaration", holds. Logical
    /// types and attributes that the specification does not know change nothing, as it says. Three things that
    /// it allows are refused, since no event could be written with them: an enum without symbols, a union
    /// without types, and a record that contains itself in every value of it.
    public init(json: [UInt8]) throws(SchemaFault) {
        let root = SchemaPath()
        guard json.count <= Self.longest else {
            throw root.fault(
                "the schema has \(json.count) bytes; \(Self.longest) is the most that is read")
        }
        let text: JSONText
        do {
            text = try JSONReader.read(json)
        } catch {
            let before = json[..<error.offset]
            let line = before.count { $0 == UInt8(ascii: "\n") } + 1
            let byte = before.reversed().prefix { $0 != UInt8(ascii: "\n") }.count + 1
            throw root.fault(
                "this is no JSON: line \(line), byte \(byte) is wrong, or more than \(JSONReader.deepest) arrays and objects stand in each other"
            )
        }
        guard case .object = text, text["type"]?.string == "record" else {
            throw root.fault(
                "the schema of an event is a record: {\"type\": \"record\", \"name\": …, \"fields\": […]}"
            )
        }
        var parser = SchemaParser()
        _ = try parser.type(text, in: "", at: root)
        try parser.checkDefaults()
        try parser.checkEnds()

        let canonicalForm = CanonicalForm.text(of: parser.types)
        let fingerprint = AvroFingerprint.of(canonicalForm.utf8)
        self.init(
            types: parser.types, text: text.text, canonicalForm: canonicalForm,
            fingerprint: fingerprint, id: try Self.id(text["schema_id"], or: fingerprint, at: root))
    }

    private static func id(
        _ given: JSONText?, or fingerprint: UInt64, at root: SchemaPath
    ) throws(SchemaFault) -> UInt32 {
        guard let given else { return max(1, UInt32(fingerprint & 0x7fff_ffff)) }
        guard let id = given.integer, (1...Int(Int32.max)).contains(id) else {
            throw root.part("schema_id").fault(
                "an ID is an integer from 1 to \(Int32.max); without the attribute it is made from "
                    + "the schema's fingerprint")
        }
        return UInt32(id)
    }
}
