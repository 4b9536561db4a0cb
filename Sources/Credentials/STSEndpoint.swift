internal import Model

/// Where STS is asked, and for which region the request is signed.
///
/// Source: the endpoint rule set of STS in botocore, always regional.
nonisolated struct STSEndpoint: Equatable {
    var region: String
    /// `http(s)://host[:port]`.
    var origin: String

    /// - Parameters:
    ///   - override: an endpoint of the user's own.
    ///   - region: nil: the first of the role's partition.
    init(
        override: String?, region: String?, roleARN: String, dualStack: Bool, fips: Bool
    ) {
        let named = roleARN.split(separator: ":", omittingEmptySubsequences: false).dropFirst()
        let roles = named.first.flatMap { Partition(name: String($0)) }
        let region = region ?? (roles ?? Partition(region: "")).firstRegion
        self.region = region
        if let override {
            origin = override.lowercased()
            return
        }
        let partition = Partition(region: region)
        // In GovCloud every endpoint of STS is validated, and has the plain name.
        let isPlain = !fips || (partition.name == "aws-us-gov" && !dualStack)
        let domain = dualStack ? partition.dualStackDomain : partition.domain
        origin = "https://\(isPlain ? "sts" : "sts-fips").\(region).\(domain)"
    }

    /// As it is signed and sent: with a port, unless that is the scheme's own.
    var host: String {
        let isSecure = origin.hasPrefix("https://")
        let host = origin.dropFirst(isSecure ? 8 : 7)
        let port = isSecure ? ":443" : ":80"
        return String(host.hasSuffix(port) ? host.dropLast(port.utf8.count) : host)
    }
}
