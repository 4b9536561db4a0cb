public import Files
import Glibc
import Synchronization

/// A file system in memory that can fail or lose power at any operation.
///
/// It keeps two states: what a process sees, and what is on the disk. A sync carries over what it covers. At a power
/// loss any subset of the names changed since then is on the disk, in any order that the names themselves allow, and of
/// unsynced bytes any part, torn or zeroed. A failed sync leaves the bytes it covered clean: they are seen, but never
/// reach the disk unless they are written again, as with the kernel's page cache.
///
/// Names need no more care than that after a failed sync: file systems keep them in a journal, and stop altogether
/// when that cannot be written.
public final class SimulatedFileSystem: FileSystem {
    /// What goes wrong, at which operation (counted from 1).
    public enum Fault: Sendable, Equatable {
        case fail(at: Int, code: Int32)
        case losePowerBefore(Int)
        case losePowerAfter(Int)
    }

    struct Inode: Sendable {
        var isDirectory = false
        var seen: [UInt8] = []
        var stored: [UInt8] = []
        var isDirty = false
    }

    enum NameChange: Sendable {
        case make(String, Int)
        case remove(String, Int)
        case rename(String, String, Int)
    }

    struct State: Sendable {
        var inodes: [Int: Inode] = [:]
        var seen: [String: Int] = [:]
        var stored: [String: Int] = [:]
        var changes: [NameChange] = []
        var nextInode = 1
        var operations = 0
        var fault: Fault?
        var isDown = false
        var log: [String] = []
    }

    private let state: Mutex<State>

    /// The code of every call after the power went.
    public static let down: Int32 = 9999

    public init() {
        var state = State()
        state.inodes[0] = Inode(isDirectory: true)
        state.seen["."] = 0
        state.stored["."] = 0
        self.state = Mutex(state)
    }

    private init(_ state: State) {
        self.state = Mutex(state)
    }

    // MARK: What a test does

    public var operations: Int { state.withLock { $0.operations } }
    public var isDown: Bool { state.withLock { $0.isDown } }
    /// The last operations, for a failing test to show.
    public var log: [String] { state.withLock { $0.log } }

    public func set(_ fault: Fault?) {
        state.withLock {
            $0.fault = fault
            $0.operations = 0
        }
    }

    /// A file that somebody else made and synced, outside all faults.
    public func drop(_ path: String, _ bytes: [UInt8]) {
        state.withLock { state in
            let inode = state.nextInode
            state.nextInode += 1
            state.inodes[inode] = Inode(seen: bytes, stored: bytes)
            state.seen[path] = inode
            state.stored[path] = inode
        }
    }

    /// Somebody else changes what a file holds, and syncs it; where there is none, nothing.
    public func edit(_ path: String, _ bytes: [UInt8]) {
        state.withLock { state in
            guard let inode = state.seen[path] else { return }
            state.inodes[inode]?.seen = bytes
            state.inodes[inode]?.stored = bytes
            state.inodes[inode]?.isDirty = false
        }
    }

    public func contents(_ path: String) -> [UInt8]? {
        state.withLock { state in state.seen[path].flatMap { state.inodes[$0]?.seen } }
    }

    public var paths: [String] { state.withLock { $0.seen.keys.sorted() } }

    /// The process is gone, the machine is not: everything seen stays.
    public func afterKill() -> SimulatedFileSystem {
        var copy = state.withLock { $0 }
        copy.fault = nil
        copy.isDown = false
        copy.operations = 0
        return SimulatedFileSystem(copy)
    }

