import Avro
import Batching
import Delivery
import Files
import Model

@testable import Model
@testable import Spool

/// Arbitrary bytes as the small files of the spool. The first byte chooses which; an even one has them read as they are,
/// an odd one under the right checksum.
///
/// What is read is written as what is read as the same, and the spool can go on from it: numbers are counted on, and
/// clocks run.
enum StateTarget {
    private static let kinds = [
        "envelope", "offsets", "sequence", "totals", "routing", "episodes", "schemas", "rejects",
    ]

    static func fault(_ bytes: [UInt8]) -> String? {
        guard let first = bytes.first else { return nil }
        // What came later has numbers of its own, so that the corpus means what it did.
        let kind = first >= 0xF0 ? UploadRecord.kind : kinds[Int(first >> 1) % kinds.count]
        var file = Array(bytes.dropFirst())
        if kind == "rejects" { return RejectsFile.fault(file) }
        if first & 1 == 1 {
            file = Array("sluice \(kind) 1\n".utf8) + file
            if file.last != UInt8(ascii: "\n") { file.append(UInt8(ascii: "\n")) }
            file += Array("checksum: \(CheckedText.checksum(file))\n".utf8)
        }
        do throws(CheckedText.Fault) {
            let text = try CheckedText(file, kind: kind)
            guard try CheckedText(text.bytes, kind: kind) == text else { return "it is another" }
            if let fault = try lineFault(file, text) { return fault }
            switch kind {
            case "envelope": return try envelopeFault(text, file)
            case UploadRecord.kind:
                return try fault(UploadRecord(text), UploadRecord.init) { $0.text }
            case "totals": return try fault(Totals(text), Totals.init) { $0.text }
            case "routing": return try fault(Routing(text), Routing.init) { $0.text }
            case "episodes": return try episodesFault(EpisodeBook(text))
            case "schemas": return try fault(UsedSchemas(file)) { $0.text }
            default: return numbersFault(kind, file)
            }
        } catch {
            return error.description.isEmpty ? "a fault without words" : nil
        }
    }

    /// The two ways to read lines see the same ones.
    private static func lineFault(
        _ file: [UInt8], _ text: CheckedText
    ) throws(CheckedText.Fault) -> String? {
        var keys: [[UInt8]] = []
        try CheckedText.forEachLine(of: file, kind: text.kind) { key, _ in
            keys.append(Array(key))
        }
        return keys.elementsEqual(text.lines) { $0.elementsEqual($1.key.utf8) }
            ? nil : "read without strings, it has other lines"
    }

    private static func fault<Value: Equatable>(
        _ value: Value, _ read: (CheckedText) throws(CheckedText.Fault) -> Value,
        _ write: (Value) -> CheckedText
    ) throws(CheckedText.Fault) -> String? {
        let text = write(value)
        let again = try read(CheckedText(text.bytes, kind: text.kind))
        return again == value ? nil : "written and read, it is \(again), not \(value)"
    }

    private static func fault(
        _ schemas: UsedSchemas, _ write: (UsedSchemas) -> CheckedText
    ) throws(CheckedText.Fault) -> String? {
        try UsedSchemas(write(schemas).bytes) == schemas ? nil : "other schemas"
    }

    private static func envelopeFault(
        _ text: CheckedText, _ file: [UInt8]
    ) throws(CheckedText.Fault) -> String? {
        let envelope = try Envelope(text)
        if let fault = try fault(envelope, Envelope.init, { $0.text }) { return fault }
        let summary = try EnvelopeSummary(envelope.text.bytes)
        // A summary has values as they are escaped.
        guard summary == EnvelopeSummary(envelope) || file.contains(UInt8(ascii: "\\")) else {
            return "\(summary) is no summary of \(envelope)"
        }
        let held = HeldBatch(
            summary, HeldBatch.Origin(envelope.batch.connector, summary.eventType), clock: .zero)
        guard held.id == envelope.batch, held.acceptedFrom <= held.accepted else {
            return "held as \(held)"
        }
        _ = held.accepted.extended
        _ = Hour(unixSeconds: held.acceptedFrom.unixSeconds).description
        var clock = SpoolClock(after: nil, boot: "b", bootTime: .zero)
        clock.raise(
            to: Instant(nanoseconds: 0) + (envelope.acceptedClock ?? .zero), at: .seconds(1))
        return nil
    }

