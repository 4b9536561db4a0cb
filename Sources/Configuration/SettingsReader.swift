import Model

/// Reads `sluice.toml`.
struct SettingsReader {
    let root: TableReader

    func read() -> Settings {
        var settings = Settings()
        settings.spool = spool(root.table("spool"))
        settings.identity = identity(root.table("identity"))
        settings.http = http(root.table("http"))
        settings.schemas = schemas(root.table("schemas"))
        settings.log.format = root.choice("log_format", of: LogSettings.Format.self) ?? .text
        settings.log.level = root.choice("log_level", of: LogSettings.Level.self) ?? .info
        return settings
    }

    private func spool(_ table: TableReader) -> SpoolSettings {
        var spool = SpoolSettings()
        spool.directory = table.string("directory", rule: Self.faultInDirectory) ?? spool.directory
        spool.minimumFree = minimumFree(table) ?? spool.minimumFree
        spool.unmatched = table.choice("unmatched", of: Unmatched.self) ?? spool.unmatched
        return spool
    }

    private static func faultInDirectory(_ path: String) -> String? {
        guard path.hasPrefix("/") else { return "\(quoted(path)) must be an absolute path" }
        guard path.contains(where: { $0 != "/" }) else {
            return "the root directory cannot be a spool"
        }
        return nil
    }

    /// A share of the file system up to 90 %, or a size; `"0%"` and `"0"` turn the reserve off.
    private func minimumFree(_ table: TableReader) -> MinimumFree? {
        guard let text = table.string("minimum_free") else { return nil }
        if text.hasSuffix("%") {
            let digits = text.dropLast()
            guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let percent = Int(digits),
                (0...90).contains(percent)
            else {
                table.problem(
                    "minimum_free", "\(quoted(text)) must be a whole number from \"0%\" to \"90%\"")
                return nil
            }
            return .percent(percent)
        }
        guard let size = ByteCount(text) else {
            table.problem(
                "minimum_free", "\(quoted(text)) is no share and no size; write \"5%\" or \"10GiB\""
            )
            return nil
        }
        return .bytes(size)
    }

    private func identity(_ table: TableReader) -> IdentitySettings {
        var identity = IdentitySettings()
        identity.cluster = table.string("cluster", rule: IdentityRules.fault) ?? identity.cluster
        identity.zone = table.string("zone", rule: IdentityRules.fault)
        identity.partition = table.integer("partition", in: 0...IdentityRules.largestPartition)
        return identity
    }

    private func http(_ table: TableReader) -> HTTPSettings {
        var http = HTTPSettings()
        http.listen = table.string("listen", rule: Self.faultInSocket) ?? http.listen
        return http
    }

    private func schemas(_ table: TableReader) -> SchemaSettings {
        var schemas = SchemaSettings()
        guard let directories = table.strings("directories") else { return schemas }
        for directory in directories where directory.isEmpty {
            table.problem("directories", "\(quoted(directory)) is no directory")
        }
        schemas.directories = directories
        return schemas
    }

    /// sun_path has 108 bytes with its NUL: unix(7).
    private static let longestSocketPath = 107

    private static func faultInSocket(_ path: String) -> String? {
        guard path.hasPrefix("/") else {
            let tcp = path.contains(":") ? "a TCP address is not in this version; " : ""
            return tcp + "\(quoted(path)) must be the absolute path of a Unix socket, "
                + "like \"/run/sluice/http.sock\""
        }
        guard path.utf8.count <= longestSocketPath else {
            return
                "the path has \(path.utf8.count) bytes; a Unix socket's may have \(longestSocketPath)"
        }
        return nil
    }
}
