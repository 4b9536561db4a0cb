internal import Encoding

/// Records, arrays and maps.
extension EventRun {
    mutating func record(_ index: Int, _ piece: JSONPiece) -> Bool {
        guard enter(piece) else { return false }
        let record = records[index]
        let count = Int(record.fieldCount)
        let first = Int(record.firstField)
        let notes = scratch.pushNone(count)
        noteMembers(of: record, piece, scratch.pieces + notes)
        for field in 0..<count {
            let compiled = fields[first + field]
            let value = scratch.pieces[notes + field]
            let isWritten =
                value.isNone ? putMissing(compiled) : self.value(Int(compiled.type), value)
            guard isWritten else {
                scratch.path.append(.field(first + field))
                return false
            }
        }
        scratch.pop(to: notes)
        return true
    }

    @inline(__always)
    private mutating func putMissing(_ field: CompiledField) -> Bool {
        if field.missing >= 0 {
            put(long: Int(field.missing))
            return true
        }
        if field.missing == CompiledType.whole { return true }
        let isUnfit = types[Int(field.type)].kind == .unfit
        return refuse(isUnfit ? .wrongTransform : .missing, Int(field.type), .none)
    }

    /// Notes where the value of each field lies; the last of equal names counts.
    ///
    /// Members mostly come in the order of the event before, so each is first compared with what came next then.
    @inline(__always)
    private mutating func noteMembers(
        of record: CompiledRecord, _ piece: JSONPiece, _ notes: UnsafeMutablePointer<JSONPiece>
    ) {
        let names = record.names
        var at = text + piece.start + 1
        AcceptedJSON.skipSpace(&at)
        if at.pointee == UInt8(ascii: "}") { return }
        var place = 0
        while true {
            let guess = Int(record.successors[place])
            let field: Int
            let name = at
            if guess >= 0, names.names[guess].matches(at + 1),
                at[1 + names.names[guess].count] == UInt8(ascii: "\"")
            {
                field = guess
                at += 2 + names.names[guess].count
            } else {
                field = findField(names, &at)
                record.successors[place] = Int32(truncatingIfNeeded: field)
            }
            let nameEnd = at
            AcceptedJSON.skipColon(&at)
            let value = AcceptedJSON.value(text, &at)
            if field >= 0 {
                notes[field] = value
                place = 2 * (field + 1)
            } else {
                place |= 1
                // The event itself begins at 0, and routing has used these two.
                if piece.start > 0 || routingNames.find(name + 1, nameEnd - name - 2) < 0 {
                    if ignoredMembers == 0 {
                        firstIgnored = JSONPiece(
                            start: name - text, end: nameEnd - text, escaped: false)
                    }
                    ignoredMembers += 1
                }
            }
            AcceptedJSON.skipSpace(&at)
            if at.pointee == UInt8(ascii: "}") { return }
            at += 1
            AcceptedJSON.skipSpace(&at)
        }
    }

    @inline(__always)
    private func findField(_ names: CompiledNames, _ at: inout UnsafePointer<UInt8>) -> Int {
        let start = at
        let isEscaped = AcceptedJSON.skipString(&at)
        if !isEscaped { return names.find(start + 1, at - start - 2) }
        let name = scratch.unescaped(
            text, JSONPiece(start: start - text, end: at - text, escaped: true))
        return names.find(name.bytes, name.count)
    }

    /// Writes one block: how many items, the items, and a block of none.
    mutating func array(_ items: Int, _ piece: JSONPiece) -> Bool {
        guard enter(piece) else { return false }
        let first = scratch.pieceCount
        var at = text + piece.start + 1
        AcceptedJSON.skipSpace(&at)
        while at.pointee != UInt8(ascii: "]") {
            scratch.push(AcceptedJSON.value(text, &at))
            AcceptedJSON.skipSpace(&at)
            if at.pointee == UInt8(ascii: ",") { at += 1 }
            AcceptedJSON.skipSpace(&at)
        }
        let count = scratch.pieceCount - first
        if count > 0 { put(long: count) }
        for index in 0..<count {
            guard value(items, scratch.pieces[first + index]) else {
                scratch.path.append(.item(index))
                return false
            }
        }
        scratch.pop(to: first)
        put(byte: 0)
        return true
    }

    /// Writes one block: how many entries, each key and value, and a block of none.
    ///
    /// Of equal keys the last value is written, where the first stood.
    mutating func map(_ values: Int, _ piece: JSONPiece) -> Bool {
        guard enter(piece) else { return false }
        let first = scratch.pieceCount
        var at = text + piece.start + 1
        AcceptedJSON.skipSpace(&at)
        while at.pointee != UInt8(ascii: "}") {
            scratch.push(AcceptedJSON.value(text, &at))
            AcceptedJSON.skipColon(&at)
            scratch.push(AcceptedJSON.value(text, &at))
            AcceptedJSON.skipSpace(&at)
            if at.pointee == UInt8(ascii: ",") { at += 1 }
            AcceptedJSON.skipSpace(&at)
        }
        let count = uniteEqualKeys(from: first)
        if count > 0 { put(long: count) }
        for index in 0..<count {
            let key = scratch.pieces[first + 2 * index]
            put(string: key)
            guard value(values, scratch.pieces[first + 2 * index + 1]) else {
                scratch.path.append(.key(key))
                return false
            }
        }
        scratch.pop(to: first)
        put(byte: 0)
        return true
    }

    /// Leaves one entry of equal keys on the stack; returns how many entries remain.
    private mutating func uniteEqualKeys(from first: Int) -> Int {
        let count = (scratch.pieceCount - first) / 2
        let united = scratch.keys.unite(scratch.pieces + first, count, in: text)
        scratch.pop(to: first + 2 * united)
        return united
    }
}
