import Model

/// How far files are on their way into the bucket, for people.
struct UploadProgress {
    /// Of all files.
    let bytes: Int
    let files: Int
    private var stored = 0
    private var storedBytes = 0
    private var sent: [Int: Int] = [:]
    /// When the first byte was seen to be on its way, and what was there already.
    private var began: (seconds: Double, bytes: Int)?

    init(bytes: Int, files: Int) {
        (self.bytes, self.files) = (bytes, files)
    }

    /// Bytes that are there, or sent.
    var done: Int { storedBytes + sent.values.reduce(0, +) }

    /// - Parameter file: a number of its own for each.
    mutating func note(_ file: Int, sent bytes: Int, atSeconds seconds: Double) {
        if began == nil { began = (seconds, done) }
        sent[file] = bytes
    }

    mutating func noteStored(_ file: Int, bytes: Int) {
        sent[file] = nil
        stored += 1
        storedBytes += bytes
    }

    /// `[########------------]  42%  1.2 GB of 3 GB, 84 MB/s, 21s left`
    func text(atSeconds seconds: Double, look: Look) -> String {
        let part = bytes > 0 ? Double(done) / Double(bytes) : Double(stored) / Double(max(1, files))
        let percent = String(Int(part * 100))
        var text = "\(bar(part, look)) \(String(repeating: " ", count: max(0, 3 - percent.count)))"
        text += "\(percent)%  \(ByteCount(UInt64(done))) of \(ByteCount(UInt64(bytes)))"
        if files > 1 { text += ", \(stored) of \(files) files" }
        if let began, seconds - began.seconds >= 1 {
            let rate = Double(done - began.bytes) / (seconds - began.seconds)
            if rate >= 1 {
                let left = span(Int64(Double(bytes - done) / rate))
                text += ", \(ByteCount(UInt64(rate)))/s, \(left) left"
            }
        }
        return text
    }

    private func bar(_ part: Double, _ look: Look) -> String {
        // What stands behind it takes some 50 characters.
        let width = max(8, min(30, look.width - 55))
        let full = min(width, Int(part * Double(width)))
        let (on, off) = look.isUnicode ? ("█", "░") : ("#", "-")
        return "[" + String(repeating: on, count: full)
            + String(repeating: off, count: width - full)
            + "]"
    }
}
