internal import CSystemd
internal import Glibc

/// The system's journal.
public enum Journal {
    /// A refusal by `sd_journal_sendv`: an `errno` value.
    public struct SendError: Error, Equatable {
        public let errno: Int32
    }

    /// Hands an entry to journald, and waits where journald does not take it.
    ///
    /// Never call it on the main queue: a stopped journald blocks it for as long as it is stopped.
    /// Where no journald runs at all the entry is dropped without an error.
    ///
    /// The C function is `sd_journal_sendv`.
    public static func send(_ entry: JournalEntry, identifier: String) throws(SendError) {
        var bytes: [UInt8] = []
        var ends: [Int] = []
        func add(_ name: String, _ value: some Sequence<UInt8>) {
            bytes += name.utf8
            bytes.append(UInt8(ascii: "="))
            bytes += value
            ends.append(bytes.count)
        }
        add("MESSAGE", entry.message.utf8)
        add("MESSAGE_ID", entry.kind.id.description.utf8)
        add("PRIORITY", String(entry.priority.rawValue).utf8)
        add("SYSLOG_IDENTIFIER", identifier.utf8)
        for field in entry.fields { add(field.name.rawValue, field.value) }

        let result = bytes.withUnsafeMutableBytes { buffer in
            var start = 0
            let parts = ends.map { end in
                defer { start = end }
                return iovec(
                    iov_base: buffer.baseAddress.map { $0 + start }, iov_len: end - start)
            }
            return sd_journal_sendv(parts, Int32(parts.count))
        }
        if result < 0 { throw SendError(errno: -result) }
    }

    /// Whether standard error is a stream of the journal, so that lines should go there by `send`.
    public static var isStandardError: Bool {
        guard let stream = getenv("JOURNAL_STREAM") else { return false }
        return isStream(String(cString: stream), descriptor: STDERR_FILENO)
    }

    /// Whether `descriptor` is what `$JOURNAL_STREAM` names: `device:inode`, as in systemd.exec(5).
    ///
    /// A variable inherited from a parent whose output went to the journal names another file.
    static func isStream(_ stream: String, descriptor: Int32) -> Bool {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return false }
        return stream == "\(status.st_dev):\(status.st_ino)"
    }
}
