import Files
import Model

/// Event files on their way, what was refused, and the ballast.
extension SpoolCheck {
    mutating func checkIncoming() throws(FileError) {
        try checkDropped(in: SpoolLayout.incoming)
        try forEachName(in: SpoolLayout.incoming) { check, name throws(FileError) in
            let path = "\(SpoolLayout.incoming)/\(name)"
            guard try check.files.status(path)?.kind == .directory else { return }
            guard ConnectorName(name) != nil else {
                check.look()
                return check.tell(
                    path, "it is a directory that sluiced did not make",
                    "files in it are not taken", "move them to incoming/ itself")
            }
            try check.checkDropDirectory(path)
            try check.checkDropped(in: path)
        }
    }

    /// A connector's own: producers may add files there, and change nobody else's.
    private mutating func checkDropDirectory(_ path: String) throws(FileError) {
        look()
        guard let status = try files.status(path) else { return }
        if status.owner != owner {
            tell(
                path, "it belongs to another user (ID \(status.owner))",
                "who owns it can change what others drop into it",
                "chown it to user ID \(owner)")
        }
        if status.mode & 0o022 != 0, status.mode & 0o1000 == 0 {
            tell(
                path,
                "other users can change each other's files in it (mode \(octal(status.mode)))",
                "events could be removed or replaced before they are taken",
                "chmod \(octal(status.mode | 0o1000))")
        }
    }

    private mutating func checkDropped(in directory: String) throws(FileError) {
        try forEachName(in: directory) { check, name throws(FileError) in
            let path = "\(directory)/\(name)"
            guard let status = try check.files.status(path), status.kind != .directory else {
                return
            }
            check.look()
            let isLeft = name.hasPrefix(".") || name.hasSuffix(".tmp") || name.hasSuffix(".part")
            if isLeft {
                check.census.unfinished.add(status.size)
            } else if status.kind == .regular {
                check.census.dropped.add(status.size)
            } else {
                check.tell(
                    path, "it is \(status.kind.rawValue), and no event file",
                    "sluiced does not read it", "put the file itself there")
            }
        }
    }

    // MARK: Claimed files

    mutating func checkActive() throws(FileError) {
        try forEachName(in: SpoolLayout.active) { check, name throws(FileError) in
            let path = "\(SpoolLayout.active)/\(name)"
            if let file = ActiveName(name) {
                check.note(file.number)
                try check.checkClaimed(file, path)
            } else if let file = ClaimingName(name) {
                check.note(file.number)
                check.look()
                check.census.claiming.add(try check.files.status(path)?.size ?? 0)
            } else {
                check.foreign(path)
            }
        }
    }

    private mutating func checkClaimed(_ file: ActiveName, _ path: String) throws(FileError) {
        look()
        guard let status = try files.status(path) else { return }
        census.claimed.add(status.size)
        if status.kind != .regular {
            tell(
                path, "it is \(status.kind.rawValue)", "it cannot be read",
                "move it away; \(file.shown) was the file that was claimed")
        } else if status.size < file.size {
            tell(
                path,
                "it has \(grouped(status.size)) bytes, and had \(grouped(file.size)) when it was "
                    + "claimed",
                "whoever had it open cut it; the events behind are lost, those before are taken",
                "look for the rest where \(file.shown) came from")
        }
    }

    // MARK: Quarantine

    mutating func checkQuarantine() throws(FileError) {
        try forEachName(in: SpoolLayout.quarantine) { check, name throws(FileError) in
            let path = "\(SpoolLayout.quarantine)/\(name)"
            // Half-written: a start removes it, and the event file is read again.
            if name.hasPrefix(".") {
                check.look()
                check.census.halfWritten += 1
                return
            }
            guard let name = QuarantineName(name) else { return check.foreign(path) }
            check.note(name.number)
            switch name.kind {
            case .reason:
                guard try check.isOurs(path) != nil else { return }
                try check.read(path, "why the file beside it was kept is unknown") {
                    _, bytes throws(CheckedText.Fault) in
                    _ = try CheckedText(bytes, kind: "quarantine").value("reason")
                }
            case .rejects, .file:
                check.look()
                check.census.quarantined.add(try check.files.status(path)?.size ?? 0)
            }
        }
    }

    // MARK: The rest

    mutating func checkOthers() throws(FileError) {
        try forEachName(in: SpoolLayout.ballast) { check, name throws(FileError) in
            let path = "\(SpoolLayout.ballast)/\(name)"
            guard let number = Int(name), (0..<Limits.ballastFiles).contains(number) else {
                return check.foreign(path)
            }
            _ = try check.isOurs(path)
        }
    }
}
