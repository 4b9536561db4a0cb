import ArgumentParser
import Configuration
import Curl
import Glibc
import Model

/// `sluicectl quarantine show`: what was refused, line by line.
struct QuarantineShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Shows why something was refused, and the first refused lines.",
        discussion: """
            With --raw, all refused lines go to stdout byte by byte, or the whole file, so that \
            they can be mended and submitted; look at them with a program that a hostile line \
            cannot fool.

            Examples:
              sluicectl quarantine show 1f-events
              sluicectl quarantine show 1f-events --raw > refused.jsonl
              sluicectl quarantine show 2a-file --raw | zcat

            Exit status: 0 where it is shown, 1 where there is no such thing, 75 where sluiced \
            does not answer, 77 where you may not ask it.
            """)

    @OptionGroup var options: ConfigurationOptions

    @Flag(help: "Print JSON.")
    var json = false

    @Flag(help: "Write the refused bytes to stdout, as they are.")
    var raw = false

    @Option(help: ArgumentHelp("How many lines to show, at most 100.", valueName: "number"))
    var lines = 10

    @Argument(help: ArgumentHelp("What \"quarantine list\" names so.", valueName: "id"))
    var id: String

    func validate() throws {
        try QuarantineChoice.check(id)
        guard !json || !raw else { throw ValidationError("say --json or --raw, not both") }
        guard lines >= 0 else { throw ValidationError("--lines is at least 0") }
    }

    func run() throws {
        let listen = try options.loadOutline().main.settings.http.listen
        if raw { ControlSocket.ask(listen, Self.bytes(of: id, from: "0")) }
        let target = "/quarantine/item?id=\(id)&lines=\(lines)"
        ControlSocket.ask(listen, .get, target, timeout: .seconds(60)) { [json] answer in
            guard answer.status == 200 else { return answer.refusal.show() }
            guard let document = try? JSONReader.read(answer.body),
                let item = QuarantineList.Item(document)
            else { return Refusal.unknownAnswer.show() }
            if json {
                Output.data(document.text)
            } else {
                Self.text(item, document["lines"]?.elements ?? []).forEach(Output.data)
            }
            return .success
        }
    }

    // MARK: Text

    static func text(_ item: QuarantineList.Item, _ lines: [JSONText]) -> [String] {
        var text = [
            "\(item.words), \(ByteCount(UInt64(item.bytes))), refused \(item.quarantined)"
        ]
        if !item.connectors.isEmpty {
            text[0] += item.isFile ? " for connector " : " by connector "
            text[0] += item.connectors.joined(separator: ", ")
        }
        for reason in item.reasons {
            let times = item.isFile ? "" : "\(grouped(reason.count)) x "
            text.append("  \(times)\(reason.text)")
        }
        if let obstacle = item.obstacle { text.append("It cannot be retried: \(obstacle).") }
        for line in lines {
            let by = line["connector"]?.string.map { ", by \($0)" } ?? ""
            text += [
                "",
                "line \(line["line"]?.integer ?? 0)\(by): \(line["reason"]?.string ?? "")",
                "  " + shown(line),
            ]
        }
        if let events = item.events, events > lines.count, !lines.isEmpty {
            text += [
                "",
                "\(grouped(events - lines.count)) more; --raw writes all of them",
            ]
        }
        return text.map(Output.plain)
    }

    private static func shown(_ line: JSONText) -> String {
        let text = line["text"]?.string ?? ""
        let bytes = line["bytes"]?.integer ?? 0
        return bytes > text.utf8.count ? "\(text)... (\(grouped(bytes)) bytes)" : text
    }

    // MARK: Bytes

    /// Asks for a piece, writes it, and asks for the next.
    private static func bytes(of id: String, from offset: String) -> ControlSocket.Question {
        .init(
            method: .get, target: "/quarantine/bytes?id=\(id)&from=\(offset)",
            timeout: .seconds(60)
        ) { answer in
            guard answer.status == 200 else { return .end(answer.refusal.show()) }
            guard let newline = answer.body.firstIndex(of: UInt8(ascii: "\n")) else {
                return .end(Refusal.unknownAnswer.show())
            }
            let next = String(decoding: answer.body[..<newline], as: UTF8.self)
            guard next == "end" || UInt64(next) != nil else {
                return .end(Refusal.unknownAnswer.show())
            }
            do throws(Refusal) {
                var output = BufferedOutput()
                output.append { $0 += answer.body[(newline + 1)...] }
                try output.flush()
            } catch {
                return .end(error.show())
            }
            return next == "end" ? .end(.success) : .ask(bytes(of: id, from: next))
        }
    }
}
