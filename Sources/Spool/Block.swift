/// A run of events of one stream in memory, waiting to be packed.
///
/// Sendable: it has one owner at a time. The router fills it and gives it away; the worker that packs it frees it.
final class Block: @unchecked Sendable {
    // Each use below is by the block's one owner; the pointer is never given out beyond a call.
    private var memory: UnsafeMutableRawPointer
    private(set) var capacity: Int
    private(set) var used = 0
    private(set) var events = 0

    init(capacity: Int = Limits.firstBlockBytes) {
        self.capacity = capacity
        memory = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit {
        memory.deallocate()
    }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: memory, count: used) }

    /// Whether `count` bytes more keep it within the size of a block. An empty block takes anything.
    @inline(__always)
    func hasRoom(for count: Int) -> Bool {
        used + count <= Limits.blockBytes || used == 0
    }

    /// Appends an event and its newline; says by how much the block's memory grew.
    @inline(__always)
    func appendLine(_ event: UnsafeRawPointer, _ count: Int) -> Int {
        let grown = append(event, count, room: 1)
        memory.storeBytes(of: UInt8(ascii: "\n"), toByteOffset: used, as: UInt8.self)
        used += 1
        return grown
    }

    /// Appends an encoded event; says by how much the block's memory grew.
    @inline(__always)
    func append(_ event: UnsafeRawPointer, _ count: Int) -> Int {
        append(event, count, room: 0)
    }

    @inline(__always)
    private func append(_ event: UnsafeRawPointer, _ count: Int, room: Int) -> Int {
        let needed = used + count + room
        let grown = needed > capacity ? grow(to: needed) : 0
        memory.advanced(by: used).copyMemory(from: event, byteCount: count)
        used += count
        events += 1
        return grown
    }

    private func grow(to least: Int) -> Int {
        var size = capacity
        while size < least { size *= 2 }
        let larger = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
        larger.copyMemory(from: memory, byteCount: used)
        memory.deallocate()
        memory = larger
        defer { capacity = size }
        return size - capacity
    }
}
