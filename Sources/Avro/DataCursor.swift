/// A place in binary data; nothing is read past the end.
struct DataCursor {
    let bytes: [UInt8]
    private(set) var position: Int

    init(_ bytes: [UInt8], at position: Int) {
        precondition((0...bytes.count).contains(position))
        self.bytes = bytes
        self.position = position
    }

    func fault(_ problem: DecodingFault.Problem) -> DecodingFault {
        DecodingFault(problem: problem, offset: position)
    }

    mutating func byte() throws(DecodingFault) -> UInt8 {
        guard position < bytes.count else { throw fault(.truncated) }
        position += 1
        return bytes[position - 1]
    }

    mutating func take(_ count: Int) throws(DecodingFault) -> ArraySlice<UInt8> {
        guard count <= bytes.count - position else { throw fault(.truncated) }
        position += count
        return bytes[position - count..<position]
    }

    mutating func long() throws(DecodingFault) -> Int64 {
        switch VariableLong.read(bytes[position...]) {
        case .number(let number, let length):
            position += length
            return number
        case .incomplete: throw fault(.truncated)
        case .impossible: throw fault(.noLong)
        }
    }

    /// A long that must be in a range; `what` it is, for people.
    mutating func number(
        _ what: String, in range: ClosedRange<Int64>
    ) throws(DecodingFault) -> Int64 {
        let start = self
        let number = try long()
        guard range.contains(number) else { throw start.fault(.impossible(what, number)) }
        return number
    }

    /// An index into something that has `count` of them.
    mutating func index(_ what: String, below count: Int) throws(DecodingFault) -> Int {
        let start = self
        let number = try long()
        guard number >= 0, number < count else { throw start.fault(.impossible(what, number)) }
        return Int(number)
    }

    /// What a number of `Pattern.bitWidth / 8` bytes stands for, little-endian.
    mutating func pattern<Pattern: FixedWidthInteger & UnsignedInteger>(
        _: Pattern.Type
    ) throws(DecodingFault) -> Pattern {
        try take(Pattern.bitWidth / 8).reversed().reduce(0) { $0 << 8 | Pattern($1) }
    }

    /// Bytes after their length.
    mutating func sized() throws(DecodingFault) -> ArraySlice<UInt8> {
        try take(Int(try number("a length", in: 0...Int64.max)))
    }
}
