internal import Encoding
internal import Glibc

/// Memory for a text as the scanner wants it, with a page behind it that nobody may touch.
///
/// The text, its newline and the padding end where that page begins, so a read past the padding ends the test run.
public final class GuardedText {
    private let start: UnsafeMutableRawPointer
    private let size: Int
    private static let page = 4096

    public init(capacity: Int) {
        size = (capacity + 1 + JSONScanner.padding + Self.page - 1) / Self.page * Self.page
        let memory = mmap(
            nil, size + Self.page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let memory, memory != MAP_FAILED else { fatalError("mmap: errno \(errno)") }
        precondition(mprotect(memory + size, Self.page, PROT_NONE) == 0)
        start = memory
    }

    deinit {
        munmap(start, size + Self.page)
    }

    /// Places a text at the end; the pointer is good until the next call.
    public func place(_ text: [UInt8]) -> UnsafePointer<UInt8> {
        let place = start + (size - JSONScanner.padding - 1 - text.count)
        text.withUnsafeBytes {
            place.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(place), byteCount: text.count)
        }
        place.storeBytes(of: UInt8(ascii: "\n"), toByteOffset: text.count, as: UInt8.self)
        return UnsafePointer(place.assumingMemoryBound(to: UInt8.self))
    }
}
