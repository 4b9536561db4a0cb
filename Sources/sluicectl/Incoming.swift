import ArgumentParser
import Digest
import Files
import Glibc
import Model

/// The directory of the spool into which files go.
///
/// A file appears there whole, under a name of its own, readable for the daemon's group, and durable;
/// or not at all.
struct Incoming {
    /// What is put there, and the name it asks for.
    struct Source {
        /// As the user named it.
        var shown: String
        var descriptor: CInt
        var name: IncomingName
    }

    struct Submitted: Equatable {
        var name: String
        var bytes: Int
        /// In nanoseconds since 1970.
        var modified: Int64
        /// Of an export.
        var digest: ContentDigest?
    }

    /// Names that are tried. The directory cannot be listed, so a free one is found by trying.
    private static let mostNames = 10_000
    /// A daemon that has just started, or reloaded, makes a connector's directory a moment after it says that it is ready.
    /// And a running daemon takes a file from there in no more time.
    private static let (mostLooks, lookMilliseconds): (Int, CInt) = (100, 20)
    /// A buffer of this size makes the copy as fast as the disk.
    private static let bufferSize = 256 << 10
    /// The daemon reads through its group; the directory's set-group-ID bit sees to which group that is.
    private static let mode: UInt32 = 0o640

    let directory: String
    /// Told the path of the hidden file, and nil when there is none any more.
    var unfinished: (String?) -> Void = { _ in }

    /// Finds the directory, or says why there is none.
    init(spool: String, connector: ConnectorName?) throws(Refusal) {
        let incoming = spool + "/incoming"
        directory = incoming + (connector.map { "/\($0)" } ?? "")
        for path in [incoming, directory] {
            var status = stat()
            var looks = 1
            while stat(path, &status) != 0 {
                let code = errno
                guard code == ENOENT, path != incoming, looks < Self.mostLooks else {
                    throw Self.refusal(ofDirectory: path, code, isSpool: path == incoming)
                }
                looks += 1
                poll(nil, 0, Self.lookMilliseconds)
            }
        }
    }

    private static func refusal(
        ofDirectory path: String, _ code: CInt, isSpool: Bool
    ) -> Refusal {
        switch code {
        case ENOENT where isSpool:
            Refusal(
                "there is no spool: \(path) does not exist; sluiced makes it when it first starts: "
                    + "was it ever started? see \"systemctl status sluiced\"", .tryAgainLater)
        case ENOENT:
            Refusal(
                "\(path) does not exist; sluiced makes it when it reads the connector's file: "
                    + "run \"systemctl reload sluiced\"", .tryAgainLater)
        case EACCES:
            Refusal(notAllowed(path), .noPermission)
        default:
            Refusal("\(path): \(errorText(code))")
        }
    }

    private static func notAllowed(_ directory: String) -> String {
        "you may not put files into \(directory); join group sluice-producers, or use sudo"
    }

    func submit(_ source: Source) throws(Refusal) -> Submitted {
        try submit(source.shown, as: source.name) { file throws(FileError) in
            try copy(source, into: file)
        }
    }

    /// Puts a file with these bytes there.
    func submit(_ bytes: [UInt8], as name: EventFileName) throws(Refusal) -> Submitted {
        try submit(name.text(number: 0), as: .events(name)) { file throws(FileError) in
            var result = Result<Void, FileError>.success(())
            bytes.withUnsafeBytes { bytes in
                result = Result { () throws(FileError) in try file.write(bytes) }
            }
            try result.get()
            return (bytes.count, nil)
        }
    }

    private func submit(
        _ shown: String, as asked: IncomingName,
        fill: (borrowing NewFile) throws(FileError) -> (Int, ContentDigest?)
    ) throws(Refusal) -> Submitted {
        do throws(FileError) {
            var file = try newFile(named: asked)
            unfinished(file.hidden)
            defer { unfinished(nil) }
            let (bytes, digest) = try fill(file)
            try file.finish(mode: Self.mode)
            let modified = try file.modified()
            let name = try takeName(asked, for: &file)
            try file.syncName()
            return Submitted(name: name, bytes: bytes, modified: modified, digest: digest)
        } catch {
            if case .export = asked, error.code == EEXIST {
                throw Refusal(
                    "\(shown): \(directory) has a file of this name that sluiced has not taken yet; "
                        + "is it running? see \"sluicectl status\"", .tryAgainLater)
            }
            throw refusal(of: error, shown: shown)
        }
    }

    func refusal(of error: FileError, shown: String) -> Refusal {
        switch error.code {
        case EACCES where error.operation == "open", EPERM where error.operation == "open":
            Refusal("\(shown): \(Self.notAllowed(directory))", .noPermission)
        case _ where error.isDiskFull:
            Refusal(
                "\(shown): \(directory) is full (\(errorText(error.code))); "
                    + "nothing of the file is left there, so try again when there is space",
                .tryAgainLater)
        case EISDIR:
            Refusal("\(shown): it is a directory; name the files in it")
        case EEXIST:
            Refusal(
                "\(shown): \(directory) has \(grouped(Self.mostNames)) files of this name; "
                    + "is sluiced running? see \"sluicectl status\"", .tryAgainLater)
        case EINVAL where error.operation == "rename":
            Refusal(
                "\(shown): the file system of \(directory) cannot rename without replacing; "
                    + "copy the file to a name that begins with a dot, and move it into place")
        default:
            Refusal("\(shown): \(error)")
        }
    }

    /// A hidden file; another number where a process that was killed left one of the same name.
    private func newFile(named asked: IncomingName) throws(FileError) -> NewFile {
        var number = 0
        while true {
            let name = asked.hidden(number: number, process: getpid())
            do {
                return try NewFile(in: directory, hidden: name)
            } catch {
                guard error.code == EEXIST, number < Self.mostNames else { throw error }
                number += 1
            }
        }
    }

    private func copy(
        _ source: Source, into file: borrowing NewFile
    ) throws(FileError) -> (Int, ContentDigest?) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Self.bufferSize, alignment: 16)
        defer { buffer.deallocate() }
        let isHashed = if case .export = source.name { true } else { false }
        var total = 0
        var digest = ContentDigestComputation(nil)
        while true {
            let count = read(source.descriptor, buffer.baseAddress, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw FileError(operation: "read", path: source.shown, code: errno)
            }
            if count == 0 { return (total, isHashed ? digest.finish() : nil) }
            let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            if isHashed { digest.update(bytes) }
            try file.write(bytes)
            total += count
        }
    }

    private func takeName(
        _ name: IncomingName, for file: inout NewFile
    ) throws(FileError) -> String {
        for number in 0..<Self.mostNames {
            guard let text = name.text(number: number) else { break }
            if try file.take(name: text) { return text }
        }
        if case .export(let name) = name {
            for _ in 1..<Self.mostLooks {
                poll(nil, 0, Self.lookMilliseconds)
                if try file.take(name: name.fileName) { return name.fileName }
            }
        }
        throw FileError(operation: "rename", path: directory, code: EEXIST)
    }
}
