import Avro
import Model

/// Reads the schemas of event types: files `<event type>.avsc`.
///
/// Hidden files, editors' backups and what package tools leave behind are passed over in silence, like beside
/// connectors. Another file that does not end in `.avsc` is a warning.
struct SchemaDirectory {
    private static let ending = ".avsc"

    private(set) var schemas: [String: AvroSchema] = [:]
    /// Where each of them was found, as people know it.
    private(set) var files: [String: String] = [:]
    private(set) var problems: [ConfigurationProblem] = []
    private(set) var warnings: [ConfigurationProblem] = []

    /// - Parameter base: the directory of `sluice.toml`, to which other paths are relative.
    init(_ settings: SchemaSettings, base: String) {
        for directory in settings.directories {
            read(directory, at: directory.hasPrefix("/") ? directory : base + "/" + directory)
        }
        for conflict in SchemaSet(schemas).conflicts {
            problem(
                files[conflict.second] ?? conflict.second,
                "has the schema ID \(conflict.id), as \(files[conflict.first] ?? conflict.first) has, and is "
                    + "another schema; give one of them a \"schema_id\" of its own, or leave it out"
            )
        }
    }

    /// Finds schemas whose ID stands for another one in keys that were used.
    ///
    /// Who may not read the spool is not told, and where its file is damaged, the spool itself says so.
    mutating func compare(withSpool spool: String) {
        guard let bytes = try? SystemFile.read(spool + "/" + UsedSchemas.file),
            let used = try? UsedSchemas(bytes)
        else { return }
        for type in used.conflicts(with: SchemaSet(schemas)) {
            problem(
                files[type] ?? type,
                "has changed, and its schema ID \(schemas[type]?.id ?? 0) has not, under which "
                    + "objects were written; give it a new \"schema_id\", or leave it out")
        }
    }

    private mutating func read(_ directory: String, at path: String) {
        let names: [String]
        do throws(SystemFile.Failure) {
            names = try SystemFile.names(in: path)
        } catch {
            // Nobody needs to have schemas of their own.
            if !error.isMissing {
                problem(directory, "cannot be read: \(error.reason)", error.isPermission)
            }
            return
        }
        for name in names where !ConnectorDirectory.isPassedOver(name) {
            let shown = directory + "/" + name
            guard name.hasSuffix(Self.ending) else {
                let text = "is not read; the files of schemas end in \(Self.ending)"
                warnings.append(ConfigurationProblem(file: shown, text: text))
                continue
            }
            let eventType = String(name.dropLast(Self.ending.count))
            guard EventType.isValid(eventType) else {
                problem(shown, "is not named for an event type; write <event type>\(Self.ending)")
                continue
            }
            // An earlier directory has one.
            if files[eventType] == nil { read(eventType, from: path + "/" + name, shown) }
        }
    }

    private mutating func read(_ eventType: String, from path: String, _ shown: String) {
        files[eventType] = shown
        let bytes: [UInt8]
        do throws(SystemFile.Failure) {
            bytes = try SystemFile.read(path)
        } catch {
            return problem(shown, "cannot be read: \(error.reason)", error.isPermission)
        }
        do throws(SchemaFault) {
            schemas[eventType] = try AvroSchema(json: bytes)
        } catch {
            problem(shown, error.description)
        }
    }

    private mutating func problem(_ file: String, _ text: String, _ isPermission: Bool = false) {
        problems.append(ConfigurationProblem(file: file, text: text, isPermission: isPermission))
    }
}

/// What connectors in Avro ask of the schemas.
struct SchemaRules {
    let schemas: SchemaSet

    func check(_ connector: ConnectorSettings, _ findings: Findings) {
        guard connector.kind == .currents, connector.format.isAvro else { return }
        let isWanted = { (type: String) in connector.events.contains { $0.matches(type) } }
        let wanted = schemas.eventTypes.filter(isWanted)
        for pattern in connector.events where !wanted.contains(where: pattern.matches) {
            findings.warning(
                ["events"],
                "no schema covers \(quoted(pattern.description)), so such events go to quarantine; "
                    + "add a schema, or write format = \"jsonl\"")
        }
        var refused: Set<String> = []
        for type in wanted {
            guard let schema = schemas[type] else { continue }
            for (field, reason) in EventEncoder.unfit(schema, connector.transforms)
            where refused.insert(field).inserted {
                findings.problem(
                    ["transform", field], "\(reason) (event type \(type))")
            }
        }
    }
}
