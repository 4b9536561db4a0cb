public import Encoding
public import Model

/// Writes events as Avro binary, straight from their JSON text.
///
/// The schema is compiled once. Of each object it is first noted where the members lie that the schema knows; then the
/// fields are written in the schema's order. Nothing is allocated for an event once the scratch memory has grown.
///
/// - A member that the schema does not know is counted and left out; of members of one name the last counts.
/// - A missing field is null where its type allows it, else the event is refused.
/// - A `string` takes an object or array as its JSON text. `bytes` and `fixed` take a string of code points up to 255,
///   a byte each. An `int` or `long` takes any number that is integral, as `1e3`. A `float` or `double` takes `"NaN"`,
///   `"Infinity"` and `"-Infinity"` too.
/// - A union takes Avro's own JSON form, an object whose only member is named for a branch; else the first branch that
///   takes the value is written. Text of an object or array is the last that is tried.
///
/// Source: the Apache Avro 1.12 specification, "Binary Encoding" and "JSON Encoding". Arrays and maps are one block.
///
/// One owner at a time: it is not Sendable.
public final class EventEncoder {
    /// An event that would take more bytes than this is refused: a few bytes of JSON may stand for a record of many
    /// fields, thousands of times.
    public static let longestEncoding = 4 << 20
    /// How often an event's bytes may be read as parts of objects and arrays, on average. Nesting alone cannot reach it,
    /// as events are at most 512 deep; unions in unions, tried one after the other, can.
    static let rereads = JSONScanner.deepest + 1

    private let schema: CompiledSchema
    private let scratch = EventScratch()
    /// How many members of the last event, and of the records in it, the schema does not know.
    public private(set) var ignoredMembers = 0
    private var ignoredName: [UInt8] = []
    private static let longestName = 60

    /// Compiles the schema.
    public init(_ schema: AvroSchema, _ transforms: Transforms = Transforms()) {
        self.schema = CompiledSchema(schema, transforms)
        ignoredName.reserveCapacity(Self.longestName + 1)
    }

    /// The transforms that their fields cannot carry. An encoder made with one of them refuses every event.
    public static func unfit(
        _ schema: AvroSchema, _ transforms: Transforms
    ) -> [(field: String, reason: String)] {
        schema.record.fields.compactMap { field in
            transforms.actions[field.name].flatMap { action in
                SchemaCompiler.unfitness(field.type, action).map { (field.name, $0) }
            }
        }
    }

    /// Appends an event to the output; where it is refused, the output stays as it was.
    ///
    /// The event is a line that `JSONScanner` calls an event, from its brace on, with what must follow it in memory.
    public func encode(
        _ event: UnsafePointer<UInt8>, count: Int, into output: EncodedBytes
    ) -> EventRefusal? {
        var run = EventRun(schema, scratch, event, count, output)
        let isAccepted = run.record(0, 0, JSONPiece(start: 0, end: count, escaped: false))
        run.end(accepted: isAccepted)
        ignoredMembers = run.ignoredMembers
        if ignoredMembers > 0 {
            let name = run.firstIgnored
            ignoredName.removeAll(keepingCapacity: true)
            ignoredName.append(
                contentsOf: UnsafeBufferPointer(
                    start: event + name.start + 1,
                    count: min(name.count - 2, Self.longestName + 1)))
        }
        guard !isAccepted else { return nil }
        return EventWording(schema: schema, text: event).refusal(run.fault, path: scratch.path)
    }

    /// The first of the `ignoredMembers` as it stands in the event, cut where it is long; nil where there is none.
    public var ignoredMember: String? {
        guard ignoredMembers > 0 else { return nil }
        let isCut = ignoredName.count > Self.longestName
        return ignoredName.prefix(Self.longestName).withUnsafeBufferPointer {
            EventWording.shown($0, isCut: isCut)
        }
    }
}
