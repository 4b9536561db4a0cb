internal import Model

/// Where the bucket of a connector is reached: scheme, host, and how the bucket is named.
///
/// The same host goes into the URL and into the signed `host` header: with its port, unless that is
/// the scheme's own.
nonisolated struct Endpoint: Equatable {
    var scheme: String
    /// With a port, unless it is the scheme's own; the bucket is part of it in virtual addressing.
    var host: String
    /// What comes before the key: "/" or "/<bucket>/".
    var root: String

    /// The address of a connector's bucket in a region.
    init(_ settings: ConnectorSettings, region: String) {
        let addressing = settings.addressing ?? Self.naturalAddressing(settings)
        self.init(settings, region: region, addressing: addressing)
    }

    /// Where GetBucketLocation is asked before the region is known.
    ///
    /// On AWS only a bucket in the path works for every region.
    init(lookupFor settings: ConnectorSettings) {
        let addressing = settings.endpoint == nil ? .path : settings.addressing
        self.init(
            settings, region: Self.lookupRegion,
            addressing: addressing ?? Self.naturalAddressing(settings))
    }

    /// The region that GetBucketLocation is signed for, and the one that an empty answer means.
    static let lookupRegion = "us-east-1"

    private init(
        _ settings: ConnectorSettings, region: String, addressing: ConnectorSettings.Addressing
    ) {
        var host: String
        if let endpoint = settings.endpoint {
            (scheme, host) = Self.parts(of: endpoint)
        } else {
            (scheme, host) = ("https", Self.host(settings, region: region))
        }
        root = "/"
        switch addressing {
        case .virtual: host = "\(settings.bucket).\(host)"
        case .path: root = "/\(settings.bucket)/"
        }
        self.host = host
    }

    /// Nobody on the way can change what is sent: TLS sees to it, or it does not leave this machine.
    var isPrivate: Bool {
        if scheme == "https" { return true }
        let name =
            host.hasPrefix("[") ? host.prefix { $0 != "]" }.dropFirst() : host.prefix { $0 != ":" }
        return name == "localhost" || name.hasSuffix(".localhost") || name == "::1"
            || ListenAddress.isLoopback4(name)
    }

    /// The path of a key, or of the bucket itself; not encoded.
    func path(_ key: String?) -> String {
        key.map { root + $0 } ?? (root == "/" ? root : String(root.dropLast()))
    }

    /// Virtual for AWS, where a certificate covers the name; an own store is asked by path.
    private static func naturalAddressing(
        _ settings: ConnectorSettings
    ) -> ConnectorSettings.Addressing {
        let isLabel = settings.bucket.utf8.allSatisfy { byte in
            (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x2D
        }
        return settings.endpoint == nil && isLabel ? .virtual : .path
    }

    private static func parts(of endpoint: String) -> (scheme: String, host: String) {
        let separator = endpoint.utf8.firstRange(of: "://".utf8)
        let scheme = separator.map { endpoint[..<$0.lowerBound].lowercased() } ?? "https"
        var host = endpoint[(separator?.upperBound ?? endpoint.startIndex)...].lowercased()
        while host.utf8.last == UInt8(ascii: "/") { host.removeLast() }
        let ownPort = scheme == "http" ? ":80" : ":443"
        if host.hasSuffix(ownPort) { host.removeLast(ownPort.utf8.count) }
        return (scheme, host)
    }

    /// `s3[-fips][.dualstack].<region>.<domain>`. Source: the endpoint rule set of S3 in botocore.
    private static func host(_ settings: ConnectorSettings, region: String) -> String {
        "s3" + (settings.usesFIPS ? "-fips" : "") + (settings.usesDualStack ? ".dualstack" : "")
            + ".\(region).\(Partition(region: region).domain)"
    }
}
