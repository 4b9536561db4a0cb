internal import Encoding

/// Finds equal keys of a map.
///
/// Few keys are compared with each other. Many go through a table; its hash is seeded anew in each process, so that no
/// event can be made to fill one slot.
struct EventKeys {
    private static let few = 8

    private var slots: [Int32] = []
    private var plain: [UInt8] = []
    /// Where the keys that had a backslash stand in `plain`, by entry.
    private var plainKeys: [Int: Range<Int>] = [:]

    /// Unites equal keys of `count` entries, a key and a value each; returns how many remain.
    mutating func unite(
        _ entries: UnsafeMutablePointer<JSONPiece>, _ count: Int, in text: UnsafePointer<UInt8>
    ) -> Int {
        guard count > 1 else { return count }
        let hasEscapes = (0..<count).contains { entries[2 * $0].isEscaped }
        if hasEscapes {
            plain.removeAll(keepingCapacity: true)
            plainKeys.removeAll(keepingCapacity: true)
        }
        if count > Self.few {
            var size = 32
            while size < 2 * count { size *= 2 }
            slots.removeAll(keepingCapacity: true)
            slots.append(contentsOf: repeatElement(-1, count: size))
        }
        var united = 0
        for entry in 0..<count {
            let (key, value) = (entries[2 * entry], entries[2 * entry + 1])
            if key.isEscaped { keepPlain(key, united, in: text) }
            let place = count > Self.few ? hashed(entries, united, key, in: text) : nil
            let equal =
                place.map { Int(slots[$0]) }
                ?? (0..<united).first { isEqual(entries[2 * $0], $0, key, united, in: text) } ?? -1
            if equal >= 0 {
                entries[2 * equal + 1] = value
                if key.isEscaped { plainKeys[united] = nil }
                continue
            }
            if let place { slots[place] = Int32(united) }
            entries[2 * united] = key
            entries[2 * united + 1] = value
            united += 1
        }
        return united
    }

    /// The slot of a key: that of an equal one, else an empty one.
    private func hashed(
        _ entries: UnsafeMutablePointer<JSONPiece>, _ entry: Int, _ key: JSONPiece,
        in text: UnsafePointer<UInt8>
    ) -> Int {
        var hasher = Hasher()
        withBytes(key, entry, in: text) { hasher.combine(bytes: $0) }
        var slot = hasher.finalize() & (slots.count - 1)
        while slots[slot] >= 0 {
            let other = Int(slots[slot])
            if isEqual(entries[2 * other], other, key, entry, in: text) { return slot }
            slot = (slot + 1) & (slots.count - 1)
        }
        return slot
    }

    private func isEqual(
        _ left: JSONPiece, _ leftEntry: Int, _ right: JSONPiece, _ rightEntry: Int,
        in text: UnsafePointer<UInt8>
    ) -> Bool {
        withBytes(left, leftEntry, in: text) { left in
            withBytes(right, rightEntry, in: text) { right in
                left.count == right.count && left.elementsEqual(right)
            }
        }
    }

    private mutating func keepPlain(
        _ key: JSONPiece, _ entry: Int, in text: UnsafePointer<UInt8>
    ) {
        let start = plain.count
        plain.append(contentsOf: repeatElement(0, count: key.count))
        plain.withUnsafeMutableBufferPointer { bytes in
            let output = bytes.baseAddress! + start  // The key was appended, so it is not empty.
            let count = AcceptedJSON.unescape(text + key.start + 1, key.count - 2, into: output)
            plainKeys[entry] = start..<start + count
        }
    }

    /// Lends what a key stands for.
    private func withBytes<Result>(
        _ key: JSONPiece, _ entry: Int, in text: UnsafePointer<UInt8>,
        _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        guard key.isEscaped, let range = plainKeys[entry] else {
            return body(UnsafeRawBufferPointer(start: text + key.start + 1, count: key.count - 2))
        }
        return plain.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[range])) }
    }
}
