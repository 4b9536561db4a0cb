internal import Encoding
internal import Model

/// The state of encoding one event: where its text lies, where its bytes go, and what is noted on the way.
///
/// A value is written by a function that says whether it could; where it could not, `fault` says why and `path` where.
/// Depth costs a few frames a level (union, type, record), together about 1 KiB in a release build and 4 in a
/// debug build, and an event has at most 512 levels: 2 MiB at worst, where threads have 8.
struct EventRun {
    let types: UnsafePointer<CompiledType>
    let records: UnsafePointer<CompiledRecord>
    let fields: UnsafePointer<CompiledField>
    let branches: UnsafePointer<Int32>
    let branchNames: UnsafePointer<CompiledNames.Name>
    let enumerations: UnsafePointer<CompiledNames>
    let routingNames: CompiledNames

    var text: UnsafePointer<UInt8>
    let output: EncodedBytes
    /// What the event has added to the output beyond its `count`, and how far its memory goes.
    private var base: UnsafeMutablePointer<UInt8>
    var to: UnsafeMutablePointer<UInt8>
    private var limit: UnsafeMutablePointer<UInt8>
    private let firstByte: Int

    let scratch: EventScratch
    var fault = EventFault()
    var ignoredMembers = 0
    var firstIgnored = JSONPiece.none
    /// Bytes of objects and arrays that may still be read; see `EventEncoder.rereads`.
    private var allowance: Int
    /// The event has used up what may be read of it or written. `fault` says so, and no branch can mend it.
    private(set) var isSpent = false

    init(
        _ schema: CompiledSchema, _ scratch: EventScratch, _ text: UnsafePointer<UInt8>,
        _ count: Int, _ output: EncodedBytes
    ) {
        types = schema.types
        records = schema.records
        fields = schema.fields
        branches = schema.branches
        branchNames = schema.branchNames
        enumerations = schema.enumerations
        routingNames = schema.routingNames
        self.text = text
        self.output = output
        self.scratch = scratch
        scratch.removeAll()
        firstByte = output.count
        allowance = EventEncoder.rereads * count
        let room = output.room(for: count + 64)
        base = room.baseAddress!  // `room` was asked for more than nothing.
        to = base
        limit = base + room.count
    }

    // MARK: Output

    /// Makes sure that `count` bytes can be written at `to`.
    @inline(__always)
    mutating func reserve(_ count: Int) {
        if limit - to < count { grow(count) }
    }

    private mutating func grow(_ count: Int) {
        output.wrote(to - base)
        open(for: count)
    }

    private mutating func open(for count: Int) {
        let room = output.room(for: max(count, 1))
        base = room.baseAddress!  // `room` was asked for more than nothing.
        to = base
        limit = base + room.count
    }

    /// How far the output reaches; to be given to `takeBack`.
    var mark: Int { output.count + (to - base) }

    mutating func takeBack(to mark: Int) {
        if mark >= output.count {
            to = base + (mark - output.count)
        } else {
            output.takeBack(to: mark)
            open(for: 1)
        }
    }

    /// Whether what was written is no longer than it may be.
    mutating func isFitting() -> Bool {
        if !isSpent, mark - firstByte > EventEncoder.longestEncoding { spend(.tooLong) }
        return !isSpent
    }

    /// Counts what was written as the output's, or takes all of it back.
    mutating func end(accepted: Bool) {
        if !accepted { takeBack(to: firstByte) }
        output.wrote(to - base)
        base = to
    }

    @inline(__always)
    mutating func put(byte: UInt8) {
        reserve(1)
        to.pointee = byte
        to += 1
    }

    /// Writes an int or a long: zigzag, seven bits a byte, lowest first.
    @inline(__always)
    mutating func put(long value: Int) {
        reserve(10)
        putInRoom(value)
    }

    @inline(__always)
    mutating func putInRoom(_ value: Int) {
        var rest = UInt(bitPattern: value << 1 ^ value >> 63)
        while rest >= 0x80 {
            to.pointee = UInt8(truncatingIfNeeded: rest) | 0x80
            to += 1
            rest >>= 7
        }
        to.pointee = UInt8(truncatingIfNeeded: rest)
        to += 1
    }

    // MARK: Faults

    /// Notes why a value cannot be written; returns false.
    @inline(never)
    mutating func refuse(_ kind: EventFault.Kind, _ type: Int, _ piece: JSONPiece) -> Bool {
        if !isSpent { fault = EventFault(kind: kind, type: type, piece: piece) }
        return false
    }

    private mutating func spend(_ kind: EventFault.Kind) {
        fault = EventFault(kind: kind)
        allowance = -1
        isSpent = true
    }

    /// Enters an array or object; false where the event has used up what may be read of it or written.
    @inline(__always)
    mutating func enter(_ piece: JSONPiece) -> Bool {
        allowance -= piece.count + EventEncoder.entryCost
        if allowance < 0 {
            if !isSpent { spend(.tooOften) }
            return false
        }
        return isFitting()
    }
}

/// Why a value cannot be written, before it is put into words.
struct EventFault {
    enum Kind {
        case wrongValue
        case missing
        case noBranch
        case wrongTransform
        case tooLong
        case tooOften
    }

    var kind = Kind.wrongValue
    var type = 0
    var piece = JSONPiece.none
}
