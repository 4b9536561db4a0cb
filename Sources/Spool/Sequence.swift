import Files
import Model

/// Hands out the sequence numbers of event files, each once for ever.
///
/// Blocks of them are reserved durably before the first of a block is used; what is left of a block at a restart is
/// skipped.
struct SequenceNumbers {
    private var next: UInt64
    private var reserved: UInt64
    /// A higher one was given by nobody: nothing could be counted on from it.
    private static let highest = UInt64(Int64.max)

    /// Goes on above everything that was ever used: the mark, and every number found in the spool.
    init(above used: UInt64, _ files: some FileSystem) throws(SpoolFailure) {
        var mark: UInt64 = 0
        if let text = try StateFile.read(SpoolLayout.sequence, kind: "sequence", files) {
            mark = try StateFile.value(SpoolLayout.sequence) { () throws(CheckedText.Fault) in
                try text.number("reserved")
            }
        }
        let last = max(mark, used)
        guard last <= Self.highest else {
            let number = hexadecimal(last, width: 16)
            throw .damaged(
                path: SpoolLayout.sequence,
                reason: "it, or a file's name, has the number \(number), which nobody gave")
        }
        next = max(mark, used + 1)
        reserved = next
    }

    /// Before the spool is open.
    static let none = SequenceNumbers(next: .max, reserved: .max)

    private init(next: UInt64, reserved: UInt64) {
        self.next = next
        self.reserved = reserved
    }

    /// Every number to come is at least this.
    var upcoming: UInt64 { next }

    mutating func take(_ files: some FileSystem) throws(FileError) -> UInt64 {
        if next == reserved {
            var text = CheckedText(kind: "sequence")
            text.add("reserved", next + Limits.sequenceBlock)
            try StateFile.write(SpoolLayout.sequence, text, in: ".", files)
            reserved = next + Limits.sequenceBlock
        }
        defer { next += 1 }
        return next
    }
}