    /// Counts on from marks that were read.
    private static func numbersFault(_ kind: String, _ file: [UInt8]) -> String? {
        let files = MemoryFile(file)
        do throws(SpoolFailure) {
            guard kind == "offsets", let connector = ConnectorName("orders") else {
                var numbers = try SequenceNumbers(above: 7, files)
                let first = try onFile { () throws(FileError) in try numbers.take(files) }
                let second = try onFile { () throws(FileError) in try numbers.take(files) }
                var later = try SequenceNumbers(above: second, files)
                let third = try onFile { () throws(FileError) in try later.take(files) }
                return 7 < first && first < second && second < third ? nil : "a number came twice"
            }
            let now: UInt64 = 1_800_000_000_000_000
            var offsets = try Offsets(connector, microseconds: now, files)
            try onFile { () throws(FileError) in
                try offsets.reserve(["t": 5], microseconds: now, files)
            }
            let first = offsets.take("t", 5)
            var later = try Offsets(connector, microseconds: now, files)
            try onFile { () throws(FileError) in
                try later.reserve(["t": 1], microseconds: now, files)
            }
            return later.take("t", 1) >= first + 5 ? nil : "an offset came twice"
        } catch {
            return error.description.isEmpty ? "a failure without words" : nil
        }
    }

    /// A connector goes on from its record, for longer than any window.
    private static func episodesFault(_ book: EpisodeBook) throws(CheckedText.Fault) -> String? {
        if let fault = try fault(book, EpisodeBook.init, { $0.text }) { return fault }
        var clock = SpoolClock(after: book.clock, boot: "another", bootTime: .seconds(1))
        for entry in book.entries {
            for hasBooted in [false, true] {
                var health = ConnectorHealth(at: clock.reading)
                _ = health.restore(entry.record, hasBooted: hasBooted, at: clock.reading)
                for days in 0..<3 {
                    clock = clock.stamped(at: .seconds(1 + days * 86_400))
                    let now = clock.reading
                    _ = health.tick(at: now) { _ in Instant(nanoseconds: 0) }
                    let isLost = health.hasLost(
                        Instant(nanoseconds: 0), eventType: "t", at: now)
                    let isYoungLost = health.hasLost(now, eventType: "t", at: now)
                    if isYoungLost && !isLost { return "the young are lost before the old" }
                    _ = health.firstDrop(now, eventType: "t", at: now)
                }
            }
        }
        return nil
    }
}

/// Arbitrary bytes as lines that were refused: the first one the reason, the second the connector, the third the file.
///
/// A head is one line of JSON that says how many bytes follow it, whatever they are.
enum RejectsFile {
    static func fault(_ bytes: [UInt8]) -> String? {
        let parts = bytes.split(
            separator: UInt8(ascii: "\n"), maxSplits: 3, omittingEmptySubsequences: false)
        let texts = (0..<3).map { index in
            index < parts.count ? String(decoding: parts[index], as: UTF8.self) : ""
        }
        let line = parts.count > 3 ? Array(parts[3]) : []
        let files = MemoryFile()
        let name = ActiveName(
            number: 1, accepted: Timestamp(unixSeconds: 0), size: 0, encoding: .plain,
            connector: nil, original: texts[2])
        do throws(FileError) {
            var rejects = try Rejects(name, files)
            for number in 1...2 {
                let connector: String? = texts[1].isEmpty ? nil : texts[1]
                let bytes = UnsafeMutableRawBufferPointer.allocate(
                    byteCount: line.count, alignment: 1)
                defer { bytes.deallocate() }
                bytes.copyBytes(from: line)
                try rejects.add(
                    line: number, offset: UInt64(number), connector: connector, reason: texts[0],
                    UnsafeRawBufferPointer(bytes), files)
            }
            try rejects.flush(files)
        } catch {
            return "memory fails: \(error)"
        }
        return fault(in: files.bytes[...], name, texts, line)
    }

    private static func fault(
        in file: ArraySlice<UInt8>, _ name: ActiveName, _ texts: [String], _ line: [UInt8]
    ) -> String? {
        var rest = file
        guard let head = readHead(&rest), head["rejects"]?.integer == 1,
            head["file"]?.string == name.shown
        else { return "the file has no head" }
        for number in 1...2 {
            guard let head = readHead(&rest), head["line"]?.integer == number,
                head["reason"]?.string == texts[0], head["bytes"]?.integer == line.count,
                head["connector"]?.string ?? "" == texts[1],
                rest.prefix(line.count + 1).elementsEqual(line + [UInt8(ascii: "\n")])
            else { return "line \(number) is another" }
            rest = rest.dropFirst(line.count + 1)
        }
        return rest.isEmpty ? nil : "\(rest.count) bytes more"
    }

    private static func readHead(_ rest: inout ArraySlice<UInt8>) -> JSONText? {
        guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        defer { rest = rest[(end + 1)...] }
        return try? JSONReader.read(Array(rest[..<end]))
    }
}
