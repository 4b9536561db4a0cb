internal import Dispatch
internal import Files
internal import Model

/// Sees that a file which credentials were read from is another one now.
///
/// inotify on the directories wakes it, so that renames and swapped links count (Kubernetes changes a
/// secret by swapping a link beside it); stat(2) decides. Where a directory cannot be watched, it looks
/// once a minute. Files that are missing count, too.
final class FileWatch {
    /// Called after a change was seen.
    var changed: (() -> Void)?

    private let surroundings: CredentialSurroundings
    /// As they were when they were read last; nil: missing.
    private var files: [String: FileVersion?] = [:]
    private var watch: (directories: DirectoryWatch, events: any DispatchSourceRead)?
    private var cancelLook: (() -> Void)?
    /// Whether the next look is one that something gave rise to.
    private var isLookDue = false
    private var isLooking = false
    private var isStopped = false

    /// Names change one after another; it waits until they have, but no longer: some directories never rest.
    private static let calm = Duration.milliseconds(100)
    private static let blindInterval = Duration.seconds(60)

    init(_ surroundings: CredentialSurroundings) {
        self.surroundings = surroundings
    }

    func stop() {
        isStopped = true
        cancelLook?()
        watch?.events.cancel()
        watch = nil
    }

    /// Notes what was read, and watches it from now on.
    ///
    /// What systemd put into `$CREDENTIALS_DIRECTORY` stays as it is.
    func read(_ path: String, as version: FileVersion?) {
        let fixed = surroundings.variable("CREDENTIALS_DIRECTORY").map { $0 + "/" }
        guard !isStopped, !(fixed.map(path.hasPrefix) ?? false) else { return }
        let isNew = files[path] == nil
        files[path] = .some(version)
        if watch == nil { startWatching() }
        // It may have changed between the reading and the watching.
        if isNew { look() }
    }

    private func startWatching() {
        guard let directories = try? DirectoryWatch() else { return }
        let events = DispatchSource.makeReadSource(
            fileDescriptor: directories.descriptor, queue: .main)
        events.setEventHandler { [weak self] in
            directories.drain()
            self?.lookSoon()
        }
        events.activate()
        watch = (directories, events)
    }

    private func lookSoon() {
        guard !isLookDue else { return }
        isLookDue = true
        lookAfter(Self.calm)
    }

    private func lookAfter(_ delay: Duration) {
        guard !isStopped else { return }
        cancelLook?()
        cancelLook = surroundings.after(delay) { [weak self] in self?.look() }
    }

    /// Watches the directories of today, then looks at the files.
    private func look() {
        isLookDue = false
        guard !isLooking else { return lookSoon() }
        isLooking = true
        cancelLook?()
        cancelLook = nil
        let (paths, directories) = (Array(files.keys), watch?.directories)
        offLoop(surroundings.queue) {
            var isBlind = directories == nil
            for directory in Set(paths.flatMap { FileVersion.directories(of: $0) }) {
                if directories?.addNearest(to: directory) == false { isBlind = true }
            }
            return (paths.map { ($0, FileVersion(of: $0)) }, isBlind)
        } then: { [weak self] (versions: [(String, FileVersion?)], isBlind: Bool) in
            self?.seen(versions, isBlind: isBlind)
        }
    }

    private func seen(_ versions: [(String, FileVersion?)], isBlind: Bool) {
        isLooking = false
        guard !isStopped else { return }
        var isChanged = false
        for (path, version) in versions where files[path] != .some(version) {
            files[path] = .some(version)
            isChanged = true
        }
        // A link that was swapped may lead through other directories.
        if isChanged {
            lookSoon()
        } else if isBlind, !isLookDue {
            lookAfter(Self.blindInterval)
        }
        if isChanged { changed?() }
    }
}

extension DirectoryWatch {
    /// Watches a directory or, where it is missing, the nearest one above it, in which it may come.
    fileprivate nonisolated func addNearest(to directory: String) -> Bool {
        var path = Substring(directory)
        var missing: Substring?
        while true {
            do throws(FileError) {
                try add(path.isEmpty ? "/" : String(path))
                guard let missing, FileVersion(of: String(missing)) != nil else { return true }
                // It came before the one above it was watched.
                path = Substring(directory)
            } catch {
                guard error.isMissing, let slash = path.lastIndex(of: "/") else { return false }
                missing = path
                path = path[..<slash]
                continue
            }
            missing = nil
        }
    }
}
