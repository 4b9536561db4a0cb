/// Where an event stands in the one total order over all events.
///
/// Sequence numbers are never used twice, and the bytes of a claimed file never change, so a
/// position names the same event for ever.
public struct Position: Hashable, Comparable, Sendable {
    /// The sequence number of the event file.
    public var file: UInt64
    /// The byte offset of the event in the file's decompressed text.
    public var offset: UInt64

    public init(file: UInt64, offset: UInt64) {
        self.file = file
        self.offset = offset
    }

    public static func < (left: Position, right: Position) -> Bool {
        (left.file, left.offset) < (right.file, right.offset)
    }
}
