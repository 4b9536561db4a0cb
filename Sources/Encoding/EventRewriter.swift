internal import Digest
public import Model

/// Applies transforms to an event that is delivered as the JSON text it came as.
///
/// Only the values of the named members are replaced, all of those of one name; every other byte stays as it is. Names
/// are compared as what they stand for.
///
/// One owner at a time: it is not Sendable.
public final class EventRewriter {
    private let transforms: [(name: [UInt8], action: Transforms.Action)]
    private let plain = EncodedBytes()
    private var digest = SHA256()

    public init(_ transforms: Transforms) {
        self.transforms = transforms.actions.map { (Array($0.key.utf8), $0.value) }
    }

    /// Appends the event, transformed, to the output.
    ///
    /// The event is a line that `JSONScanner` calls an event, from its brace on, with what must follow it in memory.
    public func rewrite(_ event: UnsafePointer<UInt8>, count: Int, into output: EncodedBytes) {
        // What is before it has been copied.
        var copied = event
        var at = event + 1
        AcceptedJSON.skipSpace(&at)
        while at.pointee != UInt8(ascii: "}") {
            let name = AcceptedJSON.value(event, &at)
            AcceptedJSON.skipColon(&at)
            let value = AcceptedJSON.value(event, &at)
            if let action = action(event, name), event[value.start] != UInt8(ascii: "n") {
                output.append(copied, event + value.start - copied)
                copied = event + value.end
                replace(value, action, event, output)
            }
            AcceptedJSON.skipSpace(&at)
            if at.pointee == UInt8(ascii: ",") { at += 1 }
            AcceptedJSON.skipSpace(&at)
        }
        output.append(copied, event + count - copied)
    }

    private func action(_ event: UnsafePointer<UInt8>, _ name: JSONPiece) -> Transforms.Action? {
        let bytes = inside(event, name)
        for (wanted, action) in transforms
        where wanted.count == bytes.count && wanted.elementsEqual(bytes) {
            return action
        }
        return nil
    }

    private func replace(
        _ value: JSONPiece, _ action: Transforms.Action, _ event: UnsafePointer<UInt8>,
        _ output: EncodedBytes
    ) {
        switch action {
        case .remove:
            output.append("\"\(Transforms.redacted)\"")
        case .hash:
            let isString = event[value.start] == UInt8(ascii: "\"")
            let text =
                isString
                ? inside(event, value)
                : UnsafeBufferPointer(start: event + value.start, count: value.count)
            digest.update(UnsafeRawBufferPointer(text))
            output.append("\"")
            // `room` is asked for more than nothing.
            digest.finish().writeHex(to: output.room(for: 64).baseAddress!)
            output.wrote(64)
            output.append("\"")
        }
    }

    /// What a string stands for. Good until the next call.
    private func inside(
        _ event: UnsafePointer<UInt8>, _ string: JSONPiece
    ) -> UnsafeBufferPointer<UInt8> {
        let start = event + string.start + 1
        let count = string.count - 2
        guard string.isEscaped else { return UnsafeBufferPointer(start: start, count: count) }
        // A string with an escape is not empty.
        let output = plain.room(for: count).baseAddress!
        let length = AcceptedJSON.unescape(start, count, into: output)
        return UnsafeBufferPointer(start: output, count: length)
    }
}
