import Batching
import Encoding
import Files
import Model

/// What is refused, and what becomes of an event file at its end.
extension Router {
    func refuse(
        _ text: UnsafePointer<UInt8>, _ line: EventLine, _ position: Position,
        _ refusals: [(connector: Int?, refusal: RoutingTable.Refusal)]
    ) throws(FileError) {
        let bytes = UnsafeRawBufferPointer(start: text + line.start, count: line.end - line.start)
        for (connector, refusal) in refusals {
            let name = connector.map { table.routing.connectors[$0].name.description }
            try refuse(offset: position.offset, name, refusal.description, bytes)
        }
    }

    func refuse(
        offset: UInt64, _ connector: String?, _ reason: String, _ bytes: UnsafeRawBufferPointer
    ) throws(FileError) {
        if reading!.rejects == nil {
            reading!.rejects = try Rejects(reading!.reader.file.name, files)
        }
        reading!.end.refused += 1
        if reading!.end.firstRefusal == nil {
            reading!.end.firstRefusal = reason
            reading!.end.firstRefusedLine = reading!.line
        }
        // What is retried was within the limit.
        guard reading!.retry != nil || !reading!.rejects!.isFull else {
            reading!.end.kept =
                reading!.end.kept
                ?? "so many of its lines are refused that those from line \(reading!.line) on are "
                + "not kept apart"
            return
        }
        try reading!.rejects!.add(
            line: reading!.line, offset: reading!.retry?.head?.offset ?? offset,
            connector: connector, reason: reason, bytes, files)
    }

    // MARK: The end of a file

    private static func reason(_ change: EventFileReader.Change, _ name: ActiveName) -> String {
        switch change {
        case .grown:
            "somebody added to it after it was claimed at \(name.size) bytes; "
                + "those bytes were taken, what follows them was not"
        case .written:
            "somebody wrote into it after it was claimed; its events were taken as they were read, "
                + "and may be neither what it held before nor what it holds now"
        }
    }

    /// Ends a file that goes on, but cannot be read any further.
    func breakOff(at offset: UInt64, _ reason: String) throws(FileError) {
        // Of what was kept for another reason before, some stands before the offset.
        let isRetriable = reading!.end.kept == nil && reading!.retry == nil
        reading!.end.kept = "\(reason); taken up to byte \(offset) of its text"
        reading!.end.keptFrom = isRetriable ? offset : nil
        try finish()
    }

    func finish() throws(FileError) {
        guard var done = reading else { return }
        let file = done.reader.file
        let isWhole = done.end.refused > 0 && !done.end.sawEvent && done.retry == nil
        if isWhole {
            try files.remove(Rejects.temporaryPath(file.name.number))
            done.rejects = nil
            let first = done.end.firstRefusal ?? ""
            done.end.kept =
                done.line == 1
                ? "its only line is no event: \(first)"
                : "no event in its first \(done.line) lines; line 1: \(first)"
            done.end.keptFrom = file.name.from
        } else {
            try done.rejects?.flush(files)
        }
        if done.end.kept == nil, let change = done.reader.change {
            done.end.kept = Self.reason(change, file.name)
            done.end.keptFrom =
                change == .grown && done.retry == nil ? done.reader.offset : nil
        }
        for (key, encoder) in encoders {
            guard let ignored = encoder.takeIgnored(of: key.eventType ?? "") else { continue }
            done.end.ignored.append(ignored)
        }
        done.end.ignored.sort { $0.eventType < $1.eventType }
        reading = nil
        output.fileRead(
            ReadFile(file: file, end: done.end, hasRejects: done.rejects != nil))
    }
}
