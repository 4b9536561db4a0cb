import Curl
import Digest
import Dispatch
import Files
import Spool

/// The object of a held batch, or a part of it, read for an upload off the loop.
final class ObjectBody: UploadBody {
    let length: Int64
    /// How far it was read, in bytes.
    private(set) var reached: Int64 = 0
    /// What went wrong with the object on disk, if anything did.
    private(set) var failure: ObjectFailure?
    /// Whether it was sent once more after all of it was read: libcurl does so by itself when a connection that was kept
    /// alive closes without an answer, and only the last answer is seen.
    private(set) var wasSentAgain = false
    private var wasReadToEnd = false
    private let file: any OpenFile
    private let start: UInt64
    private let queue: DispatchQueue
    private let sent: (Int) -> Void

    /// - Parameters:
    ///   - range: the bytes of the file.
    ///   - sent: is told how many bytes were read to be sent.
    init(
        _ file: any OpenFile, _ range: Range<UInt64>, on queue: DispatchQueue,
        sent: @escaping (Int) -> Void
    ) {
        self.file = file
        start = range.lowerBound
        length = Int64(range.count)
        self.queue = queue
        self.sent = sent
    }

    func read(
        from offset: Int64, count: Int,
        completion: @escaping (Result<[UInt8], BodyUnreadable>) -> Void
    ) {
        let (file, place) = (file, start + UInt64(offset))
        let wanted = min(count, Int(length - offset))
        if offset == 0, wasReadToEnd { wasSentAgain = true }
        if offset + Int64(wanted) == length { wasReadToEnd = true }
        // Made and called on the main actor only; the queue just carries it.
        nonisolated(unsafe) let completion = completion
        queue.async { [weak self] in
            let result = Self.read(file, place, wanted)
            onLoop {
                self?.wasRead(result, at: offset)
                completion(
                    result.mapError { failure in
                        self?.failure = failure
                        return BodyUnreadable(failure.text)
                    })
            }
        }
    }

    private func wasRead(_ result: Result<[UInt8], ObjectFailure>, at offset: Int64) {
        guard case .success(let bytes) = result else { return }
        reached = offset + Int64(bytes.count)
        sent(bytes.count)
    }

    nonisolated static let isShorter = "the object is shorter than it was"

    private nonisolated static func read(
        _ file: any OpenFile, _ offset: UInt64, _ count: Int
    ) -> Result<[UInt8], ObjectFailure> {
        var failure: FileError?
        // What is read is all that is initialised.
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, read in
            do throws(FileError) {
                read = try file.read(into: UnsafeMutableRawBufferPointer(buffer), at: offset)
            } catch {
                failure = error
            }
        }
        if let failure { return .failure(ObjectFailure(failure)) }
        return bytes.isEmpty ? .failure(.damaged(isShorter)) : .success(bytes)
    }
}

/// Why the object of a batch cannot be sent.
nonisolated enum ObjectFailure: Error, Sendable, Equatable {
    /// It is not what was sealed: a person has to look.
    case damaged(String)
    /// The file system does not give it out now.
    case unreadable(String)

    /// A bad sector concerns one batch, and must not hold up those behind it.
    init(_ error: FileError) {
        self = error.isMediaFault ? .damaged(error.description) : .unreadable(error.description)
    }

    var text: String {
        switch self {
        case .damaged(let text), .unreadable(let text): text
        }
    }
}

/// An envelope and its object, ready to be read.
nonisolated struct OpenedObject: Sendable {
    var envelope: Envelope
    var file: any OpenFile

    /// Opens a batch. What an earlier process sealed is hashed first: its disk may have failed since.
    static func open(
        _ batch: BatchID, verifying: Bool, _ files: any FileSystem
    ) -> Result<OpenedObject, ObjectFailure> {
        let envelope: Envelope
        do throws(SpoolFailure) { envelope = try Envelope.read(batch, files) } catch {
            if case .file(let error) = error { return .failure(ObjectFailure(error)) }
            return .failure(.damaged(error.description))
        }
        do throws(FileError) {
            let object = OpenedObject(envelope: envelope, file: try files.open(envelope.objectPath))
            let size = try object.file.status().size
            guard size == envelope.size else {
                return .failure(
                    .damaged("\(envelope.objectPath) has \(size) bytes, not \(envelope.size)"))
            }
            if verifying, try object.digest() != envelope.digest {
                return .failure(.damaged("\(envelope.objectPath) has another SHA-256 than it had"))
            }
            return .success(object)
        } catch {
            return .failure(
                error.isMissing
                    ? .damaged("\(envelope.objectPath) is gone") : ObjectFailure(error))
        }
    }

    private func digest() throws(FileError) -> ContentDigest {
        var computation = ContentDigestComputation(envelope.digest.form)
        var buffer = [UInt8](repeating: 0, count: 256 << 10)
        var offset: UInt64 = 0
        while offset < envelope.size {
            let count = try buffer.withUnsafeMutableBytes { buffer in
                Result { () throws(FileError) in try file.read(into: buffer, at: offset) }
            }.get()
            if count == 0 { break }
            buffer.withUnsafeBytes {
                computation.update(UnsafeRawBufferPointer(rebasing: $0.prefix(count)))
            }
            offset += UInt64(count)
        }
        return computation.finish()
    }
}
