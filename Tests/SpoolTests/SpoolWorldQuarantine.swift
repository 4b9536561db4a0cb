import Files
import Model
import Support

@testable import Spool

/// What is refused in a `SpoolWorld`, and what people do about it.
extension SpoolWorld {
    /// The names of all there is in quarantine.
    var refusedNames: [QuarantineName] {
        files.paths.filter { $0.hasPrefix("quarantine/") }
            .compactMap { QuarantineName(String($0.dropFirst("quarantine/".count))) }
            .filter { $0.kind != .reason }
    }

    /// What lies in one of them: the ids of events, or what is left in a file.
    func refused(in name: QuarantineName) -> [String] {
        if case .file(let kept) = name.kind { return [kept.original] }
        let text = String(decoding: files.contents(name.path) ?? [], as: UTF8.self)
        return text.split(separator: "\n")
            .filter { !$0.hasPrefix("{\"line\"") && !$0.hasPrefix("{\"rejects\"") }
            .map(eventID)
    }

    func refused(in item: QuarantineItem) -> [String] { refused(in: item.name) }

    /// One of them, or all.
    private func choose() -> QuarantineID? {
        Bool.random(using: &random) ? nil : refusedNames.randomElement(using: &random)?.id
    }

    func retryRefused() {
        let only = [nil, nil, SpoolWorld.shop].randomElement(using: &random) ?? nil
        spool?.decide(.retry(only), choose()) { _ in }
    }

    /// Only some of it: most is to come back.
    func discardRefused() {
        guard let name = refusedNames.randomElement(using: &random)
        else { return }
        let refused = refused(in: name)
        nonisolated(unsafe) let world = self
        spool?.decide(.discard, name.id) { result in
            if case .success(let outcome) = result, outcome.items == 1 {
                world.gone.formUnion(refused)
            }
        }
    }

    /// Somebody puts the whole file in the place of the one that breaks off.
    func mendFile() {
        for name in refusedNames {
            if case .file(let kept) = name.kind, kept.original == "f.jsonl.gz" {
                files.edit(name.path, SpoolWorld.wholeFile)
            }
        }
    }

    static let lastOfFile = 3
    private static let linesOfFile = (0...lastOfFile).map {
        #"{"event_type":"mail.Send","id":"f\#($0)"}"#
    }
    private static let wholeFile = gzip(Array(linesOfFile.joined(separator: "\n").utf8))

    /// Files that are not taken, or not to their end.
    func dropBrokenFiles() {
        files.drop("incoming/f.jsonl.gz", SpoolWorld.wholeFile.dropLast(8))
        drop("g.jsonl", ["bad g0", "bad g1"])
    }
}

/// The id of an event, or the last word of what is none.
func eventID(_ line: Substring) -> String {
    if let range = line.firstRange(of: "\"id\":\"") {
        return String(line[range.upperBound...].prefix { $0 != "\"" })
    }
    return String(line.split(separator: " ").last ?? "")
}
