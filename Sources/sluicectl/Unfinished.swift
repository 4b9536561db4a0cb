import Glibc

/// The hidden file that is being written: removed when a signal ends the program, as Ctrl-C does.
enum Unfinished {
    // Only the main thread sets it, and the handler runs on that thread: there is no other while files
    // are copied. What it pointed to is never freed, so the handler can read it at any moment.
    nonisolated(unsafe) private static var path: UnsafeMutablePointer<CChar>?
    private static let signals = [SIGINT, SIGTERM, SIGHUP]

    /// - Parameter path: nil when there is nothing to be removed any more.
    static func removeOnSignal(_ path: String?) {
        self.path = path.flatMap { strdup($0) }
        for number in signals {
            // One that is ignored stays so: nohup(1) asks for it.
            let (before, ignored) = (signal(number, remove), SIG_IGN)
            // Both are C function pointers or nil, which have the size of a word.
            if unsafeBitCast(before, to: UInt.self) == unsafeBitCast(ignored, to: UInt.self) {
                signal(number, SIG_IGN)
            }
        }
    }

    /// unlink(2), signal(2) and raise(3) may be called from a handler: signal-safety(7).
    private static let remove: @convention(c) (CInt) -> Void = { number in
        if let path { unlink(path) }
        signal(number, SIG_DFL)
        raise(number)
    }
}
