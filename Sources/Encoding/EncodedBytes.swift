/// Bytes written by an encoder, in memory that grows and is used again.
///
/// The memory moves when it grows, so a pointer into it is good until the next call of `room`.
public final class EncodedBytes {
    // Allocated here, freed in deinit; lent for reading by `bytes`, for writing by `room`.
    private var memory: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    public private(set) var count = 0

    public init() {
        capacity = 4096
        memory = .allocate(capacity: capacity)
    }

    deinit {
        memory.deallocate()
    }

    /// What was written. Good until the next change.
    public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: memory, count: count) }

    /// Forgets what was written and keeps the memory.
    public func removeAll() {
        count = 0
    }

    /// Where the next bytes go: at least `least` of them, and as many as there is memory for.
    public func room(for least: Int) -> UnsafeMutableBufferPointer<UInt8> {
        if capacity - count < least { grow(to: count + least) }
        return UnsafeMutableBufferPointer(start: memory + count, count: capacity - count)
    }

    /// Counts bytes as written that were put where `room` said.
    public func wrote(_ written: Int) {
        precondition(written <= capacity - count)
        count += written
    }

    /// Takes the last bytes back.
    public func takeBack(to earlier: Int) {
        precondition(earlier <= count)
        count = earlier
    }

    public func append(_ text: UnsafePointer<UInt8>, _ length: Int) {
        room(for: length).baseAddress?.update(from: text, count: length)
        count += length
    }

    public func append(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            if let start = bytes.baseAddress { append(start, bytes.count) }
        }
    }

    private func grow(to least: Int) {
        capacity = max(2 * capacity, least)
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
        larger.update(from: memory, count: count)
        memory.deallocate()
        memory = larger
    }
}
