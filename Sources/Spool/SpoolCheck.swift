public import Files
public import Model

/// Looks at every file of a spool, with the readers that a start uses, and changes nothing.
///
/// It takes no lock, so the daemon may be at work meanwhile: files come and go. Therefore what seems wrong is looked
/// at again, and told only if the file is still there and still wrong. Names are taken as the directory gives them
/// and not kept, so memory does not grow with the spool; what is kept is what one connector's offsets take.
///
/// A file that may not be read ends it with a `FileError`: whoever may not read the spool cannot judge it.
public struct SpoolCheck {
    let files: any FileSystem
    let listener: SpoolCheckListener
    /// Reads the state of episodes, which this module does not know.
    let readEpisodes: (CheckedText) throws(CheckedText.Fault) -> Void
    /// To whom all but the event files must belong.
    var owner: UInt32 = 0
    var census = SpoolCensus()
    /// In any name.
    var highestNumber: UInt64 = 0
    /// Up to which number losses are counted; nil: nobody knows.
    var countedLosses: UInt64?
    /// Objects of one connector that no envelope was found for; less those that turned out to have one.
    var loose: (files: Int, bytes: Int64) = (0, 0)
    var buffer: [UInt8] = []

    /// Bytes of an object that are read at once.
    static let pieceBytes = 1 << 20
    /// Files between two words on how far it is.
    private static let filesPerWord = 256

    private init(
        _ files: any FileSystem, _ listener: SpoolCheckListener,
        _ readEpisodes: @escaping (CheckedText) throws(CheckedText.Fault) -> Void
    ) {
        (self.files, self.listener, self.readEpisodes) = (files, listener, readEpisodes)
    }

    /// Whether a spool was ever made there; throws where it may not be looked into.
    public static func isSpool(_ files: any FileSystem) throws(FileError) -> Bool {
        try files.forEachName(in: ".") { _ in false }
        for name in [SpoolLayout.format, SpoolLayout.identity, SpoolLayout.sealed] {
            if try files.status(name) != nil { return true }
        }
        return false
    }

    /// Checks the whole tree.
    ///
    /// - Parameter episodes: reads the state of episodes, and throws what is wrong with it.
    public static func run(
        _ files: any FileSystem, _ listener: SpoolCheckListener,
        episodes: @escaping (CheckedText) throws(CheckedText.Fault) -> Void
    ) throws(FileError) -> SpoolCensus {
        var check = SpoolCheck(files, listener, episodes)
        try check.run()
        return check.census
    }

    private mutating func run() throws(FileError) {
        // Whose the spool is, its directories say; itself it may be an administrator's.
        let root = try files.status(".")
        owner = (try files.status(SpoolLayout.active) ?? root)?.owner ?? files.user
        try checkRoot()
        try checkState()
        try checkIncoming()
        try checkActive()
        try checkBatches()
        try checkQuarantine()
        try checkOthers()
        try checkSequence()
        listener.progress(census)
    }

    // MARK: Helpers of all parts

    func tell(_ path: String, _ fault: String, _ meaning: String, _ remedy: String) {
        listener.found(
            SpoolFinding(path: path, fault: fault, meaning: meaning, remedy: remedy))
    }

    /// Counts a file that is looked at.
    mutating func look(_ bytes: UInt64 = 0) {
        census.looked.add(bytes)
        if census.looked.files % Self.filesPerWord == 0 { listener.progress(census) }
    }

    mutating func note(_ number: UInt64) { highestNumber = max(highestNumber, number) }

    /// Calls `body` with each name in a directory; with none where there is no such directory.
    mutating func forEachName(
        in path: String, _ body: (inout SpoolCheck, String) throws(FileError) -> Void
    ) throws(FileError) {
        guard try files.status(path)?.kind == .directory else { return }
        var failure: FileError?
        do throws(FileError) {
            try files.forEachName(in: path) { name in
                do throws(FileError) { try body(&self, name) } catch { failure = error }
                return failure == nil
            }
        } catch {
            // It left with its connector meanwhile.
            if !error.isMissing { throw error }
        }
        if let failure { throw failure }
    }

    /// Tells what is wrong with a file that we made; nil where it is no regular file, or gone.
    mutating func isOurs(_ path: String) throws(FileError) -> FileStatus? {
        look()
        guard let status = try files.status(path) else { return nil }
        guard status.kind == .regular else {
            tell(
                path, "it is \(status.kind.rawValue)",
                "sluiced made no such thing, and cannot use it", "move it away")
            return nil
        }
        if status.owner != owner { tellOwner(path, status) }
        return status
    }

    func tellOwner(_ path: String, _ status: FileStatus) {
        tell(
            path, "it belongs to another user (ID \(status.owner))",
            "sluiced may be unable to read or replace it", "chown it to user ID \(owner)")
    }

    mutating func foreign(_ path: String) {
        look()
        tell(
            path, "sluiced gave no file this name", "it is neither read nor removed",
            "move it away")
    }

    /// A name that only a half-written file has.
    mutating func isHalfWritten(_ name: String) -> Bool {
        guard name.hasSuffix(".new") else { return false }
        look()
        census.halfWritten += 1
        return true
    }
}
