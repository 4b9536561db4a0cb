/// How names and bytes come from what a process sees to what is on the disk.
extension SimulatedFileSystem.State {
    @discardableResult
    mutating func make(_ path: String, _ inode: SimulatedFileSystem.Inode) -> Int {
        let number = nextInode
        nextInode += 1
        inodes[number] = inode
        seen[path] = number
        changes.append(.make(path, number))
        return number
    }

    mutating func storeBytes(_ number: Int) {
        guard var inode = inodes[number], inode.isDirty else { return }
        inode.stored = inode.seen
        inode.isDirty = false
        inodes[number] = inode
    }

    /// A failed sync: what was dirty counts as clean, and is not on the disk.
    mutating func forgetDirty(_ numbers: [Int]) {
        for number in numbers { inodes[number]?.isDirty = false }
    }

    /// Changes a name on the disk where the names it builds on are there.
    mutating func store(_ change: SimulatedFileSystem.NameChange) {
        switch change {
        case .make(let path, let number):
            if stored[path] == nil { stored[path] = number }
        case .remove(let path, let number):
            if stored[path] == number { stored[path] = nil }
        case .rename(let from, let to, let number):
            guard stored[from] == number else { return }
            stored[from] = nil
            stored[to] = number
        }
    }

    /// fsync of a directory: the changes of its names, and all that came before them on the same names.
    mutating func storeChanges(in directory: String) {
        func isInside(_ path: String) -> Bool {
            let parent = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
            return parent == directory
        }
        // A change of a file's name builds on the earlier ones of the same file, wherever they were made.
        var covered: Set<Int> = []
        for change in changes {
            switch change {
            case .make(let path, let number), .remove(let path, let number):
                if isInside(path) { covered.insert(number) }
            case .rename(let from, let to, let number):
                if isInside(from) || isInside(to) { covered.insert(number) }
            }
        }
        var left: [SimulatedFileSystem.NameChange] = []
        for change in changes {
            switch change {
            case .make(_, let number), .remove(_, let number), .rename(_, _, let number):
                if covered.contains(number) { store(change) } else { left.append(change) }
            }
        }
        changes = left
    }
}
