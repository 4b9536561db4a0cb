import Model

extension DaemonStatus.Upload {
    var part: Double { Double(sent) / Double(size) }

    /// `37% of 4.0 GB, 52 MB/s, 50s left`
    var text: String {
        let done = "\(Int((part * 100).rounded(.down)))% of \(ByteCount(UInt64(size)))"
        guard bytesPerSecond > 0 else { return "\(done), and nothing goes at present" }
        let left = secondsLeft.map { ", \(span(Int64($0))) left" } ?? ""
        return "\(done), \(ByteCount(UInt64(bytesPerSecond)))/s\(left)"
    }

    /// The last part of the key, which is what people call it.
    var name: String { key.split(separator: "/").last.map(String.init) ?? key }
}

extension DaemonStatus {
    /// All that is on its way, what takes longest first.
    var uploads: [(connector: String, upload: Upload)] {
        connectors.flatMap { connector in connector.uploads.map { (connector.name, $0) } }
            .sorted { ($0.upload.secondsLeft ?? .max) > ($1.upload.secondsLeft ?? .max) }
    }
}
