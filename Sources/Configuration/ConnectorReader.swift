import Model

/// Reads one file of `connectors.d/`: who gets which events, and as what.
///
/// What exports have of their own is `ExportReader`'s part. Where they go is `DestinationReader`'s part, and with which secret `CredentialReader`'s.
struct ConnectorReader {
    let root: TableReader
    let name: ConnectorName
    let identity: IdentitySettings
    let environment: [String: String]

    /// Tables in which the user chooses the keys.
    static let free: Set<[String]> = [["tags"], ["transform"]]

    func read() -> ConnectorSettings {
        var connector = ConnectorSettings(
            name: name, bucket: "", integrationID: IdentityRules.integrationID(for: name))
        readKind(into: &connector)
        switch connector.kind {
        case .currents: readCurrents(into: &connector)
        case .dataExport: ExportReader(root: root).read(into: &connector)
        }
        let destination = DestinationReader(root: root)
        destination.read(into: &connector)
        UploadReader(root: root).read(into: &connector)
        connector.credentials =
            CredentialReader(
                table: root.table("credentials"), connector: name,
                insecureAllowed: destination.insecureAllowed, environment: environment
            ).read()
        connector.expireAfter =
            root.duration("expire_after", in: .seconds(1)...(.seconds(366 * 86_400)))
            ?? connector.expireAfter
        connector.onExpiry =
            root.choice("on_expiry", of: ConnectorSettings.Expiry.self) ?? connector.onExpiry
        // Below a few blocks a connector could not hold what is open.
        connector.maxHeld = root.size(
            "max_held", in: ByteCount(1 << 20)...ByteCount(1 << 50),
            limits: "\"1MiB\" to \"1024TiB\"")
        if let excess = FolderRules.excess(of: connector, identity: identity) {
            let isRoot = connector.kind == .dataExport && connector.folder.isEmpty
            root.problem(
                isRoot ? "key" : "folder",
                "with it, keys may have \(grouped(ObjectKey.longest + excess)) bytes, and S3 allows "
                    + "\(grouped(ObjectKey.longest)); shorten it by \(excess)")
        }
        return connector
    }

    private func readKind(into connector: inout ConnectorSettings) {
        connector.kind = root.choice("kind", of: ConnectorSettings.Kind.self) ?? connector.kind
    }

    private func readCurrents(into connector: inout ConnectorSettings) {
        ExportReader(root: root).refuseKeys()
        connector.integrationID =
            root.string("integration_id", rule: IdentityRules.fault) ?? connector.integrationID
        readEvents(into: &connector)
        connector.format = format()
        connector.compressionLevel = compressionLevel(connector.format)
        connector.transforms = transforms()
        connector.batch = batch(root.table("batch"))
    }

    private func readEvents(into connector: inout ConnectorSettings) {
        if let patterns = root.strings("events") {
            if patterns.isEmpty {
                root.problem(
                    "events", "an empty list selects nothing; leave the key out to get every event")
            }
            connector.events = patterns.compactMap { text in
                if let pattern = EventPattern(text) { return pattern }
                root.problem(
                    "events",
                    "\(quoted(text)) is no pattern; it may have A-Z, a-z, 0-9, \"_\", \".\", \"-\" and \"*\""
                )
                return nil
            }
        }
        connector.defaultEventType = root.string("default_event_type") { type in
            EventType.isValid(type)
                ? nil
                : "\(quoted(type)) is no event type; it has 1 to \(EventType.longest) of A-Z, a-z, 0-9, "
                    + "\"_\", \"-\", and single dots inside"
        }
    }

    private func format() -> ObjectFormat {
        if root.choice("format", among: ["avro", "jsonl"]) == "jsonl" {
            return .jsonl(compression(default: .gzip, foreign: ["deflate", "zstandard"]))
        }
        return .avro(compression(default: .deflate, foreign: ["gzip", "zstd"]))
    }

    /// - Parameter foreign: what the other format has.
    private func compression<Compression>(
        default standard: Compression, foreign: [String]
    ) -> Compression where Compression: RawRepresentable<String> & CaseIterable {
        let text = root.string("compression") { text in
            if Compression(rawValue: text) != nil { return nil }
            let fault = foreign.contains(text) ? "belongs to the other format" : "is unknown"
            let known = listed(Compression.allCases.map(\.rawValue))
            return "\(quoted(text)) \(fault); write \(known)"
        }
        return text.flatMap(Compression.init) ?? standard
    }

    private func compressionLevel(_ format: ObjectFormat) -> Int? {
        if let levels = format.levels {
            return root.integer("compression_level", in: levels.range)
        }
        if root.integer("compression_level", in: 0...Int.max) != nil {
            root.problem("compression_level", "\"none\" has no levels; remove one of the two")
        }
        return nil
    }

    /// Member names of events may be any text, so every key is one.
    private func transforms() -> Transforms {
        let table = root.table("transform")
        var transforms = Transforms()
        for (key, value) in table.entries {
            let choices = Transforms.Action.allCases.map(\.rawValue)
            guard case .string(let text) = value, let action = Transforms.Action(rawValue: text)
            else {
                table.problem(key, "must be \(listed(choices))")
                continue
            }
            transforms.actions[key] = action
        }
        return transforms
    }

    private func batch(_ table: TableReader) -> BatchLimits {
        var limits = BatchLimits()
        limits.maxEvents = table.integer("max_events", in: 1...1_000_000) ?? limits.maxEvents
        // A stream gets events for one hour, so waiting longer would make no object larger.
        limits.maxAge =
            table.duration("max_age", in: .seconds(1)...(.seconds(3600))) ?? limits.maxAge
        // From a quarter of a block to below S3's 5 GiB for one PUT: an object may pass the limit
        // by a block.
        limits.maxBytes =
            table.size(
                "max_bytes", in: ByteCount(64 << 10)...ByteCount(5_000_000_000),
                limits: "\"64KiB\" to \"5GB\"") ?? limits.maxBytes
        return limits
    }
}
