import Glibc
import Model

/// The name of a file that intake takes for an event file, and names like it where that is taken.
struct EventFileName: Equatable {
    static let rule = "the name must end in .jsonl, .ndjson or .json, each also with .gz"

    /// Bytes of the part before the extension. With a number, and as a hidden name, a name then stays
    /// below the 255 bytes that file systems allow.
    private static let longestStem = 200

    private let stem: String
    /// With its dot: `.jsonl.gz`.
    private let suffix: String

    /// Takes the last part of a path; nil where it has none of the extensions.
    ///
    /// Leading dots go, because intake leaves hidden files alone; a long name keeps its beginning.
    init?(ofPath path: String) {
        guard let name = path.split(separator: "/", omittingEmptySubsequences: false).last,
            let suffix = Self.suffixes.first(where: name.hasSuffix)
        else { return nil }
        self.suffix = suffix
        var stem = name.dropLast(suffix.count).drop { $0 == "." }
        while stem.utf8.count > Self.longestStem { stem.removeLast() }
        self.stem = stem.isEmpty ? "events" : String(stem)
    }

    /// Of what comes from stdin.
    static var ofInput: EventFileName? {
        let now = Timestamp(unixSeconds: Int64(time(nil)))
        return EventFileName(ofPath: "stdin-\(now.basic)-\(getpid()).jsonl")
    }

    /// The name itself for 0, then `events-1.jsonl`, `events-2.jsonl`.
    func text(number: Int) -> String {
        number == 0 ? stem + suffix : "\(stem)-\(number)\(suffix)"
    }

    private static let suffixes = [".jsonl", ".ndjson", ".json"].flatMap { [$0, $0 + ".gz"] }
}
