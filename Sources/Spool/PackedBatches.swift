import Model

/// A run of held batches, packed: about 25 bytes for each, since neighbours have most of what they say in common.
///
/// A spool may hold a million of them for days, and all that is asked of nearly all of them is to be there. Each
/// number is written as its difference to the batch before, seven bits a byte with the low ones first, so any value comes
/// back as it was; what batches have in common (`HeldBatch.Origin`) is written by its place in a list.
public struct PackedBatches: Sendable {
    private var bytes: [UInt8] = []
    private var origins: [HeldBatch.Origin] = []
    public let count: Int
    var byteCount: Int { bytes.count }

    public init(_ batches: some Collection<HeldBatch>) {
        count = batches.count
        bytes.reserveCapacity(count * 32)
        var last = HeldBatch.Numbers(repeating: 0)
        for batch in batches {
            write(UInt64(place(of: batch.origin)))
            let numbers = batch.numbers
            for field in numbers.indices {
                let difference = numbers[field] &- last[field]
                // Small ones of either sign become small numbers.
                write(difference << 1 ^ UInt64(bitPattern: Int64(bitPattern: difference) >> 63))
            }
            last = numbers
        }
        // What was reserved beyond need is given back.
        bytes = bytes.withUnsafeBufferPointer { Array($0) }
    }

    private mutating func place(of origin: HeldBatch.Origin) -> Int {
        // Mostly that of one of the batches just before.
        if let place = origins.lastIndex(where: { $0 === origin }) { return place }
        origins.append(origin)
        return origins.count - 1
    }

    private mutating func write(_ number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}

extension PackedBatches: Sequence {
    public struct Iterator: IteratorProtocol {
        private let batches: PackedBatches
        private var at = 0
        private var last = HeldBatch.Numbers(repeating: 0)

        init(_ batches: PackedBatches) { self.batches = batches }

        public mutating func next() -> HeldBatch? {
            guard at < batches.bytes.count else { return nil }
            let origin = batches.origins[Int(read())]
            for field in last.indices {
                let number = read()
                last[field] &+= number >> 1 ^ (0 &- (number & 1))
            }
            return HeldBatch(origin, last)
        }

        private mutating func read() -> UInt64 {
            var (number, shift) = (UInt64(0), UInt64(0))
            while true {
                let byte = batches.bytes[at]
                at += 1
                number |= UInt64(byte & 0x7f) << shift
                if byte < 0x80 { return number }
                shift += 7
            }
        }
    }

    public func makeIterator() -> Iterator { Iterator(self) }
    public var underestimatedCount: Int { count }
}
