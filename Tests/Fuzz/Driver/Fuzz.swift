import FuzzTargets

// libFuzzer's own: it runs a function on inputs of its making, for as long as its options say.
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ target: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

// Set once, before the first input; libFuzzer has one thread, and processes for jobs.
nonisolated(unsafe) private var target = FuzzTarget.scanner

/// The program: its first argument is the target, and all others are libFuzzer's.
///
/// The name is what the package manager calls the entry point of a target.
@_cdecl("Fuzz_main")
public func fuzzMain(
    _ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
) -> CInt {
    let name = count > 1 ? arguments[1].map { String(cString: $0) } : nil
    guard let chosen = name.flatMap(FuzzTarget.init(rawValue:)) else {
        let names = FuzzTarget.allCases.map(\.rawValue).joined(separator: "|")
        print("usage: Fuzz \(names) [options of libFuzzer]")
        return 64
    }
    target = chosen
    arguments[1] = arguments[0]
    var count = count - 1
    var arguments = arguments + 1
    return runDriver(&count, &arguments) { bytes, count in
        let input = Array(UnsafeBufferPointer(start: bytes, count: count))
        if let fault = target.fault(input) { fatalError("\(target): \(fault)") }
        return 0
    }
}

/// What libFuzzer's unused main refers to.
@_cdecl("LLVMFuzzerTestOneInput")
public func unused(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt { 0 }
