/// What a file in the spool is called in the bucket, below its connector's folder.
///
/// Producers make no directories in the spool, so `%2F` in a file's name stands for a slash, as `%XX` does for any
/// byte (`%25` for the percent sign). One name has one file name, `fileName`, in which the spool keeps it.
public struct ExportName: Sendable {
    /// Bytes of the longest `fileName`: what the spool writes around it has to fit into the 255 bytes of a name, too.
    public static let longest = 140

    /// UTF-8 without control characters; no part of it is empty, "." or "..".
    public let path: String

    public init(path: String) throws(Fault) {
        if let fault = Self.fault(in: path) { throw fault }
        let length = Self.escaped(path).utf8.count
        guard length <= Self.longest else { throw .tooLong(length) }
        self.path = path
    }

    /// - Parameter fileName: as the file lies in `incoming/<connector>/`.
    public init(fileName: String) throws(Fault) {
        try self.init(path: Self.decoded(fileName))
    }

    /// Printable ASCII; "%", "/" and all else as `%XX`.
    ///
    /// So is a dot where a name with it would be taken for a file that is not ready: intake leaves those alone.
    public var fileName: String { Self.escaped(path) }

    /// The last part.
    public var name: String {
        let scalars = path.unicodeScalars
        guard let slash = scalars.lastIndex(of: "/") else { return path }
        return String(scalars[slash...].dropFirst())
    }

    /// What stands before the last part, without the slash between; "" where nothing does.
    public var directory: String {
        let scalars = path.unicodeScalars
        return scalars.lastIndex(of: "/").map { String(scalars[..<$0]) } ?? ""
    }
}

extension ExportName {
    /// What is wrong with a name, as the end of a sentence that begins with "its name".
    public enum Fault: Error, Sendable, Equatable {
        case empty
        /// Bytes as `fileName` writes it.
        case tooLong(Int)
        case notUTF8
        case strayPercent
        case control
        case slashAtAnEnd
        case emptyPart
        case resolvedPart(String)
    }

    private static func fault(in path: String) -> Fault? {
        let scalars = path.unicodeScalars
        if scalars.isEmpty { return .empty }
        if scalars.contains(where: isControl) { return .control }
        if scalars.first == "/" || scalars.last == "/" { return .slashAtAnEnd }
        for part in scalars.split(separator: "/", omittingEmptySubsequences: false) {
            let part = String(part)
            if part.isEmpty { return .emptyPart }
            if part == "." || part == ".." { return .resolvedPart(part) }
        }
        return nil
    }

    /// C0, DEL and C1.
    static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value)
    }

    private static func decoded(_ fileName: String) throws(Fault) -> String {
        var bytes: [UInt8] = []
        var rest = fileName.utf8.makeIterator()
        while let byte = rest.next() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.next().flatMap(value), let low = rest.next().flatMap(value) else {
                throw .strayPercent
            }
            bytes.append(high << 4 | low)
        }
        guard let path = String(validating: bytes, as: UTF8.self) else { throw .notUTF8 }
        return path
    }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    private static func escaped(_ path: String) -> String {
        let bytes = Array(path.utf8)
        let ending = [".tmp", ".part"].first { bytes.reversed().starts(with: $0.utf8.reversed()) }
        let unready = [bytes.startIndex, ending.map { bytes.count - $0.utf8.count }]
        var text: [UInt8] = []
        for (index, byte) in bytes.enumerated() {
            let isPlain =
                (0x21...0x7e).contains(byte) && byte != UInt8(ascii: "%")
                && byte != UInt8(ascii: "/")
            if isPlain, byte != UInt8(ascii: ".") || !unready.contains(index) {
                text.append(byte)
            } else {
                text.append(UInt8(ascii: "%"))
                text += [byte >> 4, byte & 15].map {
                    $0 < 10 ? UInt8(ascii: "0") + $0 : UInt8(ascii: "A") + $0 - 10
                }
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}

/// By bytes, as keys are told apart in a bucket: `String` takes two spellings of one letter for equal.
extension ExportName: Hashable {
    public static func == (left: ExportName, right: ExportName) -> Bool {
        left.path.utf8.elementsEqual(right.path.utf8)
    }

    public func hash(into hasher: inout Hasher) {
        for byte in path.utf8 { hasher.combine(byte) }
    }
}

extension ExportName.Fault: CustomStringConvertible {
    public var description: String {
        switch self {
        case .empty: "is empty"
        case .tooLong(let bytes):
            "takes \(bytes) bytes in the spool, and \(ExportName.longest) is the most; shorten it"
        case .notUTF8: "is not UTF-8"
        case .strayPercent:
            "has a \"%\" without two hexadecimal digits behind it; write %25 for a percent sign"
        case .control: "has a control character"
        case .slashAtAnEnd: "begins or ends with a slash"
        case .emptyPart: "has two slashes side by side"
        case .resolvedPart(let part): "has the part \"\(part)\", which many tools resolve"
        }
    }
}
