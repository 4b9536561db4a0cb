import Model

@testable import Spool

/// Arbitrary bytes as the names that say what lies in the spool, and as the short texts that the configuration has:
/// what is read is written as what is read as the same, and a producer's name stands inside ours without harm.
enum NamesTarget {
    static func fault(_ bytes: [UInt8]) -> String? {
        let text = String(decoding: bytes, as: UTF8.self)
        return fault(dropping: text) ?? fault(spool: text) ?? fault(time: text)
            ?? fault(configured: text)
    }

    /// An event file is dropped under this name.
    private static func fault(dropping name: String) -> String? {
        let original = NameEscape.escape(name)
        guard original.utf8.count <= 120,
            original.utf8.allSatisfy({ (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "/") })
        else { return "\(name) is escaped as \(original)" }
        let connector = ConnectorName("orders")
        let active = ActiveName(
            number: .max >> 1, accepted: Timestamp(unixSeconds: 253_402_300_799), size: .max,
            encoding: .gzip, connector: connector, original: original)
        let claiming = ClaimingName(number: 1, connector: nil, original: original)
        guard active.text.utf8.count <= 255, ActiveName(active.text) == active else {
            return "a claimed file has another name: \(active.text)"
        }
        let last = claiming.path.split(separator: "/").last ?? ""
        guard ClaimingName(String(last)) == claiming else {
            return "a file that is being claimed has another name: \(last)"
        }
        // What it holds is told by the end of the name that was dropped, whatever is cut off before it.
        guard ActiveName.encoding(ofFile: original) == ActiveName.encoding(ofFile: name) else {
            return "escaped, \(name) has another encoding"
        }
        return nil
    }

    private static func fault(spool text: String) -> String? {
        if let name = ActiveName(text) {
            guard ActiveName(name.text) == name else { return "\(text) is another \(name.text)" }
            _ = name.hour.description
            _ = name.accepted.extended
        }
        if let name = QuarantineName(text), name.text != text {
            return "\(text) is another \(name.text)"
        }
        if let id = QuarantineID(text), QuarantineID(id.description) != id {
            return "\(text) is another \(id)"
        }
        if let name = ClaimingName(text) {
            let last = String(name.path.dropFirst(SpoolLayout.active.utf8.count + 1))
            guard ClaimingName(last) == name else { return "\(text) is another \(last)" }
        }
        guard let name = SealedName(text), let connector = ConnectorName("orders") else {
            return nil
        }
        let batch = BatchID(connector: connector, first: name.first)
        guard BatchID(connector: connector, name: batch.name) == batch else {
            return "\(batch.name) is another batch"
        }
        let path =
            switch name.kind {
            case .object: SpoolLayout.object(batch)
            case .envelope: SpoolLayout.envelope(batch)
            case .uncertain: SpoolLayout.uncertain(batch)
            case .upload: SpoolLayout.upload(batch)
            case .delivered: SpoolLayout.tombstone(batch)
            case .stored(let removal): StoredExport(batch: batch, removal: removal).path
            case .loss(let loss): loss.path(batch)
            }
        let last = path.split(separator: "/").last.map(String.init) ?? ""
        return SealedName(last) == name ? nil : "\(text) is another \(last)"
    }

    private static func fault(time text: String) -> String? {
        if let hour = Hour(text), hour.description != text { return "\(text) is hour \(hour)" }
        if let time = Timestamp(iso8601: text) {
            // A year has four digits.
            let written = time.extended
            guard (0...9999).contains(time.unixSeconds / 31_556_952 + 1970) else { return nil }
            if written.utf8.count == 20, Timestamp(iso8601: written) != time {
                return "\(text) is \(written)"
            }
        }
        return nil
    }

    private static func fault(configured text: String) -> String? {
        if let duration = Duration(text: text), Duration(text: duration.text) != duration {
            return "\(text) is written as \(duration.text)"
        }
        if let size = ByteCount(text), ByteCount(size.text) != size {
            return "\(text) is written as \(size.text)"
        }
        if let name = ConnectorName(text), name.description != text || !EventType.isValid(text) {
            return "connector \(name) is no event type"
        }
        guard let pattern = EventPattern(text) else { return nil }
        if EventPattern(pattern.description) != pattern { return "pattern \(text) is another" }
        return EventType.isValid(text) && !pattern.matches(text) ? "\(text) is not \(text)" : nil
    }
}
