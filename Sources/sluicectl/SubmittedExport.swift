import Digest
import Model
import Signing

/// A file that was submitted, and what the daemon says of its object from then on.
struct SubmittedExport {
    var name: ExportName
    /// Where it will lie, if no other object has the key.
    var address: ObjectAddress
    var bytes: Int
    var digest: ContentDigest
    var time: Timestamp

    /// What the daemon is asked.
    func question(of connector: ConnectorName) -> String {
        "/object?connector=\(connector)&key=\(PercentEncoding.component(address.key))"
            + "&name=\(PercentEncoding.component(name.path))&sha256=\(digest)&since=\(time.unixSeconds)"
    }

    /// How far it is.
    enum Progress: Equatable {
        /// Where it lies, which is another address where another object had its key.
        case stored(ObjectAddress)
        case uploading(sent: Int)
        /// It waits; why, where that is worth saying.
        case waiting(String?)
        /// It will not get there by itself.
        case refused(String)
    }

    /// What an answer means; nil where it is none.
    func progress(_ answer: JSONText) -> Progress? {
        let detail = answer["detail"]?.string
        switch answer["state"]?.string {
        case "stored":
            var place = address
            if let key = answer["key"]?.string { place.key = key }
            guard answer["sha256"]?.string == digest.description else {
                return .waiting(otherObject)
            }
            return .stored(place)
        case "other": return .waiting(otherObject)
        case "uploading": return .uploading(sent: min(bytes, max(0, answer["sent"]?.integer ?? 0)))
        case "absent", "held": return .waiting(nil)
        case "unknown": return .waiting(detail)
        case "at_fault", "quarantined": return .refused(detail ?? "sluiced does not say why")
        default: return nil
        }
    }

    private var otherObject: String { "another object lies at \(address)" }
}
