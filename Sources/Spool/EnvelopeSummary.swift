import Model

/// What a start wants to know of an envelope, read without making a string for each line.
///
/// The rest is covered by the checksum and read when the batch is sent.
struct EnvelopeSummary: Equatable {
    var connector = ""
    var eventType = ""
    var hour = ""
    var first = Position(file: 0, offset: 0)
    var through = Position(file: 0, offset: 0)
    var offset: UInt64 = 0
    var events: UInt64 = 0
    var size: UInt64 = 0
    var acceptedFrom: Int64 = 0
    var acceptedTo: Int64 = 0
    /// Milliseconds on the spool clock.
    var acceptedClock: Int64?

    /// The keys that are read, in the order in which they are written.
    private static let keys = [
        "connector", "event-type", "hour", "offset", "events", "first-file", "first-offset",
        "through-file", "through-offset", "size", "accepted-from", "accepted-to", "accepted-clock",
    ].map { Array($0.utf8) }

    init(_ envelope: Envelope) {
        connector = envelope.batch.connector.description
        eventType = envelope.eventType
        hour = envelope.hour.description
        first = envelope.batch.first
        through = envelope.through
        offset = envelope.offset
        events = UInt64(envelope.events)
        size = envelope.size
        acceptedFrom = envelope.accepted.lowerBound.unixSeconds
        acceptedTo = envelope.accepted.upperBound.unixSeconds
        acceptedClock = envelope.acceptedClock?.milliseconds
    }

    init(_ bytes: [UInt8]) throws(CheckedText.Fault) {
        var fault: CheckedText.Fault?
        // Lines stand in the order of the keys: the next one wanted is mostly the next one there.
        var next = 0
        var found = 0
        try CheckedText.forEachLine(of: bytes, kind: "envelope") { key, value in
            guard fault == nil, let index = Self.index(of: key, from: next) else { return }
            next = index + 1
            // A key that comes again says nothing: the first value counts.
            guard found & 1 << index == 0 else { return }
            found |= 1 << index
            if !take(index, value) {
                fault = .damaged("\(String(decoding: key, as: UTF8.self)) is no number")
            }
        }
        if let fault { throw fault }
        for index in 0..<12 where found & 1 << index == 0 {
            throw .missing(key: String(decoding: Self.keys[index], as: UTF8.self))
        }
        if let fault = Envelope.fault(
            events: events, from: acceptedFrom, to: acceptedTo, clock: acceptedClock)
        {
            throw .damaged(fault)
        }
    }

    private static func index(of key: UnsafeRawBufferPointer, from next: Int) -> Int? {
        if next < keys.count, key.elementsEqual(keys[next]) { return next }
        return keys.firstIndex { key.elementsEqual($0) }
    }

    private mutating func take(_ index: Int, _ value: UnsafeRawBufferPointer) -> Bool {
        switch index {
        case 0: connector = String(decoding: value, as: UTF8.self)
        case 1: eventType = String(decoding: value, as: UTF8.self)
        case 2: hour = String(decoding: value, as: UTF8.self)
        case 3: return Self.read(value, into: &offset)
        case 4: return Self.read(value, into: &events)
        case 5: return Self.read(value, into: &first.file)
        case 6: return Self.read(value, into: &first.offset)
        case 7: return Self.read(value, into: &through.file)
        case 8: return Self.read(value, into: &through.offset)
        case 9: return Self.read(value, into: &size)
        case 10: return Self.read(value, into: &acceptedFrom)
        case 11: return Self.read(value, into: &acceptedTo)
        default:
            var clock: Int64 = 0
            guard Self.read(value, into: &clock) else { return false }
            acceptedClock = clock
        }
        return true
    }

    /// Decimal digits, with a minus before them where the type has a sign.
    private static func read<Number: FixedWidthInteger>(
        _ text: UnsafeRawBufferPointer, into number: inout Number
    ) -> Bool {
        var digits = text[...]
        let isNegative = Number.isSigned && digits.first == UInt8(ascii: "-")
        if isNegative { digits = digits.dropFirst() }
        guard !digits.isEmpty else { return false }
        var value: Number = 0
        for byte in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return false }
            let (product, isTooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, isStillTooLarge) = product.addingReportingOverflow(
                Number(byte - UInt8(ascii: "0")))
            guard !isTooLarge, !isStillTooLarge else { return false }
            value = sum
        }
        number = isNegative ? 0 - value : value
        return true
    }
}
