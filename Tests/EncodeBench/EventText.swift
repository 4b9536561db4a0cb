import Encoding
import Glibc

/// The text of event files, one after another in memory, with what the scanner wants behind it.
final class EventText {
    /// Never freed: it lives as long as the process.
    let start: UnsafePointer<UInt8>
    let count: Int

    init(of files: [String]) {
        let texts = files.map(contents)
        let total = texts.reduce(0) { $0 + $1.count }
        let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: total + 1 + JSONScanner.padding)
        var count = 0
        for text in texts {
            text.withUnsafeBufferPointer { bytes in
                guard let first = bytes.baseAddress else { return }
                precondition(bytes.last == UInt8(ascii: "\n"), "a line is cut off")
                (memory + count).update(from: first, count: bytes.count)
                count += bytes.count
            }
        }
        memory[count] = UInt8(ascii: "\n")
        (memory + count + 1).update(repeating: 0, count: JSONScanner.padding)
        start = UnsafePointer(memory)
        self.count = count
    }
}

/// The bytes of a file.
func contents(_ path: String) -> [UInt8] {
    guard let file = fopen(path, "re") else { fail("\(path) cannot be opened") }
    defer { fclose(file) }
    var status = stat()
    guard fstat(fileno(file), &status) == 0 else { fail("\(path) cannot be read") }
    let size = Int(status.st_size)
    return Array(unsafeUninitializedCapacity: size) { bytes, count in
        count = fread(bytes.baseAddress, 1, size, file)
    }
}
