internal import Encoding
internal import Model

/// Puts a fault into words.
///
/// What an event says is quoted in its first bytes only, and never where the value has a transform: its owner wants it
/// nowhere.
struct EventWording {
    private static let longestQuote = 60
    private static let longestPath = 240

    let schema: CompiledSchema
    let text: UnsafePointer<UInt8>

    func refusal(_ fault: EventFault, path steps: [EventScratch.Step]) -> EventRefusal {
        let path = path(steps)
        let name = schema.typeNames[fault.type]
        switch fault.kind {
        case .missing:
            let requires = "which schema \(schema.schemaName) (id \(schema.schemaID)) requires"
            return EventRefusal(
                path: path, reason: "is missing, \(requires)",
                sentence: "it has no field \"\(path)\", \(requires)")
        case .wrongValue:
            let denial = Self.denial(schema.types[fault.type], name)
            return EventRefusal(
                path: path, reason: "is \(quote(fault.piece)), which is \(denial)")
        case .noBranch:
            return EventRefusal(
                path: path, reason: "is \(quote(fault.piece)), which no branch of the union takes")
        case .wrongTransform:
            return EventRefusal(path: path, reason: name)
        case .tooLong:
            let reason = "would be longer than \(EventEncoder.longestEncoding >> 20) MiB in Avro"
            return EventRefusal(path: path, reason: reason, sentence: "it \(reason)")
        case .tooOften:
            let reason = "fits too many branches of nested unions in part to try them all"
            return EventRefusal(path: path, reason: reason)
        }
    }

    private static func denial(_ type: CompiledType, _ name: String) -> String {
        switch type.kind {
        case .null: "not null"
        case .bytes: "no bytes (a string of code points up to 255)"
        case .fixed: "no \(name) (a string of \(type.index) code points up to 255)"
        case .enumeration: "no symbol of \(name)"
        case .record: "no record \(name)"
        default: "no \(name)"
        }
    }

    // MARK: Paths

    private func path(_ steps: [EventScratch.Step]) -> String {
        var path = ""
        for step in steps.reversed() {
            switch step {
            case .field(let index):
                path += path.isEmpty ? schema.names[index] : ".\(schema.names[index])"
            case .item(let index):
                path += "[\(index)]"
            case .key(let piece):
                path += "[\(quote(piece))]"
            }
        }
        guard path.utf8.count > Self.longestPath else { return path }
        return "\(path.prefix(Self.longestPath / 2))…\(path.suffix(Self.longestPath / 2))"
    }

    /// The JSON text of a value, cut where it is long. JSON has no control characters outside of its escapes, but DEL.
    private func quote(_ piece: JSONPiece) -> String {
        let count = min(piece.count, Self.longestQuote)
        let bytes = UnsafeBufferPointer(start: text + piece.start, count: count)
        return Self.shown(bytes, isCut: count < piece.count)
    }

    static func shown(_ bytes: UnsafeBufferPointer<UInt8>, isCut: Bool) -> String {
        var end = bytes.count
        if isCut {
            // Whole characters: a cut one would be shown as U+FFFD.
            while end > 0, bytes[end - 1] & 0xc0 == 0x80 { end -= 1 }
            if end > 0, bytes[end - 1] >= 0xc0 { end -= 1 } else { end = bytes.count }
        }
        let text = String(decoding: bytes[..<end], as: UTF8.self)
        let plain = text.unicodeScalars.map { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator:
                "\\u{\(String(scalar.value, radix: 16))}"
            default: String(scalar)
            }
        }
        return plain.joined() + (isCut ? "…" : "")
    }
}
