import Glibc
import Support
import Testing

@testable import Files

@Suite struct RealFileSystemTests {
    private let tree = TemporaryTree()
    private let files: RealFileSystem

    init() throws {
        files = try RealFileSystem(root: tree.path)
    }

    // MARK: Failures

    @Test func `A root that is not there, or is no directory, is named`() {
        tree.write("file", "")
        for (name, code) in [("nowhere", ENOENT), ("file", ENOTDIR)] {
            #expect(throws: FileError(operation: "open", path: tree.at(name), code: code)) {
                _ = try RealFileSystem(root: tree.at(name))
            }
        }
    }

    @Test func `A failure names the call and the whole path`() throws {
        tree.makeDirectory("d")
        tree.write("d/f", "x")
        symlink("d/f", tree.at("link"))
        func expect(_ operation: String, _ path: String, _ code: Int32, _ body: () throws -> Void) {
            #expect(
                throws: FileError(operation: operation, path: tree.at(path), code: code),
                performing: body)
        }
        expect("open", "no", ENOENT) { _ = try files.open("no") }
        expect("open", "link", ELOOP) { _ = try files.open("link") }
        expect("open", "link", ELOOP) { try files.write("link", [1]) }
        expect("open", "no", ENOENT) { _ = try files.names(in: "no") }
        expect("open", "d/f", ENOTDIR) { _ = try files.names(in: "d/f") }
        expect("open", "no/f", ENOENT) { try files.write("no/f", [1]) }
        expect("open", "d", EISDIR) {
            try files.append("d", at: 0, UnsafeRawBufferPointer(start: nil, count: 0))
        }
        expect("open", "no", ENOENT) { try files.syncFile("no") }
        expect("open", "no", ENOENT) { try files.syncDirectory("no") }
        expect("rename", "no", ENOENT) { try files.rename("no", to: "yes") }
        expect("mkdir", "d/f/x", ENOTDIR) { try files.makeDirectory("d/f/x", mode: 0o700) }
        expect("mkdir", "d/f/x", ENOTDIR) { try files.makeDropDirectory("d/f/x") }
        expect("stat", "d/f/x", ENOTDIR) { _ = try files.status("d/f/x") }
        expect("unlink", "d", EISDIR) { try files.remove("d") }
        tree.write("large", [UInt8](repeating: 0, count: 11))
        #expect(throws: FileError(operation: "read", path: "large", code: EFBIG)) {
            try files.read("large", limit: 10)
        }
    }

    @Test func `An error reads as a sentence, and says which kind it is`() {
        let error = FileError(operation: "rename", path: "/spool/a", code: ENOENT)
        #expect(error.description == "rename /spool/a: No such file or directory")
        #expect(error.isMissing && error.isDataFault && !error.isDiskFull)
        for code in [ENOSPC, EDQUOT] {
            #expect(FileError(operation: "write", path: "a", code: code).isDiskFull)
        }
        #expect(!FileError(operation: "read", path: "a", code: EIO).isDataFault)
        #expect(errorText(99_999).contains("99999"))
    }

    // MARK: Bytes

    @Test func `Writing replaces a file, appending adds at an offset`() throws {
        try files.write("f", Array("a long text".utf8))
        try files.write("f", Array("short".utf8))
        #expect(tree.text("f") == "short")
        try append("er", at: 5)
        try append("", at: 7)
        #expect(tree.text("f") == "shorter")
        // The same piece again changes nothing; a hole is zeros.
        try append("er", at: 5)
        try append("!", at: 9)
        #expect(tree.contents("f") == Array("shorter\0\0!".utf8))
        try files.append("new", at: 0, UnsafeRawBufferPointer(start: nil, count: 0))
        #expect(tree.contents("new") == [])
    }

    private func append(_ text: String, at offset: UInt64) throws {
        try Array(text.utf8).withUnsafeBytes { try files.append("f", at: offset, $0) }
    }

    @Test func `A file is read at any offset, and as a whole`() throws {
        tree.write("f", "0123456789")
        let file = try files.open("f")
        var room = [UInt8](repeating: 0, count: 4)
        func read(_ offset: UInt64) throws -> String {
            let count = try room.withUnsafeMutableBytes { try file.read(into: $0, at: offset) }
            return String(decoding: room[..<count], as: UTF8.self)
        }
        #expect(try read(0) == "0123")
        #expect(try read(8) == "89")
        #expect(try read(10) == "")
        #expect(try read(1000) == "")
        #expect(try files.read("f", limit: 10) == Array("0123456789".utf8))
        #expect(try files.read("nowhere") == nil)
        // An open file stays the same one whatever becomes of its name.
        try files.rename("f", to: "g")
        try files.remove("g")
        #expect(try read(4) == "4567")
        #expect(try file.status().links == 0)
    }

    @Test func `Replacing a file leaves nothing beside it`() throws {
        tree.makeDirectory("d")
        try files.replace("d/state", with: Array("one".utf8), in: "d")
        try files.replace("d/state", with: Array("two".utf8), in: "d")
        #expect(tree.text("d/state") == "two")
        #expect(tree.names("d") == ["state"])
    }

    // MARK: Names

    @Test func `A listing has every name once, and can be left early`() throws {
        #expect(try files.names(in: ".") == [])
        let names = (0..<500).map { "n\($0)" } + [".hidden", "two words", "ä", "\u{1F680}"]
        for name in names { tree.write(name, "") }
        tree.makeDirectory("d")
        #expect(try files.names(in: ".").sorted() == (names + ["d"]).sorted())
        #expect(try files.names(in: "d") == [])
        var seen = 0
        try files.forEachName(in: ".") { _ in
            seen += 1
            return seen < 3
        }
        #expect(seen == 3)
    }

    @Test func `Renaming replaces, and removing what is not there is fine`() throws {
        tree.write("a", "a")
        tree.write("b", "b")
        try files.rename("a", to: "b")
        #expect(tree.names() == ["b"])
        #expect(tree.text("b") == "a")
        try files.remove("b")
        try files.remove("b")
        #expect(tree.names() == [])
    }

    @Test func `A directory gets its mode whatever the umask, and keeps it when made again`() throws
    {
        try files.makeDirectory("d", mode: 0o707)
        #expect(mode("d") == 0o707)
        try files.makeDirectory("d", mode: 0o700)
        #expect(mode("d") == 0o707)
        try files.makeDropDirectory("drop")
        #expect(mode("drop") == 0o3730)
        try files.makeDropDirectory("d")
        #expect(mode("d") == 0o707)
    }

    private func mode(_ name: String) -> mode_t {
        var record = stat()
        precondition(lstat(tree.at(name), &record) == 0)
        return record.st_mode & 0o7777
    }

    // MARK: Status

    @Test func `Status tells what lies there, links not followed`() throws {
        tree.write("file", "12345")
        tree.makeDirectory("directory")
        symlink("file", tree.at("link"))
        symlink("nowhere", tree.at("dangling"))
        mkfifo(tree.at("fifo"), 0o600)
        let kinds = try ["file", "directory", "link", "dangling", "fifo"].map {
            try files.status($0)?.kind
        }
        #expect(kinds == [.regular, .directory, .symbolicLink, .symbolicLink, .fifo])
        #expect(try RealFileSystem(root: "/dev").status("null")?.kind == .device)
        #expect(try files.status("nowhere") == nil)
        let socket = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        bindUnix(socket, tree.at("socket"))
        #expect(try files.status("socket")?.kind == .socket)

        let status = try #require(try files.status("file"))
        #expect(status.size == 5 && status.links == 1 && status.owner == geteuid())
        #expect(try files.open("file").status() == status)
        link(tree.at("file"), tree.at("hard"))
        #expect(try files.status("hard")?.links == 2)
        #expect(try files.status("hard")?.inode == status.inode)
        let descriptor = tree.openForAppending("file", [1])
        var times = [timespec(tv_sec: 5, tv_nsec: 6), timespec(tv_sec: 7, tv_nsec: 8)]
        futimens(descriptor, &times)
        close(descriptor)
        #expect(try files.status("file")?.modified == 7_000_000_008)
        #expect(try files.status("file")?.size == 6)
    }

    private func bindUnix(_ socket: Int32, _ path: String) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        // sockaddr_un begins as every socket address does, which is what bind(2) asks for.
        let status = withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        precondition(status == 0, "bind: errno \(errno)")
    }

    @Test func `A FIFO is opened without waiting for its writer`() throws {
        mkfifo(tree.at("fifo"), 0o600)
        #expect(try files.open("fifo").status().kind == .fifo)
    }

    @Test(.enabled(if: geteuid() != 0, "root may read every file"))
    func `What may not be read is refused`() throws {
        tree.write("f", "")
        chmod(tree.at("f"), 0o200)
        #expect(throws: FileError(operation: "open", path: tree.at("f"), code: EACCES)) {
            _ = try files.open("f")
        }
    }

    // MARK: Writers and locks

    @Test func `A file has a writer until the last one has closed it`() throws {
        let first = tree.openForAppending("f", [1])
        let second = tree.openForAppending("f", [2])
        let file = try files.open("f")
        #expect(file.writers() == .some)
        close(first)
        #expect(file.writers() == .some)
        close(second)
        #expect(file.writers() == .none)
        // A reader is no writer; and the proof held nobody up.
        let reader = try files.open("f")
        #expect(file.writers() == .none)
        withExtendedLifetime(reader) {}
        let third = open(tree.at("f"), O_WRONLY | O_NONBLOCK)
        #expect(third >= 0)
        #expect(file.writers() == .some)
        close(third)
    }

    @Test func `Only one has the lock, and it goes with its owner`() throws {
        #expect(try files.lock())
        #expect(try files.lock())
        do {
            let second = try RealFileSystem(root: tree.path)
            #expect(try !second.lock())
        }
        let directory = TemporaryTree()
        var owner: RealFileSystem? = try RealFileSystem(root: directory.path)
        #expect(try owner?.lock() == true)
        let next = try RealFileSystem(root: directory.path)
        #expect(try !next.lock())
        owner = nil
        #expect(try next.lock())
    }

    @Test func `Space is told, and a sync of everything works`() throws {
        tree.write("f", "x")
        try files.syncFile("f")
        try files.syncDirectory(".")
        try files.syncAll()
        let space = try files.space()
        #expect(space.totalBytes > 0 && space.freeBytes <= space.totalBytes)
        #expect(space.freeInodes <= space.totalInodes)
    }

    @Test func `The tree stays the same one when a directory above it is renamed`() throws {
        tree.makeDirectory("spool")
        let files = try RealFileSystem(root: tree.at("spool"))
        try files.write("f", [1])
        Glibc.rename(tree.at("spool"), tree.at("moved"))
        try [UInt8(2)].withUnsafeBytes { try files.append("f", at: 1, $0) }
        #expect(tree.contents("moved/f") == [1, 2])
    }
}
