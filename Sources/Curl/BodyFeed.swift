internal import Glibc

/// Feeds one body to libcurl: asks for chunks ahead, and says "pause" while none is there.
///
/// At most two chunks are in memory: the one being sent, and the next.
final class BodyFeed {
    /// How much is asked for at once: more of a large body, for each chunk costs some switches between threads.
    static func chunk(of length: Int64) -> Int { length < 4 << 20 ? 128 << 10 : 512 << 10 }

    enum Next: Equatable {
        case bytes(Int)
        case pause
        case failed
    }

    let length: Int64
    /// Set when reading failed; nothing more is given out then.
    private(set) var failure: BodyUnreadable?
    /// Whether the last byte was ever handed over, before a rewind too.
    private(set) var wasHandedOver: Bool
    /// Whether all of it was handed over, and then asked for again: the answer to the first time is lost.
    private(set) var wasSentBefore = false
    /// Whether libcurl waits for a chunk.
    private(set) var isPaused = false

    /// Called when a chunk or a failure arrives for a paused feed.
    var resume: () -> Void = {}

    private let source: any UploadBody
    private var chunks: [ArraySlice<UInt8>] = []
    /// The offset behind the last chunk asked for that arrived.
    private var arrived: Int64 = 0
    /// The offset of the next byte to hand over.
    private var handed: Int64 = 0
    private var isAsking = false
    /// Counts rewinds: a chunk that was asked for before the last one is dropped.
    private var round = 0

    init(_ source: any UploadBody) {
        self.source = source
        length = source.length
        wasHandedOver = length == 0
    }

    var isAtEnd: Bool { handed == length }

    /// Copies the next bytes into libcurl's buffer.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> Next {
        askAhead()
        if failure != nil { return .failed }
        guard handed < length else { return .bytes(0) }
        guard var first = chunks.first else {
            isPaused = true
            return .pause
        }
        let count = min(first.count, buffer.count)
        buffer.copyBytes(from: first.prefix(count))
        first.removeFirst(count)
        if first.isEmpty { chunks.removeFirst() } else { chunks[0] = first }
        handed += Int64(count)
        if handed == length { wasHandedOver = true }
        return .bytes(count)
    }

    /// Goes back to the given offset: libcurl sends the request again.
    func rewind(to offset: Int64) {
        if isAtEnd, length > 0 { wasSentBefore = true }
        round += 1
        chunks = []
        (arrived, handed) = (offset, offset)
        (isAsking, isPaused) = (false, false)
    }

    /// libcurl goes on: it will ask again.
    func resumed() {
        isPaused = false
    }

    /// Asks for the next chunk, unless one is on its way or two are here.
    func askAhead() {
        guard !isAsking, failure == nil, chunks.count < 2, arrived < length else { return }
        isAsking = true
        let count = Int(min(Int64(Self.chunk(of: length)), length - arrived))
        let asked = round
        source.read(from: arrived, count: count) { [weak self] result in
            guard let self, asked == round else { return }
            isAsking = false
            take(result, upTo: count)
        }
    }

    private func take(_ result: Result<[UInt8], BodyUnreadable>, upTo count: Int) {
        switch result {
        case .success(let bytes) where (1...count).contains(bytes.count):
            chunks.append(bytes[...])
            arrived += Int64(bytes.count)
        case .success(let bytes):
            let text = "\(bytes.count) bytes came where 1 to \(count) were asked for"
            failure = BodyUnreadable("\(text), at \(arrived) of \(length)")
        case .failure(let error):
            failure = error
        }
        if isPaused { resume() }
    }
}
