/// A table of names, found by their bytes.
///
/// Made once from a schema: nothing that an event says is put into it, so its runs of occupied slots stay as short as
/// the schema made them. Reads whole words, so what is looked up must have eight readable bytes after it.
struct CompiledNames {
    struct Name {
        /// Followed by eight bytes of zero.
        let bytes: UnsafePointer<UInt8>
        let count: Int
    }

    let names: UnsafePointer<Name>
    let count: Int
    private let slots: UnsafePointer<Int32>
    private let mask: Int

    init(_ texts: [String], in arena: CompiledArena) {
        count = texts.count
        let names = arena.array(
            texts.map { Name(bytes: arena.text($0), count: $0.utf8.count) })
        self.names = names
        var size = 4
        while size < 2 * texts.count { size *= 2 }
        mask = size - 1
        var slots = [Int32](repeating: -1, count: size)
        for index in 0..<texts.count {
            var slot = Self.hash(names[index].bytes, names[index].count) & mask
            while slots[slot] >= 0 { slot = (slot + 1) & mask }
            slots[slot] = Int32(index)
        }
        self.slots = arena.array(slots)
    }

    /// The index of a name; -1 where it is none of these.
    @inline(__always)
    func find(_ text: UnsafePointer<UInt8>, _ length: Int) -> Int {
        var slot = Self.hash(text, length) & mask
        while true {
            let index = Int(slots[slot])
            if index < 0 { return -1 }
            if names[index].count == length, names[index].matches(text) { return index }
            slot = (slot + 1) & mask
        }
    }

    /// Mixes the length, the first eight bytes and the last eight.
    @inline(__always)
    private static func hash(_ text: UnsafePointer<UInt8>, _ length: Int) -> Int {
        let raw = UnsafeRawPointer(text)
        var mixed = raw.loadUnaligned(as: UInt64.self)
        if length < 8 {
            mixed &= (1 << UInt64(8 * length)) &- 1
        } else {
            let last = raw.loadUnaligned(fromByteOffset: length - 8, as: UInt64.self)
            mixed ^= last << 23 | last >> 41
        }
        let product = (mixed ^ UInt64(length)) &* 0x9e37_79b9_7f4a_7c15
        return Int(truncatingIfNeeded: product >> 32)
    }
}

extension CompiledNames.Name {
    /// Whether a text begins with this name.
    @inline(__always)
    func matches(_ text: UnsafePointer<UInt8>) -> Bool {
        let left = UnsafeRawPointer(text)
        let right = UnsafeRawPointer(bytes)
        var index = 0
        while index + 8 <= count {
            if left.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                != right.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            {
                return false
            }
            index += 8
        }
        let difference =
            left.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            ^ right.loadUnaligned(fromByteOffset: index, as: UInt64.self)
        return difference & ((1 << UInt64(8 * (count - index))) &- 1) == 0
    }

    var text: String {
        String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
    }
}

/// Owns the memory that compiled tables point to, all of it until it goes.
final class CompiledArena {
    private var blocks: [UnsafeMutableRawPointer] = []

    deinit {
        for block in blocks { block.deallocate() }
    }

    /// Copies values that need no destruction.
    func array<Element: BitwiseCopyable>(_ elements: [Element]) -> UnsafePointer<Element> {
        UnsafePointer(mutableArray(elements))
    }

    func mutableArray<Element: BitwiseCopyable>(
        _ elements: [Element]
    ) -> UnsafeMutablePointer<Element> {
        let memory = UnsafeMutableRawPointer.allocate(
            byteCount: max(1, elements.count * MemoryLayout<Element>.stride), alignment: 16)
        blocks.append(memory)
        let typed = memory.bindMemory(to: Element.self, capacity: elements.count)
        for (index, element) in elements.enumerated() {
            (typed + index).initialize(to: element)
        }
        return typed
    }

    /// Copies the UTF-8 of a text and eight bytes of zero.
    func text(_ text: String) -> UnsafePointer<UInt8> {
        array(Array(text.utf8) + [UInt8](repeating: 0, count: 8))
    }
}
