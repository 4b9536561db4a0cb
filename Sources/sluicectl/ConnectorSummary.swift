import Avro
import Glibc
import Model

/// What a connector will do, for people and for programs.
struct ConnectorSummary {
    private let connector: ConnectorSettings
    private let identity: IdentitySettings
    /// Those of the event types that its patterns select; empty where its format needs none.
    private let schemas: [(eventType: String, id: UInt32)]

    init(_ connector: ConnectorSettings, identity: IdentitySettings, schemas: SchemaSet) {
        self.connector = connector
        self.identity = identity
        let isWanted = { (type: String) in
            connector.kind == .currents && connector.format.isAvro
                && connector.events.contains { $0.matches(type) }
        }
        self.schemas = schemas.eventTypes.filter(isWanted).compactMap { type in
            schemas[type].map { (type, $0.id) }
        }
    }

    /// A heading and a line for each thing worth knowing.
    var block: String {
        var lines = [("objects", "s3://\(connector.bucket)/\(exampleKey)")]
        switch connector.kind {
        case .currents: lines += eventLines
        case .dataExport: lines += ExportSummary(connector).lines
        }
        lines.append(("window", windowText))
        lines.append(("store", storeText))
        if let encryption = encryptionText { lines.append(("encryption", encryption)) }
        if let proxy = connector.proxy { lines.append(("proxy", proxy)) }
        lines.append(("credentials", credentialText))
        lines.append(("needs", permissions.joined(separator: ", ")))
        lines.append(("", "\"sluicectl policy \(connector.name)\" prints the policy"))

        let width = 13
        let heading = Output.coloured(connector.name.description, .bold, on: STDOUT_FILENO)
        let body = lines.map { label, text in
            "  " + label + String(repeating: " ", count: width - label.utf8.count) + text + "\n"
        }
        return heading + " (\(connector.kind.rawValue))\n" + body.joined()
    }

    private var eventLines: [(String, String)] {
        var lines = [("events", connector.events.map(\.description).joined(separator: ", "))]
        if let type = connector.defaultEventType {
            lines.append(("", "an event without an event_type is a \(type)"))
        }
        lines.append(("format", formatText))
        let transforms = connector.transforms.actions.sorted { $0.key < $1.key }
        if !transforms.isEmpty {
            let words = transforms.map { "\($0.key): \($0.value.rawValue)" }
            lines.append(("transform", words.joined(separator: ", ")))
        }
        lines.append(("batch", batchText))
        return lines
    }

    var json: JSONText {
        var members: [(String, JSONText)] = [
            ("name", .string(connector.name.description)),
            ("kind", .string(connector.kind.rawValue)),
            ("bucket", .string(connector.bucket)),
            ("folder", .string(connector.folder)),
            ("example_key", .string(exampleKey)),
        ]
        members += connector.kind == .currents ? eventMembers : ExportSummary(connector).members
        members += [
            ("expire_after_seconds", .integer(Int(connector.expireAfter.components.seconds))),
            ("on_expiry", .string(connector.onExpiry.rawValue)),
            (
                "max_held_bytes",
                connector.maxHeld.map { .integer(Int(clamping: $0.bytes)) } ?? .null
            ),
            ("region", .string(connector.region)),
            ("endpoint", .string(connector.endpoint)),
            ("addressing", .string(connector.addressingInUse.rawValue)),
            ("encryption", .string(encryptionText)),
            ("credentials", .string(credentialText)),
            ("permissions", .array(permissions.map { .string($0) })),
        ]
        return .object(members)
    }

    private var eventMembers: [(String, JSONText)] {
        [
            ("integration_id", .string(connector.integrationID)),
            ("events", .array(connector.events.map { .string($0.description) })),
            ("default_event_type", .string(connector.defaultEventType)),
            ("format", .string(connector.format.isAvro ? "avro" : "jsonl")),
            ("compression", .string(compression)),
            (
                "compression_level",
                (connector.compressionLevel ?? connector.format.levels?.standard)
                    .map { .integer($0) } ?? .null
            ),
            (
                "schemas",
                .object(schemas.map { ($0.eventType, .integer(Int($0.id))) })
            ),
            (
                "transform",
                .object(
                    connector.transforms.actions.sorted { $0.key < $1.key }
                        .map { ($0.key, .string($0.value.rawValue)) })
            ),
            ("max_events", .integer(connector.batch.maxEvents)),
            ("max_age_seconds", .integer(Int(connector.batch.maxAge.components.seconds))),
            ("max_bytes", .integer(Int(clamping: connector.batch.maxBytes.bytes))),
        ]
    }

