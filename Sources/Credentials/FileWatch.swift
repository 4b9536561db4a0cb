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
    private var directories: DirectoryWatch?
    private var events: (any DispatchSourceRead)?
    private var cancelLook: (() -> Void)?
    private var isLooking = false
    private var isStopped = false

    /// Names change one after another; it waits until they have.
    private static let calm = Duration.milliseconds(100)
    private static let blindInterval = Duration.seconds(60)

    init(_ surroundings: CredentialSurroundings) {
        self.surroundings = surroundings
        directories = try? DirectoryWatch()
        guard let directories else { return }
        let events = DispatchSource.makeReadSource(
            fileDescriptor: directories.descriptor, queue: .main)
        events.setEventHandler { [weak self] in
            directories.drain()
            self?.lookSoon(Self.calm)
        }
        events.activate()
        self.events = events
    }

    func stop() {
        isStopped = true
        cancelLook?()
        events?.cancel()
        events = nil
    }

    /// Notes what was read, and watches it from now on.
    func read(_ path: String, as version: FileVersion?) {
        guard !isStopped else { return }
        let isNew = files[path] == nil
        files[path] = .some(version)
        // It may have changed between the reading and the watching.
        if isNew { look() }
    }

    private func lookSoon(_ delay: Duration) {
        guard !isStopped else { return }
        cancelLook?()
        cancelLook = surroundings.after(delay) { [weak self] in self?.look() }
    }

    /// Watches the directories of today, then looks at the files.
    private func look() {
        guard !isLooking else { return lookSoon(Self.calm) }
        isLooking = true
        cancelLook?()
        cancelLook = nil
        let (paths, directories) = (Array(files.keys), directories)
        offLoop(surroundings.queue) {
            var isBlind = directories == nil
            for directory in Set(paths.flatMap { FileVersion.directories(of: $0) }) {
                do { try directories?.add(directory) } catch { isBlind = true }
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
        if isChanged { lookSoon(Self.calm) } else if isBlind { lookSoon(Self.blindInterval) }
        if isChanged { changed?() }
    }
}