    /// What is on the disk when the power comes back.
    public func afterPowerLoss(_ random: inout some RandomNumberGenerator) -> SimulatedFileSystem {
        let old = state.withLock { $0 }
        var next = State()
        next.nextInode = old.nextInode
        next.stored = old.stored
        // Each loss keeps none, some or all of what was not synced.
        let keep = [0, 50, 90, 100].randomElement(using: &random) ?? 0
        for change in old.changes where Int.random(in: 0..<100, using: &random) < keep {
            next.store(change)
        }
        next.seen = next.stored
        for (path, number) in next.stored {
            guard var inode = old.inodes[number] else { preconditionFailure(path) }
            if inode.isDirty { inode.stored = Self.torn(inode, &random) }
            inode.seen = inode.stored
            inode.isDirty = false
            next.inodes[number] = inode
        }
        return SimulatedFileSystem(next)
    }

    private static func torn(
        _ inode: Inode, _ random: inout some RandomNumberGenerator
    ) -> [UInt8] {
        let cut = Int.random(in: 0...inode.seen.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: return inode.stored
        case 1: return inode.seen
        case 2: return Array(inode.seen[..<cut])
        default:
            return inode.seen[..<cut] + Array(repeating: 0, count: inode.seen.count - cut)
        }
    }

    // MARK: FileSystem

    public var user: UInt32 { 0 }

    public func makeDirectory(_ path: String, mode: UInt32) throws(FileError) {
        try perform("mkdir", path) { state in
            guard state.seen[path] == nil else { return nil }
            state.make(path, Inode(isDirectory: true))
            return nil
        }
    }

    public func makeDropDirectory(_ path: String) throws(FileError) {
        try makeDirectory(path, mode: 0o3730)
    }

    public func setMode(_ path: String, _ mode: UInt32) throws(FileError) {
        preconditionFailure("all its directories are our own, and closed: \(path)")
    }

    public func forEachName(in path: String, _ body: (String) -> Bool) throws(FileError) {
        var names: [String] = []
        try perform("readdir", path, hasEffect: false) { state in
            guard state.seen[path] != nil else { return ENOENT }
            let prefix = path + "/"
            names = state.seen.keys.filter { $0.hasPrefix(prefix) }
                .map { String($0.dropFirst(prefix.count)) }
                .filter { !$0.contains("/") }.sorted()
            return nil
        }
        for name in names where !body(name) { return }
    }

    public func status(_ path: String) throws(FileError) -> FileStatus? {
        var status: FileStatus?
        try perform("stat", path, hasEffect: false) { state in
            guard let number = state.seen[path], let inode = state.inodes[number] else {
                return nil
            }
            status = Self.status(number, inode)
            return nil
        }
        return status
    }

    public func place(_ path: String) throws(FileError) -> FilePlace? {
        var place: FilePlace?
        try perform("statx", path, hasEffect: false) { state in
            place = state.seen[path].map { FilePlace(device: 1, inode: UInt64($0), born: nil) }
            return nil
        }
        return place
    }

    public func rename(_ from: String, to: String) throws(FileError) {
        try perform("rename", "\(from) -> \(to)") { state in
            guard let number = state.seen[from] else { return ENOENT }
            state.seen[from] = nil
            state.seen[to] = number
            state.changes.append(.rename(from, to, number))
            return nil
        }
    }

    public func remove(_ path: String) throws(FileError) {
        try perform("unlink", path) { state in
            guard let number = state.seen[path] else { return nil }
            state.seen[path] = nil
            state.changes.append(.remove(path, number))
            return nil
        }
    }

    public func open(_ path: String) throws(FileError) -> any OpenFile {
        var found = 0
        try perform("open", path, hasEffect: false) { state in
            guard let number = state.seen[path] else { return ENOENT }
            found = number
            return nil
        }
        return Opened(self, found, path)
    }

    public func write(_ path: String, _ bytes: [UInt8]) throws(FileError) {
        try perform("write", path) { state in
            let number = state.seen[path] ?? state.make(path, Inode())
            state.inodes[number]?.seen = bytes
            state.inodes[number]?.isDirty = true
            return nil
        }
    }

