internal import Digest
internal import Encoding
internal import Model

/// Unions and transformed fields: a branch is chosen by the value.
extension EventRun {
    @inline(__always)
    mutating func union(_ union: CompiledType, _ type: Int, _ piece: JSONPiece) -> Bool {
        let first = text[piece.start]
        if first == UInt8(ascii: "n") {
            guard union.nullBranch >= 0 else { return refuse(.noBranch, type, piece) }
            put(long: Int(union.nullBranch))
            return true
        }
        if first == UInt8(ascii: "\""), union.count == 2, union.nullBranch >= 0,
            union.stringBranch >= 0
        {
            put(long: Int(union.stringBranch))
            put(string: piece)
            return true
        }
        return anyBranch(union, type, piece)
    }

    private mutating func anyBranch(
        _ union: CompiledType, _ type: Int, _ piece: JSONPiece
    ) -> Bool {
        let first = text[piece.start]
        let kind = JSONKind.of(first)
        var tried = 0
        if kind == JSONKind.object, let (branch, branchType, value) = form(union, piece) {
            if attempt(branch, branchType, value) { return true }
            tried += 1
        }
        for branch in 0..<Int(union.count) {
            let branchType = Int(branches[Int(union.index) + branch])
            guard types[branchType].accepts & kind != 0 else { continue }
            if attempt(branch, branchType, piece) { return true }
            tried += 1
        }
        if union.stringBranch >= 0, kind & (JSONKind.object | JSONKind.array) != 0 {
            put(long: Int(union.stringBranch))
            put(textOf: piece)
            return true
        }
        let others = Int(union.count) - (union.nullBranch >= 0 ? 1 : 0)
        guard others == 1 else {
            scratch.path.removeAll(keepingCapacity: true)
            return refuse(.noBranch, type, piece)
        }
        // Its only branch says why, and where inside the value.
        if tried > 0 { return false }
        let branch = (0..<Int(union.count)).first { $0 != Int(union.nullBranch) } ?? 0
        return refuse(.wrongValue, Int(branches[Int(union.index) + branch]), piece)
    }

    /// Writes a branch, or takes back all that it has written, counted and noted, but for `fault` and `path`.
    private mutating func attempt(_ branch: Int, _ type: Int, _ piece: JSONPiece) -> Bool {
        let mark = self.mark
        let pieces = scratch.pieceCount
        let (ignored, ignoredName) = (ignoredMembers, firstIgnored)
        scratch.path.removeAll(keepingCapacity: true)
        put(long: branch)
        if value(type, piece) { return true }
        takeBack(to: mark)
        scratch.pop(to: pieces)
        (ignoredMembers, firstIgnored) = (ignored, ignoredName)
        return false
    }

    /// Reads `{"branch": value}`, Avro's own JSON form of a value of a union: the branch, its type and the value.
    private func form(_ union: CompiledType, _ piece: JSONPiece) -> (Int, Int, JSONPiece)? {
        var at = text + piece.start + 1
        AcceptedJSON.skipSpace(&at)
        guard at.pointee == UInt8(ascii: "\"") else { return nil }
        let key = AcceptedJSON.value(text, &at)
        let name = scratch.unescaped(text, key)
        let names = branchNames + 2 * Int(union.index)
        let found = (0..<2 * Int(union.count)).first { index in
            names[index].count == name.count && names[index].matches(name.bytes)
        }
        guard let branch = found.map({ $0 / 2 }) else { return nil }
        AcceptedJSON.skipColon(&at)
        let value = AcceptedJSON.value(text, &at)
        AcceptedJSON.skipSpace(&at)
        guard at.pointee == UInt8(ascii: "}") else { return nil }
        let type = Int(branches[Int(union.index) + branch])
        // Text of an object or array is the last that is tried.
        if types[type].kind == .string, text[value.start] != UInt8(ascii: "\"") { return nil }
        return (branch, type, value)
    }

    // MARK: Transforms

    mutating func transformed(_ field: CompiledType, _ type: Int, _ piece: JSONPiece) -> Bool {
        if field.kind == .unfit { return refuse(.wrongTransform, type, piece) }
        let isNull = text[piece.start] == UInt8(ascii: "n")
        if isNull || field.stringBranch == -1 {
            guard field.nullBranch != -1 else { return refuse(.wrongValue, type, piece) }
            put(branch: field.nullBranch)
            return true
        }
        put(branch: field.stringBranch)
        if field.kind == .removed {
            var redacted = Transforms.redacted
            redacted.withUTF8 { put(bytes: $0) }
        } else {
            put(digestOf: piece)
        }
        return true
    }

    private mutating func put(branch: Int32) {
        if branch != CompiledType.whole { put(long: Int(branch)) }
    }

    /// Writes the digest of a string's UTF-8, or of the JSON text of any other value.
    private mutating func put(digestOf piece: JSONPiece) {
        if text[piece.start] == UInt8(ascii: "\"") {
            let plain = scratch.unescaped(text, piece)
            scratch.digest.update(UnsafeRawBufferPointer(start: plain.bytes, count: plain.count))
        } else {
            scratch.digest.update(
                UnsafeRawBufferPointer(start: text + piece.start, count: piece.count))
        }
        reserve(2 * SHA256Digest.byteCount + 10)
        putInRoom(2 * SHA256Digest.byteCount)
        scratch.digest.finish().writeHex(to: to)
        to += 2 * SHA256Digest.byteCount
    }

    private mutating func put(bytes: UnsafeBufferPointer<UInt8>) {
        reserve(bytes.count + 10)
        putInRoom(bytes.count)
        for byte in bytes {
            to.pointee = byte
            to += 1
        }
    }
}
