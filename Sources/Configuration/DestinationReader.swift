import Model

/// Reads where the objects of a connector go, and by which way.
struct DestinationReader {
    let root: TableReader
    /// Whether plain HTTP may leave this machine.
    let insecureAllowed: Bool

    init(root: TableReader) {
        self.root = root
        insecureAllowed = root.boolean("allow_insecure_http") ?? false
    }

    func read(into connector: inout ConnectorSettings) {
        readBucket(into: &connector)
        let endpoint = readEndpoint(into: &connector)
        readRegion(into: &connector)
        readVariants(into: &connector)
        readAddressing(into: &connector, endpoint: endpoint)
        readProxy(into: &connector)
        connector.caFile = caFile(root.table("tls"))
    }

    private func readBucket(into connector: inout ConnectorSettings) {
        if let bucket = root.string("bucket", rule: BucketRules.fault) {
            connector.bucket = bucket
        } else if !root.has("bucket") {
            root.problem("bucket", "is missing; name the bucket that gets the objects")
        }
        connector.folder = root.string("folder", rule: FolderRules.fault) ?? connector.folder
    }

    private func readEndpoint(into connector: inout ConnectorSettings) -> HTTPOrigin? {
        guard let text = root.string("endpoint") else { return nil }
        guard let origin = origin("endpoint", text) else { return nil }
        guard origin.isSecure || origin.isLoopback || insecureAllowed else {
            root.problem(
                "endpoint",
                "\(quoted(text)) would send events unencrypted; use https://, "
                    + "or set allow_insecure_http = true")
            return nil
        }
        connector.endpoint = text
        return origin
    }

    private func readRegion(into connector: inout ConnectorSettings) {
        let isAWS = !root.has("endpoint")
        connector.region = root.string("region") { region in
            let isWellFormed =
                (1...64).contains(region.utf8.count)
                && region.utf8.allSatisfy { byte in
                    isLowercaseOrDigit(byte) || byte == UInt8(ascii: "-")
                        || (!isAWS && (isLetterOrDigit(byte) || byte == UInt8(ascii: "_")))
                }
            return isWellFormed
                ? nil : "\(quoted(region)) is no region; write it like \"eu-west-1\""
        }
    }

    /// Which of Amazon's endpoints; they hold for STS, too.
    private func readVariants(into connector: inout ConnectorSettings) {
        connector.usesDualStack = root.boolean("use_dualstack_endpoint") ?? false
        connector.usesFIPS = root.boolean("use_fips_endpoint") ?? false
        for (key, isSet) in [
            ("use_dualstack_endpoint", connector.usesDualStack),
            ("use_fips_endpoint", connector.usesFIPS),
        ] where isSet && root.has("endpoint") {
            root.problem(
                key, "chooses among the endpoints of Amazon S3, and endpoint names another")
        }
        if connector.usesFIPS, connector.region?.hasPrefix("cn-") == true {
            root.problem("use_fips_endpoint", "there are no such endpoints in China")
        }
    }

    private func readAddressing(into connector: inout ConnectorSettings, endpoint: HTTPOrigin?) {
        connector.addressing = root.choice("addressing", of: ConnectorSettings.Addressing.self)
        guard connector.addressing == .virtual else { return }
        if let endpoint, endpoint.isAddress {
            root.problem(
                "addressing",
                "\"virtual\" needs a host name in endpoint, not an IP address; use \"path\"")
        } else if BucketRules.needsPathAddressing(connector.bucket), endpoint?.isSecure != false {
            root.problem(
                "addressing",
                "\"virtual\" does not work for \(quoted(connector.bucket)): no TLS certificate matches "
                    + "a bucket with dots; use \"path\"")
        }
    }

    private func readProxy(into connector: inout ConnectorSettings) {
        guard let text = root.string("proxy"), let origin = origin("proxy", text) else { return }
        guard origin.port != nil else {
            root.problem(
                "proxy", "\(quoted(text)) lacks a port; write it like \"http://proxy:3128\"")
            return
        }
        connector.proxy = text
    }

    private func origin(_ key: String, _ text: String) -> HTTPOrigin? {
        do throws(HTTPOrigin.Fault) {
            return try HTTPOrigin(text)
        } catch {
            root.problem(key, error.text)
            return nil
        }
    }

    private func caFile(_ table: TableReader) -> String? {
        table.string("ca_file") { path in
            guard path.hasPrefix("/") else { return "\(quoted(path)) must be an absolute path" }
            do throws(SystemFile.Failure) {
                guard try SystemFile.status(path).isRegular else {
                    return "\(quoted(path)) is not a file"
                }
            } catch {
                return "\(quoted(path)) cannot be read: \(error.reason)"
            }
            return SystemFile.isReadable(path)
                ? nil : "\(quoted(path)) cannot be read: permission denied"
        }
    }
}
