import Files
import Model

/// Retrying and discarding what was refused.
///
/// A retry is one rename from `quarantine/` into `active/`, under a new number and a name that says how the file is to be
/// read (`ActiveName`). From then on it is an event file like any other: what is read again after a crash is skipped by
/// its positions, and what is refused again goes to quarantine under the new number.
///
/// ```
/// list, look | sync active/ and quarantine/ | rename, hand to the router | sync both | tell, answer
/// worker       syncing                        storage                      syncing     storage
/// ```
///
/// Before that, the event file that it came from has left `active/` for good: if that were read again, the same events
/// would be refused again, and be there twice. So its open batches are sealed first, and a sync follows. What is
/// discarded is told before it goes, so a crash may tell it twice, but never not at all. One group follows another, and
/// one request another.
extension Spool {
    struct QuarantineWork {
        var requests: [QuarantineRequest] = []
        /// A step is under way on another lane.
        var isAtWork = false
        /// Tells the steps of before a failure from those after it.
        var life = 0
    }

    /// Retries or discards one thing in quarantine, or (nil) all. `done` is called on the storage lane.
    public func decide(
        _ verb: QuarantineVerb, _ id: QuarantineID?,
        done: @escaping @Sendable (Result<QuarantineOutcome, QuarantineFailure>) -> Void
    ) {
        surroundings.storage.run {
            guard self.desk != nil else { return done(.failure(.waits("intake does not run"))) }
            self.quarantine.requests.append(
                QuarantineRequest(verb, id, through: self.numbers.upcoming - 1, done: done))
            self.advanceQuarantine()
        }
    }

    /// Takes the next step of the oldest request, if nothing stands in its way.
    func advanceQuarantine() {
        guard let request = quarantine.requests.first, !quarantine.isAtWork, desk != nil,
            !isStopping
        else { return }
        if case .retry = request.verb {
            // Read under the old routing, it would be refused again.
            guard routing == wantedRouting else { return }
            if let obstacle {
                quarantine.requests.removeFirst()
                request.fail(.waits(obstacle.brief))
                return advanceQuarantine()
            }
        }
        if !request.items.isEmpty { return begin(request) }
        guard request.isListed else { return list(request) }
        quarantine.requests.removeFirst()
        request.end()
        advanceQuarantine()
    }

    /// Intake has stopped, and whoever waits is told.
    func endQuarantine(_ failure: SpoolFailure) {
        let waiting = quarantine.requests
        quarantine = QuarantineWork(life: quarantine.life + 1)
        for request in waiting { request.fail(.spool(failure)) }
    }

    // MARK: Looking

    private func list(_ request: QuarantineRequest) {
        quarantine.isAtWork = true
        let (files, storage, life) = (files, surroundings.storage, quarantine.life)
        let (id, after, through) = (request.id, request.listed, request.through)
        surroundings.workers.run { [weak self] in
            let found = Result { () throws(FileError) in
                try Self.look(id, after: after, through: through, files)
            }
            storage.run { [weak self] in
                guard let self, self.quarantine.life == life else { return }
                self.quarantine.isAtWork = false
                switch found {
                case .success(let found): self.listed(request, found)
                case .failure(let error):
                    self.quarantine.requests.removeFirst()
                    request.fail(.spool(.file(error)))
                }
                self.advanceQuarantine()
            }
        }
    }

    private static func look(
        _ id: QuarantineID?, after: UInt64?, through: UInt64, _ files: any FileSystem
    ) throws(FileError) -> (items: [QuarantineItem], hasMore: Bool) {
        if let id {
            guard let name = try QuarantineNames.find(id, files),
                let item = try QuarantineItem(name, files)
            else { return ([], false) }
            return ([item], false)
        }
        let names = try QuarantineNames.names(
            after: after, through: through, limit: Limits.quarantinePerGroup, files)
        let (items, isCut) = try QuarantineItem.items(names.names, files)
        return (items, names.hasMore || isCut)
    }

    private func listed(
        _ request: QuarantineRequest, _ found: (items: [QuarantineItem], hasMore: Bool)
    ) {
        request.isListed = !found.hasMore
        request.listed = found.items.last?.name.number ?? request.listed
        request.hasFlushed = false
        request.items = found.items.filter { item in
            guard item.concerns(request.only) else {
                if request.id != nil, let only = request.only {
                    request.leave(item.id, "connector \(only) refused nothing of it")
                }
                return false
            }
            guard case .retry = request.verb, let obstacle = item.obstacle else { return true }
            request.leave(item.id, obstacle)
            return false
        }
    }

    // MARK: Moving

    private func begin(_ request: QuarantineRequest) {
        var group: [QuarantineItem] = []
        var later: [QuarantineItem] = []
        var most = Limits.quarantinePerGroup
        if case .retry = request.verb { most = min(most, Limits.unreadFiles - unread) }
        for item in request.items {
            if let file = active[item.name.number]?.file {
                if request.hasFlushed, file.isHeld {
                    request.leave(
                        item.id, "the other events of its file are not sealed yet; try again")
                } else {
                    later.append(item)
                }
            } else if group.count < most {
                group.append(item)
            } else {
                later.append(item)
            }
        }
        request.items = later
        guard !group.isEmpty else {
            if later.isEmpty { return advanceQuarantine() }
            return sealFiles(of: request)
        }
        quarantine.isAtWork = true
        let taken = group
        syncQuarantine { $0.move(taken, request) }
    }

