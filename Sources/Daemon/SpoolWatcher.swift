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
    private var isLookScheduled = false
    /// Something was closed or moved into place.
    private let arrived: () -> Void
    /// Events were lost: look everywhere.
    private let overflowed: () -> Void

    /// A file that was made may still be being written; a hard link shows in no other way. So it is looked for a
    /// little later.
    private static let patience = DispatchTimeInterval.seconds(1)

    init(
        root: String, arrived: @escaping () -> Void, overflowed: @escaping () -> Void
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
        if inotify_add_watch(descriptor, path, mask) < 0 {
            throw FileError(operation: "inotify_add_watch", path: path, code: errno)
        }
    }

    private func read() {
        var seen: UInt32 = 0
        withUnsafeTemporaryAllocation(byteCount: 64 << 10, alignment: 8) { buffer in
            while true {
                let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
                guard count > 0 else { return }
                var at = 0
                while at < count {
                    // The kernel writes whole events, each with the length of the name behind it.
                    let event = buffer.load(fromByteOffset: at, as: inotify_event.self)
                    seen |= event.mask
                    at += MemoryLayout<inotify_event>.size + Int(event.len)
                }
            }
        }
        if seen & UInt32(IN_Q_OVERFLOW) != 0 { overflowed() }
        if seen & UInt32(IN_CLOSE_WRITE | IN_MOVED_TO) != 0 { arrived() }
        if seen & UInt32(IN_CREATE) != 0 { lookLater() }
    }

    private func lookLater() {
        guard !isLookScheduled else { return }
        isLookScheduled = true
        DispatchQueue.main.asyncAfter(deadline: .now() + Self.patience) { [weak self] in
            self?.isLookScheduled = false
            self?.arrived()
        }
    }
}
