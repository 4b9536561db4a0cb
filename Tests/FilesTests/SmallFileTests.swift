import Files
import Glibc
import Support
import Testing

struct SmallFileTests {
    private let tree = TemporaryTree()

    private func read(_ name: String, limit: Int) -> Result<String, FileError> {
        var bytes: [UInt8] = []
        return Result { () throws(FileError) in
            _ = try SmallFile.read(tree.at(name), limit: limit) { bytes += $0 }
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    private func code(_ result: Result<String, FileError>) -> Int32? {
        if case .failure(let error) = result { error.code } else { nil }
    }

    @Test("A file is read whole up to its limit")
    func limit() {
        let text = String(repeating: "x", count: 10_000)
        tree.write("a", text)
        #expect(read("a", limit: 10_000) == .success(text))
        #expect(code(read("a", limit: 9_999)) == EFBIG)
    }

    @Test("What is no regular file is refused, and not waited for")
    func kinds() {
        tree.makeDirectory("directory")
        mkfifo(tree.at("fifo"), 0o600)
        #expect(code(read("directory", limit: 10)) == EINVAL)
        #expect(code(read("fifo", limit: 10)) == EINVAL)
        #expect(code(read("missing", limit: 10)) == ENOENT)
    }

    @Test("A version is another one after each kind of change, and the same after none")
    func versions() {
        tree.write("a", "1")
        let first = FileVersion(of: tree.at("a"))
        #expect(first != nil && FileVersion(of: tree.at("a")) == first)
        tree.write("b", "1")
        rename(tree.at("b"), tree.at("a"))
        let second = FileVersion(of: tree.at("a"))
        #expect(second != first)
        tree.write("a", "2")
        let third = FileVersion(of: tree.at("a"))
        #expect(third != second)
        unlink(tree.at("a"))
        #expect(FileVersion(of: tree.at("a")) == nil)
        symlink("c", tree.at("a"))
        tree.write("c", "2")
        #expect(FileVersion(of: tree.at("a")) == FileVersion(of: tree.at("c")))
    }

    @Test("The directories of a path are those of its links, too, also where links go round")
    func directories() {
        for name in ["one", "two"] { tree.makeDirectory(name) }
        symlink(tree.at("two/b"), tree.at("one/a"))
        symlink("../one/file", tree.at("two/b"))
        #expect(
            FileVersion.directories(of: tree.at("one/a"))
                == [tree.at("one"), tree.at("two"), tree.at("two") + "/../one"])
        symlink("loop", tree.at("loop"))
        #expect(FileVersion.directories(of: tree.at("loop")).count == 40)
        #expect(FileVersion.directories(of: "/file") == ["/"])
    }

    @Test("A watched directory tells of names that come, go and change")
    func watch() throws {
        let watch = try DirectoryWatch()
        try watch.add(tree.path)
        func isReadable() -> Bool {
            var ready = pollfd(fd: watch.descriptor, events: Int16(POLLIN), revents: 0)
            defer { watch.drain() }
            return poll(&ready, 1, 0) == 1
        }
        #expect(!isReadable())
        tree.write("a", "1")
        #expect(isReadable())
        rename(tree.at("a"), tree.at("b"))
        #expect(isReadable())
        symlink("b", tree.at("c"))
        #expect(isReadable())
        unlink(tree.at("b"))
        #expect(isReadable())
        #expect(!isReadable())
        #expect(throws: FileError.self) { try watch.add(tree.at("missing")) }
    }
}