    /// Seals what is open, once: then the event files leave, and `removed` goes on.
    private func sealFiles(of request: QuarantineRequest) {
        guard !request.hasFlushed, hasRoom(for: request) else { return }
        quarantine.isAtWork = true
        let (storage, life) = (surroundings.storage, quarantine.life)
        flush(.all) { [weak self] _ in
            storage.run { [weak self] in
                guard let self, self.quarantine.life == life else { return }
                self.quarantine.isAtWork = false
                request.hasFlushed = true
                self.advanceQuarantine()
            }
        }
    }

    /// Whether files may be handed to the router; if not, `filesRead` goes on.
    private func hasRoom(for request: QuarantineRequest) -> Bool {
        if case .retry = request.verb { unread < Limits.unreadFiles } else { true }
    }

    /// Makes the names in both directories durable, and goes on here unless intake has failed.
    private func syncQuarantine(then proceed: @escaping @Sendable (Spool) -> Void) {
        let (files, storage, life) = (files, surroundings.storage, quarantine.life)
        surroundings.syncing.run { [weak self] in
            let result = Result { () throws(FileError) in
                try files.syncDirectory(SpoolLayout.active)
                try files.syncDirectory(SpoolLayout.quarantine)
            }
            storage.run { [weak self] in
                guard let self, self.quarantine.life == life else { return }
                self.quarantine.isAtWork = false
                switch result {
                case .success: proceed(self)
                case .failure(let error):
                    // Told here: while the routing changes, intake does not fail, and the request would go on without
                    // what it was at.
                    self.quarantine.requests.removeFirst().fail(.spool(.file(error)))
                    self.fail(.file(error))
                }
            }
        }
    }

    private func move(_ group: [QuarantineItem], _ request: QuarantineRequest) {
        switch request.verb {
        case .retry(let only): retry(group, request, only)
        case .discard: discard(group, request)
        }
    }

    private func retry(
        _ group: [QuarantineItem], _ request: QuarantineRequest, _ only: ConnectorName?
    ) {
        guard desk != nil, !isStopping, routing == wantedRouting else {
            // The routing has changed meanwhile, or is about to: it goes on under the new one.
            request.items = group + request.items
            return advanceQuarantine()
        }
        var (moved, names): ([QuarantineItem], [ActiveName]) = ([], [])
        attempt { () throws(FileError) in
            for item in group {
                // Looked at once more: somebody may have written into it, or taken it away.
                guard let status = try files.status(item.name.path), status.size == item.bytes
                else {
                    request.leave(item.id, "it has changed meanwhile; try again")
                    continue
                }
                let name = item.active(
                    number: try numbers.take(files), accepted: surroundings.now(),
                    size: status.size, only: only)
                try files.rename(item.name.path, to: name.path)
                names.append(name)
                moved.append(item)
            }
            for item in moved where item.isFile {
                try files.remove(Quarantine.reasonPath(item.name.number))
            }
        }
        // After a failure all of `active/` is read anew.
        guard !isStopping else { return }
        take(names)
        finish(moved, request) { .quarantineRetried($0, only) }
    }

    private func discard(_ group: [QuarantineItem], _ request: QuarantineRequest) {
        guard !isStopping else {
            // Nothing is told that is not done then. While the routing changes, it goes on after that.
            request.items = group + request.items
            return
        }
        report(.quarantineDiscarded(group))
        quarantine.isAtWork = true
        let (storage, life) = (surroundings.storage, quarantine.life)
        surroundings.whenTold { [weak self] in
            storage.run { [weak self] in
                guard let self, self.quarantine.life == life else { return }
                self.quarantine.isAtWork = false
                guard !self.isStopping else {
                    request.items = group + request.items
                    return
                }
                self.attempt { () throws(FileError) in
                    for item in group {
                        try self.files.remove(item.name.path)
                        if item.isFile {
                            try self.files.remove(Quarantine.reasonPath(item.name.number))
                        }
                    }
                }
                guard !self.isStopping else { return }
                self.roomWasMade()
                self.finish(group, request) { .quarantineLeft($0.count) }
            }
        }
    }

    /// Whoever asked is told once it is durable.
    private func finish(
        _ group: [QuarantineItem], _ request: QuarantineRequest,
        _ makeReport: @escaping @Sendable ([QuarantineItem]) -> SpoolReport
    ) {
        quarantine.isAtWork = true
        syncQuarantine { spool in
            for item in group {
                request.outcome.items += 1
                request.outcome.events += item.events(of: request.only) ?? 0
                request.outcome.bytes += item.bytes
            }
            if !group.isEmpty { spool.report(makeReport(group)) }
            spool.advanceQuarantine()
        }
    }
}

extension QuarantineItem {
    /// Looks at things until enough was read; then `isCut` says that there are more.
    static func items(
        _ names: [QuarantineName], _ files: any FileSystem
    ) throws(FileError) -> (items: [QuarantineItem], isCut: Bool) {
        var items: [QuarantineItem] = []
        var bytes: UInt64 = 0
        for name in names {
            // Not between the two names of one number: it goes on after a number.
            if bytes >= Limits.quarantineBytesPerGroup, items.last?.name.number != name.number {
                return (items, true)
            }
            guard let item = try QuarantineItem(name, files) else { continue }
            if !item.isFile { bytes += item.bytes }
            items.append(item)
        }
        return (items, false)
    }
}

extension IntakeObstacle {
    fileprivate var brief: String {
        switch self {
        case .diskNearlyFull, .inodesNearlyGone: "intake waits for room on the disk"
        case .clockTooEarly, .clockBehind: "intake waits until the clock is right"
        }
    }
}
