import Avro
import Encoding
import Glibc

/// Measures scanning and encoding alone: one core, all text in memory, nothing compressed and nothing written.
///
///     EncodeBench PASSES SCHEMAS FILE...
///     EncodeBench --write DIRECTORY SCHEMAS FILE...
///
/// SCHEMAS is a directory of `<event type>.avsc`. Each pass goes through all event files twice, once only scanning, as
/// all formats need it, and once scanning and encoding. It prints a line of JSON for each; scripts/bench --encode sums
/// them up, and scripts/bench --instructions has valgrind count what `scan` and `encode` do.
///
/// With --write it measures nothing: DIRECTORY gets a file for each event type, with its events one after the other as
/// Avro writes them. That is what containers have in them before they are compressed.
var arguments = Array(CommandLine.arguments.dropFirst())
let output = arguments.first == "--write" && arguments.count > 1 ? arguments.remove(at: 1) : nil
let passes = output == nil ? Int(arguments.first ?? "") ?? 0 : 1
guard arguments.count > 2, passes > 0 else {
    fail(
        "usage: EncodeBench PASSES SCHEMAS FILE...\n"
            + "       EncodeBench --write DIRECTORY SCHEMAS FILE...", status: 64)
}
let text = EventText(of: Array(arguments.dropFirst(2)))
let encoders = TypeEncoders(directory: arguments[1])
if let output {
    write(text, with: encoders, into: output)
} else {
    for _ in 1...passes {
        print(Pass("scan", text) { scan(text) })
        print(Pass("scan and encode", text) { encode(text, with: encoders) })
    }
}

@inline(never)
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
@inline(never)
func encode(_ text: EventText, with encoders: TypeEncoders) -> (events: Int, bytesOut: Int) {
    let blockBytes = 256 << 10
    let block = EncodedBytes()
    var (events, bytesOut) = (0, 0)
    forEachEvent(of: text, with: encoders) { encoder, event, count in
        encode(event, count, with: encoder, into: block)
        events += 1
        if block.count >= blockBytes {
            bytesOut += block.count
            block.removeAll()
        }
    }
    return (events, bytesOut + block.count)
}

func write(_ text: EventText, with encoders: TypeEncoders, into directory: String) {
    var encoded: [ObjectIdentifier: EncodedBytes] = [:]
    forEachEvent(of: text, with: encoders) { encoder, event, count in
        let bytes = encoded[ObjectIdentifier(encoder)] ?? EncodedBytes()
        encoded[ObjectIdentifier(encoder)] = bytes
        encode(event, count, with: encoder, into: bytes)
    }
    for (name, encoder) in encoders.named {
        guard let bytes = encoded[ObjectIdentifier(encoder)] else { continue }
        let path = "\(directory)/\(name)"
        guard let file = fopen(path, "we") else { fail("\(path) cannot be written") }
        let written = bytes.bytes.count == fwrite(bytes.bytes.baseAddress, 1, bytes.count, file)
        guard fclose(file) == 0, written else { fail("\(path) cannot be written") }
    }
}

@inline(__always)
func forEachEvent(
    of text: EventText, with encoders: TypeEncoders,
    _ body: (EventEncoder, UnsafePointer<UInt8>, _ count: Int) -> Void
) {
    var line = EventLine()
    var at = 0
    while at < text.count {
        JSONScanner.scan(text.start, from: at, into: &line)
        at = line.next
        guard line.outcome == .event, case .string(let start, let end, false) = line.eventType,
            let encoder = encoders.find(text.start + start, count: end - start)
        else { fail("the line before byte \(at) is no event of a type with a schema") }
        body(encoder, text.start + line.start, line.end - line.start)
    }
}

@inline(__always)
func encode(
    _ event: UnsafePointer<UInt8>, _ count: Int, with encoder: EventEncoder,
    into bytes: EncodedBytes
) {
    if let refusal = encoder.encode(event, count: count, into: bytes) {
        fail("an event is refused: \(refusal)")
    }
    guard encoder.ignoredMembers == 0 else { fail("an event has a member that its schema lacks") }
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
