import Avro
import Encoding
import Glibc

/// Measures scanning and encoding alone: one core, all text in memory, nothing compressed and nothing written.
///
///     EncodeBench PASSES SCHEMAS FILE...
///
/// SCHEMAS is a directory of `<event type>.avsc`. Each pass goes through all event files twice, once only scanning, as
/// all formats need it, and once scanning and encoding. It prints a line of JSON for each; scripts/bench --encode sums
/// them up.
guard CommandLine.arguments.count > 3, let passes = Int(CommandLine.arguments[1]), passes > 0 else {
    fail("usage: EncodeBench PASSES SCHEMAS FILE...", status: 64)
}
let text = EventText(of: Array(CommandLine.arguments.dropFirst(3)))
let encoders = TypeEncoders(directory: CommandLine.arguments[2])
for _ in 1...passes {
    print(Pass("scan", text) { scan(text) })
    print(Pass("scan and encode", text) { encode(text, with: encoders) })
}

func scan(_ text: EventText) -> (events: Int, bytesOut: Int) {
    var line = EventLine()
    var (at, events) = (0, 0)
    while at < text.count {
        JSONScanner.scan(text.start, from: at, into: &line)
        at = line.next
        if line.outcome == .event { events += 1 }
    }
    return (events, 0)
}

/// As the daemon's router does it, block by block, with the same encoders.
func encode(_ text: EventText, with encoders: TypeEncoders) -> (events: Int, bytesOut: Int) {
    let blockBytes = 256 << 10
    let block = EncodedBytes()
    var line = EventLine()
    var (at, events, bytesOut) = (0, 0, 0)
    while at < text.count {
        JSONScanner.scan(text.start, from: at, into: &line)
        at = line.next
        guard line.outcome == .event, case .string(let start, let end, false) = line.eventType,
            let encoder = encoders.find(text.start + start, count: end - start)
        else { fail("the line before byte \(at) is no event of a type with a schema") }
        let event = text.start + line.start
        if let refusal = encoder.encode(event, count: line.end - line.start, into: block) {
            fail("the event before byte \(at) is refused: \(refusal)")
        }
        guard encoder.ignoredMembers == 0 else {
            fail("the event before byte \(at) has a member that its schema lacks")
        }
        events += 1
        if block.count >= blockBytes {
            bytesOut += block.count
            block.removeAll()
        }
    }
    return (events, bytesOut + block.count)
}

/// One pass, measured; described as a line of JSON.
struct Pass: CustomStringConvertible {
    let description: String

    init(_ name: String, _ text: EventText, _ work: () -> (events: Int, bytesOut: Int)) {
        let (wall, cpu) = (seconds(CLOCK_MONOTONIC), seconds(CLOCK_PROCESS_CPUTIME_ID))
        let done = work()
        description = """
            {"pass": "\(name)", "wall": \(seconds(CLOCK_MONOTONIC) - wall), \
            "cpu": \(seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu), "bytes_in": \(text.count), \
            "events": \(done.events), "bytes_out": \(done.bytesOut)}
            """
    }
}

func seconds(_ clock: clockid_t) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

func fail(_ text: String, status: Int32 = 1) -> Never {
    _ = Array("\(text)\n".utf8).withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    exit(status)
}
