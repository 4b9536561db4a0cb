internal import Digest

/// The shared files of the SDKs: sections of `key = value` lines. Values may be secret.
///
/// Keys are read in lower case; `#` and `;` begin a comment at the start of a line, and after a blank; an
/// indented line goes on with the value above it, and is left out: no key read here has such values.
///
/// Source: "Shared config and credentials files", AWS SDKs and Tools Reference Guide.
nonisolated struct ProfileFile: Equatable {
    enum Kind {
        /// `[default]` and `[profile NAME]`; other sections are no profiles.
        case config
        /// `[NAME]`.
        case credentials
    }

    /// The number of a line that cannot be read.
    struct Damage: Error, Equatable {
        var line: Int
    }

    var profiles: [String: [String: Secret]] = [:]

    init() {}

    init(_ text: Secret, _ kind: Kind) throws(Damage) {
        let read = text.withUnsafeBytes { bytes in Self.read(bytes, kind) }
        profiles = try read.get()
    }

    private static func read(
        _ bytes: UnsafeRawBufferPointer, _ kind: Kind
    ) -> Result<[String: [String: Secret]], Damage> {
        var profiles: [String: [String: Secret]] = [:]
        // nil: before the first section; an empty name: in a section that is no profile.
        var profile: String?
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            let content = trimmed(line)
            guard let first = content.first, first != UInt8(ascii: "#"), first != UInt8(ascii: ";")
            else { continue }
            if first == UInt8(ascii: "[") {
                guard let end = content.firstIndex(of: UInt8(ascii: "]")) else {
                    return .failure(Damage(line: index + 1))
                }
                let name = String(decoding: content[..<end].dropFirst(), as: UTF8.self)
                let named = Self.profile(name, kind)
                if let named { profiles[named] = profiles[named] ?? [:] }
                profile = named ?? ""
                continue
            }
            if let start = line.first, isBlank(start), profile != nil { continue }
            guard let profile, let equals = content.firstIndex(of: UInt8(ascii: "=")) else {
                return .failure(Damage(line: index + 1))
            }
            if profile.isEmpty { continue }
            let key = String(decoding: trimmed(content[..<equals]), as: UTF8.self).lowercased()
            let value = trimmed(withoutComment(trimmed(content[(equals + 1)...])))
            profiles[profile, default: [:]][key] = Secret(
                copying: UnsafeRawBufferPointer(rebasing: value))
        }
        return .success(profiles)
    }

    /// The profile that a section is about; nil: it is about something else.
    private static func profile(_ section: String, _ kind: Kind) -> String? {
        switch kind {
        case .credentials:
            return section
        case .config:
            guard let words = ShellWords.split(section) else { return nil }
            if words == ["default"] { return "default" }
            return words.count == 2 && words[0] == "profile" ? words[1] : nil
        }
    }

    private static func withoutComment(
        _ value: Slice<UnsafeRawBufferPointer>
    ) -> Slice<UnsafeRawBufferPointer> {
        for index in value.indices.dropFirst()
        where isBlank(value[index - 1]) && (value[index] == 0x23 || value[index] == 0x3B) {
            return value[..<index]
        }
        return value
    }

    private static func trimmed(
        _ line: Slice<UnsafeRawBufferPointer>
    ) -> Slice<UnsafeRawBufferPointer> {
        let start = line.firstIndex { !isBlank($0) } ?? line.endIndex
        let end = line.lastIndex { !isBlank($0) }.map { $0 + 1 } ?? start
        return line[start..<end]
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (9...13).contains(byte) }
}
