/// How the keys of exports are made, below the connector's folder: a text with members in braces.
///
/// ```
/// {path}                                                  2026/11/report.csv (as it is called)
/// segment-export/{directory}/{date}/{uuid}-{timestamp}/{name}
/// ```
public struct KeyTemplate: Sendable, Hashable {
    /// What a template can have, by the text in its braces.
    public enum Member: String, Sendable, Hashable, CaseIterable {
        /// All of the file's name.
        case path
        /// The last part of it.
        case name
        /// What stands before the last part; often nothing.
        case directory
        /// When the file was last modified (UTC): YYYY-MM-DD.
        case date
        /// When the file was last modified, in whole seconds since 1970.
        case timestamp
        /// Made of the file (RFC 9562, version 8), so it is the same each time.
        case uuid
    }

    enum Piece: Sendable, Hashable {
        case text(String)
        case member(Member)
    }

    /// The file's name alone.
    public static let standard = KeyTemplate(pieces: [.member(.path)])

    let pieces: [Piece]

    private init(pieces: [Piece]) {
        self.pieces = pieces
    }

    public init(_ text: String) throws(Fault) {
        let pieces = try Self.pieces(of: text)
        if let fault = Self.fault(in: pieces) { throw fault }
        self.pieces = pieces
    }

    /// Which members it has.
    public var names: Set<Member> {
        Set(pieces.compactMap { if case .member(let member) = $0 { member } else { nil } })
    }

    /// What every key begins with, up to the first member.
    public var prefix: String {
        if case .text(let text)? = pieces.first { text } else { "" }
    }

    /// The key of a file, below the folder.
    ///
    /// Parts that are empty, because a member is, are left out.
    ///
    /// - Parameter digest: the SHA-256 of the file's `identity`: 32 bytes.
    public func path(_ file: ExportFile, digest: [UInt8]) -> String {
        let text = pieces.map { piece in
            switch piece {
            case .text(let text): text
            case .member(let member): Self.value(of: member, file, digest)
            }
        }.joined()
        return text.unicodeScalars.split(separator: "/").map { String($0) }.joined(separator: "/")
    }

    /// Bytes of the longest key that it can make.
    public var longest: Int {
        pieces.reduce(0) { sum, piece in
            switch piece {
            case .text(let text): sum + text.utf8.count
            case .member(.path), .member(.name), .member(.directory): sum + ExportName.longest
            case .member(.uuid): sum + 36
            // Nanoseconds in 64 bits reach from 1677 to 2262.
            case .member(.date), .member(.timestamp): sum + 11
            }
        }
    }

    private static func value(of member: Member, _ file: ExportFile, _ digest: [UInt8]) -> String {
        let (quotient, rest) = file.modified.quotientAndRemainder(dividingBy: 1_000_000_000)
        let seconds = rest < 0 ? quotient - 1 : quotient
        return switch member {
        case .path: file.name.path
        case .name: file.name.name
        case .directory: file.name.directory
        case .date: String(Timestamp(unixSeconds: seconds).extended.prefix { $0 != "T" })
        case .timestamp: "\(seconds)"
        case .uuid: uuid(digest)
        }
    }

    /// The first 128 bits of a digest, but for version and variant.
    ///
    /// Source: RFC 9562, section 5.8.
    private static func uuid(_ digest: [UInt8]) -> String {
        precondition(digest.count >= 16, "a SHA-256 has 32 bytes")
        var bytes = Array(digest.prefix(16))
        bytes[6] = bytes[6] & 0x0f | 0x80
        bytes[8] = bytes[8] & 0x3f | 0x80
        var text = ""
        for (index, byte) in bytes.enumerated() {
            if [4, 6, 8, 10].contains(index) { text += "-" }
            let digits = String(byte, radix: 16)
            text += digits.utf8.count == 1 ? "0" + digits : digits
        }
        return text
    }
}

extension KeyTemplate: CustomStringConvertible {
    public var description: String {
        pieces.map { piece in
            switch piece {
            case .text(let text): text
            case .member(let member): "{\(member.rawValue)}"
            }
        }.joined()
    }
}

extension KeyTemplate {
    /// What is wrong with a template, as the end of a sentence that begins with it.
    public enum Fault: Error, Sendable, Equatable {
        case brace
        case unknown(String)
        /// Neither {path} nor {name}: every file would want the same key.
        case nameless
        case control
        case slashAtAnEnd
        case emptyPart
        case resolvedPart(String)
    }

    private static func pieces(of text: String) throws(Fault) -> [Piece] {
        var pieces: [Piece] = []
        var rest = text.unicodeScalars[...]
        while let first = rest.first {
            guard first == "{" else {
                let run = rest.prefix { $0 != "{" }
                if run.contains("}") { throw .brace }
                pieces.append(.text(String(run)))
                rest = rest[run.endIndex...]
                continue
            }
            guard let end = rest.firstIndex(of: "}") else { throw .brace }
            let name = String(rest[..<end].dropFirst())
            guard let member = Member(rawValue: name) else { throw .unknown(name) }
            pieces.append(.member(member))
            rest = rest[end...].dropFirst()
        }
        return pieces
    }

    /// Judges the text with its members in place: {directory} may be nothing, all others are something.
    private static func fault(in pieces: [Piece]) -> Fault? {
        let template = KeyTemplate(pieces: pieces)
        let scalars = template.description.unicodeScalars
        if scalars.contains(where: ExportName.isControl) { return .control }
        if scalars.first == "/" || scalars.last == "/" { return .slashAtAnEnd }
        if template.names.isDisjoint(with: [.path, .name]) { return .nameless }
        for part in scalars.split(separator: "/", omittingEmptySubsequences: false) {
            if part.isEmpty { return .emptyPart }
            var least = String(part)
            while let range = least.firstRange(of: "{directory}") { least.removeSubrange(range) }
            if least == "." || least == ".." { return .resolvedPart(least) }
        }
        return nil
    }
}

extension KeyTemplate.Fault: CustomStringConvertible {
    public var description: String {
        switch self {
        case .brace: "has a brace that belongs to no member"
        case .unknown(let name):
            "has {\(name)}; there are "
                + KeyTemplate.Member.allCases.map { "{\($0.rawValue)}" }.joined(separator: ", ")
        case .nameless: "has neither {path} nor {name}, so all files would have one key"
        case .control: "has a control character"
        case .slashAtAnEnd: "must not begin or end with a slash"
        case .emptyPart: "has two slashes side by side"
        case .resolvedPart(let part): "has the part \"\(part)\", which many tools resolve"
        }
    }
}
