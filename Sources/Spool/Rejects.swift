import Files
import Model

/// The refused lines of one event file, on their way into `quarantine/<number>.rejects`.
///
/// ```
/// {"rejects":1,"file":"incoming/orders/events.jsonl","accepted":"2026-11-22T17:53:00Z"}
/// {"line":12,"offset":3456,"connector":"orders","reason":"...","bytes":123}
/// <the line's 123 bytes>
/// ...
/// ```
///
/// Made the same again whenever the file is read again, and sealed before the file leaves `active/`. Until then its
/// name begins with a dot. Owned by the router.
struct Rejects {
    let number: UInt64
    private var pending: [UInt8] = []
    private var size: UInt64 = 0

    /// What is written at once.
    private static let pieceBytes = 64 << 10

    /// It takes no more lines.
    var isFull: Bool { size + UInt64(pending.count) >= Limits.rejectsBytes }

    var temporaryPath: String { Self.temporaryPath(number) }
    static func temporaryPath(_ number: UInt64) -> String {
        "\(SpoolLayout.quarantine)/.\(hexadecimal(number, width: 16)).rejects"
    }
    static func path(_ number: UInt64) -> String {
        "\(SpoolLayout.quarantine)/\(hexadecimal(number, width: 16)).rejects"
    }

    init(_ file: ActiveName, _ files: some FileSystem) throws(FileError) {
        number = file.number
        // A longer file of an earlier reading must not shine through.
        try files.remove(Self.temporaryPath(number))
        pending = Array(
            "{\"rejects\":1,\"file\":\(JSONText.quoted(file.shown)),\"accepted\":\"\(file.accepted.extended)\"}\n"
                .utf8)
    }

    mutating func add(
        line: Int, offset: UInt64, connector: String?, reason: String,
        _ bytes: UnsafeRawBufferPointer, _ files: some FileSystem
    ) throws(FileError) {
        var head = "{\"line\":\(line),\"offset\":\(offset)"
        if let connector { head += ",\"connector\":\(JSONText.quoted(connector))" }
        head += ",\"reason\":\(JSONText.quoted(reason)),\"bytes\":\(bytes.count)}\n"
        pending += Array(head.utf8)
        pending += bytes
        pending.append(UInt8(ascii: "\n"))
        if pending.count >= Self.pieceBytes { try flush(files) }
    }

    mutating func flush(_ files: some FileSystem) throws(FileError) {
        let (path, at, bytes) = (temporaryPath, size, pending)
        let result = bytes.withUnsafeBytes { bytes in
            Result { () throws(FileError) in try files.append(path, at: at, bytes) }
        }
        try result.get()
        size += UInt64(pending.count)
        pending.removeAll(keepingCapacity: true)
    }
}
