import Dispatch
import Files
import Glibc
import Model
import Spool

/// Sees that files arrive in `incoming/`, by inotify(7) on one dispatch source.
///
/// It only says that there is something to look for; what is there the spool finds out itself. So a lost or doubled
/// event does no harm.
final class SpoolWatcher {
    private let descriptor: Int32
    private let root: String
    private var source: (any DispatchSourceRead)?
    /// The directory behind each watch.
    private var directories: [Int32: String] = [:]
    /// Where files were made that may not have been closed yet.
    private var made: Set<String> = []
    /// Something was closed or moved into place, in these directories.
    private let arrived: (Set<String>) -> Void
    /// Events were lost: look everywhere.
    private let overflowed: () -> Void

    /// A file that was made may still be being written; a hard link shows in no other way. So it is looked for a
    /// little later.
    private static let patience = DispatchTimeInterval.seconds(1)

    init(
        root: String, arrived: @escaping (Set<String>) -> Void, overflowed: @escaping () -> Void
    ) throws(FileError) {
        self.root = root
        self.arrived = arrived
        self.overflowed = overflowed
        descriptor = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
        guard descriptor >= 0 else {
            throw FileError(operation: "inotify_init1", path: root, code: errno)
        }
        let source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: .main)
        source.setEventHandler { [weak self] in self?.read() }
        let descriptor = descriptor
        source.setCancelHandler { close(descriptor) }
        self.source = source
        source.activate()
    }

    /// Watches the directories of these connectors too. Watching one twice is watching it once.
    func watch(_ connectors: [ConnectorName]) throws(FileError) {
        try watch(WatchedDirectory.active, IN_CLOSE_WRITE)
        let incoming = WatchedDirectory.incoming(connectors)
        for directory in incoming {
            do throws(FileError) {
                try watch(directory, IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE)
            } catch {
                // A producer may have put something else in a connector's place. The spool names it and does not look
                // into it, and the others are watched all the same.
                if directory == incoming.first || !error.isNoDirectory { throw error }
            }
        }
    }

    private func watch(_ directory: String, _ events: Int32) throws(FileError) {
        let path = "\(root)/\(directory)"
        let mask = UInt32(bitPattern: events) | UInt32(IN_ONLYDIR) | UInt32(IN_DONT_FOLLOW)
        let watch = inotify_add_watch(descriptor, path, mask)
        if watch < 0 { throw FileError(operation: "inotify_add_watch", path: path, code: errno) }
        directories[watch] = directory
    }

    private func read() {
        var hasOverflowed = false
        var closed: Set<String> = []
        withUnsafeTemporaryAllocation(byteCount: 64 << 10, alignment: 8) { buffer in
            while true {
                let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
                guard count > 0 else { return }
                var at = 0
                while at < count {
                    // The kernel writes whole events, each with the length of the name behind it.
                    let event = buffer.load(fromByteOffset: at, as: inotify_event.self)
                    note(event, &closed, &hasOverflowed)
                    at += MemoryLayout<inotify_event>.size + Int(event.len)
                }
            }
        }
        if hasOverflowed { overflowed() }
        if !closed.isEmpty { arrived(closed) }
    }

    private func note(
        _ event: inotify_event, _ closed: inout Set<String>, _ hasOverflowed: inout Bool
    ) {
        if event.mask & UInt32(IN_Q_OVERFLOW) != 0 { hasOverflowed = true }
        guard let directory = directories[event.wd] else { return }
        if event.mask & UInt32(IN_CLOSE_WRITE | IN_MOVED_TO) != 0 { closed.insert(directory) }
        if event.mask & UInt32(IN_CREATE) != 0 { lookLater(into: directory) }
        // It is gone, and what lies in its place now is somebody else's.
        if event.mask & UInt32(IN_IGNORED) != 0 {
            directories[event.wd] = nil
            closed.insert(directory)
        }
    }

    private func lookLater(into directory: String) {
        let isScheduled = !made.isEmpty
        made.insert(directory)
        guard !isScheduled else { return }
        DispatchQueue.main.asyncAfter(deadline: .now() + Self.patience) { [weak self] in
            guard let self else { return }
            let made = self.made
            self.made = []
            self.arrived(made)
        }
    }
}
