import Model

/// The name of a claimed file. It holds all that is known of the file besides its bytes.
///
/// ```
/// <number, 16 hex digits>.<accepted, Unix seconds>.<size>.<kind>.<connector or _>.<original name, escaped>
/// ```
///
/// The kind is `plain` or `gzip`, the encoding of an event file. One that comes from quarantine says more: `+<offset>`
/// after that, where the text before the offset was taken earlier; or `rejects`, a file as `Rejects` writes it, and
/// `+<connector>` after that, where only what this connector refused is tried again. `export` is a file that becomes an
/// object as it is; its name is an `ExportName`.
struct ActiveName: Hashable, Sendable {
    enum Encoding: String, Sendable { case plain, gzip }

    enum Contents: Hashable, Sendable {
        /// Events, from an offset of the text on.
        case events(from: UInt64)
        /// Refused events; all of them, or those of one connector.
        case rejects(of: ConnectorName?)
        /// Bytes that nobody reads: they become one object.
        case export
    }

    var number: UInt64
    var accepted: Timestamp
    /// Only so many bytes are ever read; what was added later is set aside.
    var size: UInt64
    var encoding: Encoding
    /// The sub-directory it was dropped into.
    var connector: ConnectorName?
    /// The name it was dropped under, as `NameEscape` writes it.
    var original: String
    var contents = Contents.events(from: 0)

    var text: String { text(behind: "") }

    /// Put together in one string: it is made for each operation on each of very many files.
    private func text(behind prefix: String) -> String {
        var text = prefix
        text.reserveCapacity(prefix.utf8.count + 128 + original.utf8.count)
        text += hexadecimal(number, width: 16)
        for part in [String(accepted.unixSeconds), String(size), kind] {
            text += "."
            text += part
        }
        text += "."
        text += connector?.description ?? "_"
        text += "."
        text += original
        return text
    }

    private var kind: String {
        switch contents {
        case .events(0): encoding.rawValue
        case .events(let from): "\(encoding.rawValue)+\(from)"
        case .rejects(nil): Self.rejects
        case .rejects(let connector?): "\(Self.rejects)+\(connector)"
        case .export: Self.export
        }
    }

    private static let rejects = "rejects"
    private static let export = "export"

    /// Its name if it is kept whole: a file of rejects is none of events, and must not be taken for one.
    var keptOriginal: String { isRejects ? "\(original).\(Self.rejects)" : original }

    /// Where events that were not taken before begin in its text.
    var from: UInt64 {
        if case .events(let from) = contents { from } else { 0 }
    }

    var isRejects: Bool {
        if case .rejects = contents { true } else { false }
    }

    var isExport: Bool { contents == .export }

    var path: String { text(behind: SpoolLayout.active + "/") }
    var hour: Hour { Hour(unixSeconds: accepted.unixSeconds) }

    /// The name to show to people: where it was dropped.
    var shown: String { NameEscape.shown(connector, original) }
}

extension ActiveName {
    init?(_ text: String) {
        let parts = text.split(separator: ".", maxSplits: 5, omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0].utf8.count == 16, let number = UInt64(parts[0], radix: 16),
            let accepted = Int64(parts[1]), let size = UInt64(parts[2]),
            let (encoding, contents) = Self.kind(parts[3]),
            parts[4] == "_" || ConnectorName(parts[4]) != nil
        else { return nil }
        self.init(
            number: number, accepted: Timestamp(unixSeconds: accepted), size: size,
            encoding: encoding, connector: ConnectorName(parts[4]), original: String(parts[5]),
            contents: contents)
    }

    private static func kind(_ text: Substring) -> (Encoding, Contents)? {
        if text == export { return (.plain, .export) }
        let parts = text.split(separator: "+", maxSplits: 1, omittingEmptySubsequences: false)
        if parts[0] == rejects {
            guard parts.count == 2 else { return (.plain, .rejects(of: nil)) }
            return ConnectorName(parts[1]).map { (.plain, .rejects(of: $0)) }
        }
        guard let encoding = Encoding(rawValue: String(parts[0])) else { return nil }
        guard parts.count == 2 else { return (encoding, .events(from: 0)) }
        guard let from = UInt64(parts[1]), from > 0, String(from) == parts[1] else { return nil }
        return (encoding, .events(from: from))
    }

    /// The longest name that file systems take, in bytes.
    private static let longest = 255

    /// With as much of the original name, from its end, as there is room for.
    var fitted: ActiveName {
        var name = self
        name.original = String(
            original.suffix(max(0, original.utf8.count - max(0, text.utf8.count - Self.longest))))
        return name
    }

    /// How a file is encoded, by its extension; nil where it is no event file.
    static func encoding(ofFile name: String) -> Encoding? {
        let plain = [".jsonl", ".ndjson", ".json"]
        if plain.contains(where: name.hasSuffix) { return .plain }
        if plain.contains(where: { name.hasSuffix($0 + ".gz") }) { return .gzip }
        return nil
    }
}

/// The name of a file on its way from `incoming/` to `active/`: `.claiming-<number>.<connector or _>.<original name>`.
struct ClaimingName: Hashable, Sendable {
    static let prefix = ".claiming-"

    var number: UInt64
    var connector: ConnectorName?
    var original: String

    var path: String {
        "\(SpoolLayout.active)/\(Self.prefix)\(hexadecimal(number, width: 16))."
            + "\(connector?.description ?? "_").\(original)"
    }

    var shown: String { NameEscape.shown(connector, original) }
}

extension ClaimingName {
    init?(_ text: String) {
        guard text.hasPrefix(Self.prefix) else { return nil }
        let parts = text.dropFirst(Self.prefix.count).split(
            separator: ".", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let number = UInt64(parts[0], radix: 16),
            parts[1] == "_" || ConnectorName(parts[1]) != nil
        else { return nil }
        self.init(number: number, connector: ConnectorName(parts[1]), original: String(parts[2]))
    }
}

/// Writes a producer's file name so that it can stand inside ours: printable ASCII, no `/`, bounded.
enum NameEscape {
    /// The most bytes of an escaped name. With all that stands before it, a name stays below the file systems' limit.
    private static let longest = 120

    static func escape(_ name: String) -> String {
        let isPlain = name.utf8.allSatisfy {
            (0x21...0x7e).contains($0) && $0 != 0x25 && $0 != 0x2f
        }
        if isPlain, name.utf8.count <= longest { return name }
        var pieces: [String] = []
        for byte in name.utf8 {
            switch byte {
            case UInt8(ascii: "%"), 0...0x20, 0x2f, 0x7f...:
                let digits = String(byte, radix: 16, uppercase: true)
                pieces.append("%" + (digits.utf8.count == 1 ? "0" : "") + digits)
            default:
                pieces.append(String(UnicodeScalar(byte)))
            }
        }
        // A long name keeps its end, where the extension is.
        var (text, kept) = ("", 0)
        for piece in pieces.reversed() {
            if kept + piece.utf8.count > longest { break }
            text = piece + text
            kept += piece.utf8.count
        }
        return text
    }

    /// Stands before names that name no object, so that nobody takes what is written here for a name that does.
    private static let invalid = "%!"

    static func markInvalid(_ escaped: String) -> String { invalid + escaped }

    static func shown(_ connector: ConnectorName?, _ original: String) -> String {
        // Such a name was escaped though it is meant to be read as one that is.
        let name =
            original.hasPrefix(invalid)
            ? original.dropFirst(invalid.count).replacing("%25", with: "%") : original[...]
        return connector.map { "\(SpoolLayout.incoming)/\($0)/\(name)" }
            ?? "\(SpoolLayout.incoming)/\(name)"
    }
}
