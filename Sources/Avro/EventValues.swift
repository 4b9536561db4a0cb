internal import Digest
internal import Encoding
internal import Model

/// Values of each type, and unions.
extension EventRun {
    /// Writes a value as a type; false where it is none of that type.
    mutating func value(_ type: Int, _ piece: JSONPiece) -> Bool {
        let compiled = types[type]
        let first = text[piece.start]
        switch compiled.kind {
        case .string:
            if first == UInt8(ascii: "\"") {
                put(string: piece)
                return true
            }
            guard first | 0x20 == UInt8(ascii: "{") else { return refuse(.wrongValue, type, piece) }
            put(textOf: piece)
            return true
        case .union:
            return union(compiled, type, piece)
        case .hashed, .removed, .unfit:
            return transformed(compiled, type, piece)
        default:
            guard compiled.accepts & JSONKind.of(first) != 0 else {
                return refuse(.wrongValue, type, piece)
            }
        }
        switch compiled.kind {
        case .null:
            return true
        case .boolean:
            put(byte: first == UInt8(ascii: "t") ? 1 : 0)
            return true
        case .int:
            guard let number = EventNumber.integer(text + piece.start),
                Int(Int32(truncatingIfNeeded: number)) == number
            else { return refuse(.wrongValue, type, piece) }
            put(long: number)
            return true
        case .long:
            guard let number = EventNumber.integer(text + piece.start) else {
                return refuse(.wrongValue, type, piece)
            }
            put(long: number)
            return true
        case .double:
            guard let number = EventNumber.double(text + piece.start, piece.count) else {
                return refuse(.wrongValue, type, piece)
            }
            put(number.bitPattern)
            return true
        case .float:
            guard let number = EventNumber.double(text + piece.start, piece.count),
                Float(number).isFinite || !number.isFinite
            else { return refuse(.wrongValue, type, piece) }
            put(Float(number).bitPattern)
            return true
        case .bytes:
            return put(bytes: piece, exactly: nil, type)
        case .fixed:
            return put(bytes: piece, exactly: Int(compiled.index), type)
        case .enumeration:
            let symbol = scratch.unescaped(text, piece)
            let index = enumerations[Int(compiled.index)].find(symbol.bytes, symbol.count)
            guard index >= 0 else { return refuse(.wrongValue, type, piece) }
            put(long: index)
            return true
        case .array:
            return array(Int(compiled.index), type, piece)
        case .map:
            return map(Int(compiled.index), type, piece)
        case .record:
            return record(Int(compiled.index), type, piece)
        case .string, .union, .hashed, .removed, .unfit:
            preconditionFailure("written above")
        }
    }

    // MARK: Strings

    @inline(__always)
    mutating func put(string piece: JSONPiece) {
        if piece.isEscaped {
            put(escaped: piece)
        } else {
            put(text + piece.start + 1, piece.count - 2)
        }
    }

    /// Writes a string that takes an object or array as its text.
    mutating func put(textOf piece: JSONPiece) {
        put(text + piece.start, piece.count)
    }

    /// Writes a length and so many bytes.
    @inline(__always)
    mutating func put(_ bytes: UnsafePointer<UInt8>, _ count: Int) {
        reserve(count + 32)
        putInRoom(count)
        if count <= 16 {
            // Sixteen bytes can be read after every event, and written in the room reserved.
            copy16(bytes, to)
        } else if count <= 64 {
            var done = 0
            while done + 16 < count {
                copy16(bytes + done, to + done)
                done += 16
            }
            copy16(bytes + count - 16, to + count - 16)
        } else {
            to.update(from: bytes, count: count)
        }
        to += count
    }

    @inline(__always)
    private func copy16(_ from: UnsafePointer<UInt8>, _ to: UnsafeMutablePointer<UInt8>) {
        let word = UnsafeRawPointer(from).loadUnaligned(as: SIMD16<UInt8>.self)
        UnsafeMutableRawPointer(to).storeBytes(of: word, as: SIMD16<UInt8>.self)
    }

    private mutating func put(escaped piece: JSONPiece) {
        let plain = scratch.unescaped(text, piece)
        reserve(plain.count + 10)
        putInRoom(plain.count)
        to.update(from: plain.bytes, count: plain.count)
        to += plain.count
    }

    /// Writes the code points of a string as a byte each, with their number before them where it may vary.
    private mutating func put(bytes piece: JSONPiece, exactly size: Int?, _ type: Int) -> Bool {
        let plain = scratch.unescaped(text, piece)
        var points = 0
        for index in 0..<plain.count {
            let byte = plain.bytes[index]
            // Code points from 128 to 255 have two bytes, of which the first is 0xc2 or 0xc3.
            guard byte < 0xc4 else { return refuse(.wrongValue, type, piece) }
            if byte & 0xc0 != 0x80 { points += 1 }
        }
        guard size == nil || size == points else { return refuse(.wrongValue, type, piece) }
        reserve(points + 10)
        if size == nil { putInRoom(points) }
        var index = 0
        while index < plain.count {
            let byte = plain.bytes[index]
            if byte < 0x80 {
                to.pointee = byte
                index += 1
            } else {
                to.pointee = byte << 6 | plain.bytes[index + 1] & 0x3f
                index += 2
            }
            to += 1
        }
        return true
    }

    /// Writes an IEEE 754 number, lowest byte first.
    @inline(__always)
    private mutating func put<Word: FixedWidthInteger & BitwiseCopyable>(_ word: Word) {
        reserve(MemoryLayout<Word>.size)
        UnsafeMutableRawPointer(to).storeBytes(of: word.littleEndian, as: Word.self)
        to += MemoryLayout<Word>.size
    }
}