    /// The key of a first object in the current hour, of a type that the connector would take.
    private var exampleKey: String {
        if connector.kind == .dataExport { return ExportSummary(connector).exampleKey }
        let key = ObjectKey(
            folder: connector.folder, cluster: identity.cluster,
            integrationID: connector.integrationID, zone: identity.zone ?? Self.hostName,
            partition: identity.partition ?? 0, schemaID: schemas.first?.id ?? 0)
        let type =
            schemas.first?.eventType
            ?? connector.events.first?.description.split(
                separator: "*", omittingEmptySubsequences: false
            )
            .joined(separator: "example")
        return key.text(
            eventType: type ?? "example", hour: Hour(unixSeconds: Int64(time(nil))), offset: 1,
            suffix: connector.format.suffix)
    }

    private static var hostName: String {
        // Linux allows 64 bytes, and the array keeps a NUL after them.
        var name = [CChar](repeating: 0, count: 65)
        guard gethostname(&name, 64) == 0 else { return "localhost" }
        return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    private var compression: String {
        switch connector.format {
        case .avro(let compression): compression.rawValue
        case .jsonl(let compression): compression.rawValue
        }
    }

    private var formatText: String {
        switch connector.format {
        case .avro(let compression):
            "Avro, \(compression == .none ? "not compressed" : compression.rawValue)\(levelText); "
                + schemaText
        case .jsonl(let compression):
            "JSON Lines, \(compression == .none ? "not compressed" : compression.rawValue)\(levelText)"
        }
    }

    private var levelText: String {
        connector.compressionLevel.map { " of level \($0)" } ?? ""
    }

    private var schemaText: String {
        "schemas for \(Findings.count(schemas.count, "event type")) that it wants"
    }

    private var batchText: String {
        let limits = connector.batch
        return "an object for each event type and hour, at \(grouped(limits.maxEvents)) events, "
            + "\(limits.maxAge.text) or \(limits.maxBytes.text)"
    }

    private var windowText: String {
        let fate = connector.onExpiry == .archive ? "archived" : "dropped"
        let limit = connector.maxHeld.map { "; at most \($0.text) are held" } ?? ""
        let what = connector.kind == .dataExport ? "files" : "events"
        return "\(what) are \(fate) after \(connector.expireAfter.text) of rejected credentials"
            + limit
    }

    private var storeText: String {
        let store = connector.endpoint ?? "Amazon S3"
        let region = connector.region.map { "region \($0)" } ?? "region asked from the store"
        return "\(store), \(region), \(connector.addressingInUse.rawValue) addressing"
    }

    private var encryptionText: String? {
        switch connector.encryption {
        case nil: nil
        case .aes256: "AES256"
        case .kms(let keyID, _): "aws:kms with \(keyID ?? "the account's own key")"
        }
    }

    private var credentialText: String {
        let base =
            switch connector.credentials.base {
            case .chain(nil): "the usual chain, in the daemon's environment"
            case .chain(let profile?): "profile \(profile) of the shared files"
            case .keys(let accessKeyID, let secretFile, _):
                "key \(accessKeyID), secret in \(place(of: secretFile))"
            }
        return connector.credentials.role.map { "role \($0.arn), assumed by \(base)" } ?? base
    }

    private func place(of file: String) -> String {
        file.hasPrefix("/") ? file : "$CREDENTIALS_DIRECTORY/" + file
    }

    /// What the policy of the credentials must allow.
    private var permissions: [String] {
        let actions = AccessPolicy([connector]).statements.flatMap(\.actions)
        // Of a key that is not named by its ARN, the policy can say nothing.
        guard case .kms(_?, _) = connector.encryption else { return actions }
        let more = AccessPolicy.keyActions.filter { !actions.contains($0) }
        return actions + more
    }
}
