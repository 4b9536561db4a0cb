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
        http.listen = listen(table) ?? http.listen
        return http
    }

    private func listen(_ table: TableReader) -> [ListenAddress]? {
        guard let texts = table.stringOrStrings("listen") else { return nil }
        var addresses: [ListenAddress] = []
        for text in texts {
            do throws(ListenAddress.Fault) {
                let address = try ListenAddress(text)
                if addresses.contains(address) {
                    table.problem("listen", "\(quoted(text)) stands there twice")
                }
                addresses.append(address)
            } catch {
                table.problem("listen", error.text)
            }
        }
        if texts.isEmpty { table.problem("listen", "must name a Unix socket or a loopback port") }
        if addresses.count(where: { $0.socketPath != nil }) > 1 {
            table.problem("listen", "names two Unix sockets; sluicectl would not know which to ask")
        }
        return addresses
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
}
