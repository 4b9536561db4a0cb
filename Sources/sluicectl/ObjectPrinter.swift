import Avro
import Model

/// Prints one object, whatever it is, without having more than a block of it in memory.
struct ObjectPrinter {
    enum Wanted {
        case events
        /// The schema that an Avro container has in its header.
        case schema
        /// What the object says of itself, and what is counted in it.
        case metadata
    }

    let wanted: Wanted
    /// The object as the user named it.
    let shown: String

    /// What was printed before a refusal stays printed.
    func print(_ bytes: ObjectBytes, to output: inout BufferedOutput) throws(Refusal) {
        let result = Result { () throws(Refusal) in try printParts(bytes, to: &output) }
        try output.flush()
        if case .failure(var refusal) = result {
            refusal.text = "\(shown): \(refusal.text)"
            throw refusal
        }
    }

    private func printParts(
        _ bytes: ObjectBytes, to output: inout BufferedOutput
    ) throws(Refusal) {
        let kind = try kind(of: bytes)
        guard let codec = Self.codec(of: kind) else {
            return try print(bytes, kind, compression: nil, to: &output)
        }
        let decompressed = bytes.decompressed(codec)
        let inner = try self.kind(of: decompressed)
        if let innerCodec = Self.codec(of: inner) {
            throw Refusal("it is \(innerCodec.rawValue) data within \(codec.rawValue) data")
        }
        try print(decompressed, inner, compression: codec.rawValue, to: &output)
    }

    /// What all of the object is compressed with.
    private static func codec(of kind: ObjectKind) -> ObjectBytes.Codec? {
        switch kind {
        case .gzip: .gzip
        case .zstd: .zstd
        case .avro, .lines: nil
        }
    }

    private func kind(of bytes: ObjectBytes) throws(Refusal) -> ObjectKind {
        let first: ArraySlice<UInt8>
        do { first = try bytes.first(ObjectKind.bytes) } catch { throw Refusal(error.text) }
        return try ObjectKind(firstBytes: first)
    }

    private func print(
        _ bytes: ObjectBytes, _ kind: ObjectKind, compression: String?,
        to output: inout BufferedOutput
    ) throws(Refusal) {
        guard kind != .avro else {
            var container = try ContainerPrinter(bytes)
            switch wanted {
            case .events: try container.printEvents(to: &output)
            case .schema: output.append { $0 += container.schema.utf8 + [newline] }
            case .metadata:
                let compression = compression ?? container.compression
                tell("avro", compression, try container.members(), to: &output)
            }
            return
        }
        switch wanted {
        case .events: _ = try lines(bytes, to: &output, isPrinted: true)
        case .schema: throw Refusal("JSON Lines have no schema; only Avro containers have one")
        case .metadata:
            let count = try lines(bytes, to: &output, isPrinted: false)
            tell("jsonl", compression ?? "none", [("events", .integer(count))], to: &output)
        }
    }

    private func tell(
        _ format: String, _ compression: String, _ members: [(String, JSONText)],
        to output: inout BufferedOutput
    ) {
        let head: [(String, JSONText)] = [
            ("object", .string(shown)), ("format", .string(format)),
            ("compression", .string(compression)),
        ]
        output.append { $0 += JSONText.object(head + members).text.utf8 + [newline] }
    }

    private var newline: UInt8 { UInt8(ascii: "\n") }

    // MARK: JSON Lines

    /// Counts the lines that are not blank; prints all, as they are, if asked to.
    private func lines(
        _ bytes: ObjectBytes, to output: inout BufferedOutput, isPrinted: Bool
    ) throws(Refusal) -> Int {
        var (count, isBlank, endsLine) = (0, true, true)
        while true {
            let piece: [UInt8]
            do { piece = try bytes.next() } catch { throw Refusal(error.text) }
            if piece.isEmpty { break }
            for byte in piece {
                if byte == newline {
                    if !isBlank { count += 1 }
                    isBlank = true
                } else if isBlank, ![0x20, 0x09, 0x0D].contains(byte) {
                    isBlank = false
                }
            }
            endsLine = piece.last == newline
            if isPrinted {
                output.append { $0 += piece }
                try output.flushIfFull()
            }
        }
        if isPrinted, !endsLine { output.append { $0.append(newline) } }
        return count + (isBlank ? 0 : 1)
    }
}
