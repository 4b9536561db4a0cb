import Batching

/// Remembers where events of a type go, by the bytes of the type's name, so that most events cost one look here.
///
/// Open addressing over a power of two; the owner forgets everything when it grows too large or the hour changes.
struct RouteMemory {
    final class Entry {
        let direction: RoutingTable.Direction
        /// Empty: the event names no type.
        let eventType: [UInt8]
        let streams: [Stream]
        let refusals: [(connector: Int?, refusal: RoutingTable.Refusal)]
        let isDiscarded: Bool

        init(
            _ direction: RoutingTable.Direction, _ eventType: [UInt8], streams: [Stream],
            _ answer: RoutingTable.Answer
        ) {
            self.direction = direction
            self.eventType = eventType
            self.streams = streams
            refusals = answer.refusals
            isDiscarded = answer.isDiscarded
        }
    }

    private var slots: [Entry?] = Array(repeating: nil, count: 256)
    private(set) var count = 0

    func find(
        _ eventType: UnsafeBufferPointer<UInt8>, _ direction: RoutingTable.Direction
    ) -> Entry? {
        var index = Self.hash(eventType, direction) & (slots.count - 1)
        while let entry = slots[index] {
            if entry.direction == direction, entry.eventType.count == eventType.count,
                Self.areEqual(entry.eventType, eventType)
            {
                return entry
            }
            index = (index + 1) & (slots.count - 1)
        }
        return nil
    }

    /// Whether two names of one length are the same, eight bytes at a time: it is asked for each event.
    @inline(__always)
    private static func areEqual(_ left: [UInt8], _ right: UnsafeBufferPointer<UInt8>) -> Bool {
        left.withUnsafeBytes { left in
            let right = UnsafeRawBufferPointer(right)
            var at = 0
            while at + 8 <= left.count {
                let (one, other) = (
                    left.loadUnaligned(fromByteOffset: at, as: UInt64.self),
                    right.loadUnaligned(fromByteOffset: at, as: UInt64.self)
                )
                if one != other { return false }
                at += 8
            }
            while at < left.count {
                if left[at] != right[at] { return false }
                at += 1
            }
            return true
        }
    }

    mutating func insert(_ entry: Entry) {
        if 2 * (count + 1) > slots.count {
            let old = slots
            slots = Array(repeating: nil, count: 2 * old.count)
            for case let entry? in old { place(entry) }
        }
        place(entry)
        count += 1
    }

    mutating func removeAll() {
        self = RouteMemory()
    }

    private mutating func place(_ entry: Entry) {
        let hash = entry.eventType.withUnsafeBufferPointer { Self.hash($0, entry.direction) }
        var index = hash & (slots.count - 1)
        while slots[index] != nil { index = (index + 1) & (slots.count - 1) }
        slots[index] = entry
    }

    /// FNV-1a over the last bytes of the name, where types differ, and its length.
    private static func hash(
        _ eventType: UnsafeBufferPointer<UInt8>, _ direction: RoutingTable.Direction
    ) -> Int {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325 ^ UInt64(eventType.count)
        for byte in eventType.suffix(24) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        if case .connector(let index) = direction {
            hash = (hash ^ UInt64(index + 1)) &* 0x100_0000_01b3
        }
        return Int(truncatingIfNeeded: hash ^ (hash >> 32))
    }
}
