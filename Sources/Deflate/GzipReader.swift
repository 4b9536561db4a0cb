internal import CZlib

/// Decompresses a gzip file piece by piece: any number of members, as gzip(1) reads them.
public struct GzipReader: ~Copyable {
    public enum Failure: Error, Sendable, Equatable {
        /// It is no gzip data, or damaged from here on.
        case corrupt(String)
        /// It ends inside a member.
        case truncated
    }

    private let stream: UnsafeMutablePointer<z_stream>
    private var insideMember = true
    /// Found behind what was given out; every later call throws it.
    private var failure: Failure?

    public init() {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let status = sluice_inflate_init(stream, 15 + 16)  // 16: gzip only
        precondition(status == Z_OK, "inflateInit2: \(status)")
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    /// Decompresses from `input` into `output`; says how many bytes of each it used.
    ///
    /// It stops when either is used up. Bytes of zero after the last member are padding, as for gzip(1). What comes before
    /// damage is given out, so that it is the same however the input is cut; the next call throws.
    public mutating func read(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(Failure) -> (consumed: Int, produced: Int) {
        if let failure { throw failure }
        let source = input.bindMemory(to: UInt8.self)
        stream.pointee.next_in = UnsafeMutablePointer(mutating: source.baseAddress)
        stream.pointee.avail_in = UInt32(source.count)
        stream.pointee.next_out = output.bindMemory(to: UInt8.self).baseAddress
        stream.pointee.avail_out = UInt32(output.count)
        while stream.pointee.avail_in > 0, stream.pointee.avail_out > 0 {
            if !insideMember {
                if stream.pointee.next_in.pointee == 0 {
                    stream.pointee.next_in += 1
                    stream.pointee.avail_in -= 1
                    continue
                }
                precondition(inflateReset(stream) == Z_OK)
                insideMember = true
            }
            let status = inflate(stream, Z_NO_FLUSH)
            if status == Z_STREAM_END {
                insideMember = false
            } else if status == Z_BUF_ERROR {
                break
            } else if status != Z_OK {
                let found = Failure.corrupt(
                    stream.pointee.msg.map { String(cString: $0) } ?? "zlib \(status)")
                failure = found
                guard Int(stream.pointee.avail_out) < output.count else { throw found }
                break
            }
        }
        // Output that is still inside zlib comes out with the next input: a member's trailer is read last.
        return (
            source.count - Int(stream.pointee.avail_in),
            output.count - Int(stream.pointee.avail_out)
        )
    }

    /// Whether the data may end here.
    public func finish() throws(Failure) {
        if let failure { throw failure }
        if insideMember { throw .truncated }
    }
}
