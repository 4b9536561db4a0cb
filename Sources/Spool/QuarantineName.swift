import Model

/// The name of something in `quarantine/`.
///
/// ```
/// <number>.rejects                                          refused lines, as Rejects writes them
/// <number>,<connector or _>,<offset or _>-<original name>   a file kept whole
/// <number>,<connector>,export-<original name>               the same, of those that become objects as they are
/// <number>-<original name>                                  the same, kept by a daemon of layout 2
/// <number>.reason                                           why it is kept
/// ```
///
/// The offset is where what was not taken begins in the file's text; `_`: it is not to be read again. It stands in the
/// name since one rename then moves the file and says so. A daemon of layout 2 wrote it nowhere that a power cut spares.
struct QuarantineName: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        case rejects
        case file(KeptFile)
        case reason
    }

    struct KeptFile: Hashable, Sendable {
        /// The sub-directory it was dropped into.
        var connector: ConnectorName?
        var from: UInt64?
        /// The name it was dropped under, as `NameEscape` writes it.
        var original: String
        /// Nobody reads it as events.
        var isExport = false
        /// Kept by a daemon of layout 2, which says no more than this.
        var isOld = false

        fileprivate static let export = "export"

        fileprivate var extent: String {
            isExport ? Self.export : from.map { String($0) } ?? "_"
        }
    }

    var number: UInt64
    var kind: Kind

    var text: String {
        let number = hexadecimal(number, width: 16)
        return switch kind {
        case .rejects: "\(number).rejects"
        case .reason: "\(number).reason"
        case .file(let file) where file.isOld: "\(number)-\(file.original)"
        case .file(let file):
            "\(number),\(file.connector?.description ?? "_"),"
                + "\(file.extent)-\(file.original)"
        }
    }

    var path: String { "\(SpoolLayout.quarantine)/\(text)" }

    /// What people name it by: what came of one event file may lie there as events and as a file.
    var id: QuarantineID { QuarantineID(number: number, isFile: kind != .rejects) }
}

extension QuarantineName {
    init?(_ text: String) {
        guard text.utf8.count > 16, let number = UInt64(text.prefix(16), radix: 16) else {
            return nil
        }
        let rest = text.dropFirst(17)
        switch text.dropFirst(16).first {
        case "." where rest == "rejects": self.init(number: number, kind: .rejects)
        case "." where rest == "reason": self.init(number: number, kind: .reason)
        case "-":
            self.init(
                number: number, kind: .file(KeptFile(original: String(rest), isOld: true)))
        case ",":
            guard let file = KeptFile(rest) else { return nil }
            self.init(number: number, kind: .file(file))
        default: return nil
        }
        guard self.text == text else { return nil }
    }
}

extension QuarantineName.KeptFile {
    fileprivate init?(_ text: Substring) {
        let parts = text.split(separator: ",", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0] == "_" || ConnectorName(parts[0]) != nil else {
            return nil
        }
        let rest = parts[1].split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        let isExport = rest[0] == Self.export
        guard rest.count == 2, isExport || rest[0] == "_" || UInt64(rest[0]) != nil else {
            return nil
        }
        self.init(
            connector: ConnectorName(parts[0]), from: UInt64(rest[0]), original: String(rest[1]),
            isExport: isExport)
    }
}

/// What people name something in quarantine by: `1f-events`, `1f-file`.
public struct QuarantineID: Hashable, Sendable, Comparable {
    var number: UInt64
    var isFile: Bool

    init(number: UInt64, isFile: Bool) {
        self.number = number
        self.isFile = isFile
    }

    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let number = UInt64(parts[0], radix: 16) else { return nil }
        switch parts[1] {
        case "events": self.init(number: number, isFile: false)
        case "file": self.init(number: number, isFile: true)
        default: return nil
        }
    }

    public static func < (left: QuarantineID, right: QuarantineID) -> Bool {
        (left.number, left.isFile ? 1 : 0) < (right.number, right.isFile ? 1 : 0)
    }
}

extension QuarantineID: CustomStringConvertible {
    public var description: String {
        "\(hexadecimal(number, width: 1))-\(isFile ? "file" : "events")"
    }
}