    public func append(
        _ path: String, at offset: UInt64, _ bytes: UnsafeRawBufferPointer
    ) throws(FileError) {
        let bytes = Array(bytes)
        try perform("pwrite", path) { state in
            let number = state.seen[path] ?? state.make(path, Inode())
            var seen = state.inodes[number]?.seen ?? []
            let end = Int(offset) + bytes.count
            if seen.count < end { seen += Array(repeating: 0, count: end - seen.count) }
            seen.replaceSubrange(Int(offset)..<end, with: bytes)
            state.inodes[number]?.seen = seen
            state.inodes[number]?.isDirty = true
            return nil
        }
    }

    public func reserve(_ path: String, size: UInt64) throws(FileError) {
        // How large a file is costs nothing here.
        try write(path, [0])
    }

    public func syncFile(_ path: String) throws(FileError) {
        try perform("fsync", path) { state in
            guard let number = state.seen[path] else { return ENOENT }
            state.storeBytes(number)
            return nil
        }
    }

    public func syncDirectory(_ path: String) throws(FileError) {
        try perform("fsync", path) { state in
            state.storeChanges(in: path)
            return nil
        }
    }

    public func syncAll() throws(FileError) {
        try perform("syncfs", ".") { state in
            for number in state.inodes.keys { state.storeBytes(number) }
            for change in state.changes { state.store(change) }
            state.changes = []
            return nil
        }
    }

    public func space() throws(FileError) -> FileSystemSpace {
        FileSystemSpace(
            totalBytes: 1 << 40, freeBytes: 1 << 39, totalInodes: 1 << 20, freeInodes: 1 << 19)
    }

    // MARK: Operations

    /// Counts an operation, and fails or ends it where the fault says so.
    fileprivate func perform(
        _ name: String, _ path: String, hasEffect: Bool = true, _ body: (inout State) -> Int32?
    ) throws(FileError) {
        let code = state.withLock { state -> Int32? in
            if state.isDown { return Self.down }
            state.operations += 1
            state.log.append("\(state.operations) \(name) \(path)")
            switch state.fault {
            case .losePowerBefore(state.operations):
                state.isDown = true
                return Self.down
            case .fail(state.operations, let code):
                state.log.append("  failed")
                if name == "syncfs" { state.forgetDirty(Array(state.inodes.keys)) }
                if name == "fsync", let number = state.seen[path] { state.forgetDirty([number]) }
                return code
            default:
                break
            }
            let code = body(&state)
            if case .losePowerAfter(state.operations) = state.fault { state.isDown = true }
            return code
        }
        if let code { throw FileError(operation: name, path: path, code: code) }
    }

    fileprivate static func status(_ number: Int, _ inode: Inode) -> FileStatus {
        FileStatus(
            kind: inode.isDirectory ? .directory : .regular, size: UInt64(inode.seen.count),
            links: 1, inode: UInt64(number), modified: 0, changed: 0, owner: 0,
            mode: inode.isDirectory ? 0o700 : 0o600)
    }

    private final class Opened: OpenFile {
        private let owner: SimulatedFileSystem
        private let number: Int
        private let path: String

        init(_ owner: SimulatedFileSystem, _ number: Int, _ path: String) {
            self.owner = owner
            self.number = number
            self.path = path
        }

        func read(
            into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
        ) throws(FileError) -> Int {
            var piece: ArraySlice<UInt8> = []
            try owner.perform("read", path, hasEffect: false) { state in
                piece = state.inodes[number]?.seen.dropFirst(Int(offset)).prefix(buffer.count) ?? []
                return nil
            }
            buffer.copyBytes(from: piece)
            return piece.count
        }

        func status() throws(FileError) -> FileStatus {
            var status: FileStatus?
            try owner.perform("fstat", path, hasEffect: false) { state in
                status = state.inodes[number].map { SimulatedFileSystem.status(number, $0) }
                return status == nil ? EBADF : nil
            }
            guard let status else { preconditionFailure("fstat \(path)") }
            return status
        }

        func holdOffWriters() -> Writers { .none }
        func letWritersIn() {}
    }
}
