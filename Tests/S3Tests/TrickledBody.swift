import Curl
import Dispatch

/// A body that comes in small pieces, each of them later.
final class TrickledBody: UploadBody {
    let bytes: [UInt8]
    let piece: Int
    /// Reading fails from here on.
    var breaksAt: Int?
    /// Reading never ends from here on.
    var stallsAt: Int?

    init(_ bytes: [UInt8], piece: Int) {
        self.bytes = bytes
        self.piece = piece
    }

    var length: Int64 { Int64(bytes.count) }

    func read(
        from offset: Int64, count: Int,
        completion: @escaping (Result<[UInt8], BodyUnreadable>) -> Void
    ) {
        let start = Int(offset)
        if let stallsAt, start >= stallsAt { return }
        DispatchQueue.main.async { [self] in
            if let breaksAt, start >= breaksAt {
                completion(.failure(BodyUnreadable("orders.object: Input/output error")))
            } else {
                completion(.success(Array(bytes[start...].prefix(min(piece, count)))))
            }
        }
    }
}

/// Bytes that tell where they come from.
func pattern(_ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 11) }
}
