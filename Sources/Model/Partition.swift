/// A part of AWS with accounts, regions and domains of its own.
///
/// Source: botocore's `partitions.json` and the endpoint rule sets of S3 and STS.
public struct Partition: Sendable, Equatable {
    /// As it stands in ARNs.
    public var name: String
    /// What hosts end with.
    public var domain: String
    /// What hosts end with that answer over IPv6 too; S3's do not: theirs say so by a label.
    public var dualStackDomain: String
    /// Where STS is asked if nothing names a region.
    public var firstRegion: String
    private var regionPrefixes: [String]

    /// The partition of a region; an unknown region is one of the first partition.
    public init(region: String) {
        self =
            Self.others.first { $0.regionPrefixes.contains { region.hasPrefix($0) } } ?? .standard
    }

    /// nil: no partition of that name.
    public init?(name: String) {
        guard let known = ([.standard] + Self.others).first(where: { $0.name == name }) else {
            return nil
        }
        self = known
    }

    /// Whether a text can be a region: it becomes part of a host name, so nothing else is let in.
    public static func isRegion(_ text: String) -> Bool {
        (1...40).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x2D
            }
    }

    private init(
        _ name: String, _ domain: String, _ dualStackDomain: String, _ firstRegion: String,
        _ regionPrefixes: [String]
    ) {
        self.name = name
        self.domain = domain
        self.dualStackDomain = dualStackDomain
        self.firstRegion = firstRegion
        self.regionPrefixes = regionPrefixes
    }

    private static let standard = Partition("aws", "amazonaws.com", "api.aws", "us-east-1", [])

    private static let others = [
        Partition(
            "aws-cn", "amazonaws.com.cn", "api.amazonwebservices.com.cn", "cn-northwest-1",
            ["cn-"]),
        Partition("aws-us-gov", "amazonaws.com", "api.aws", "us-gov-west-1", ["us-gov-"]),
        Partition("aws-iso", "c2s.ic.gov", "api.aws.ic.gov", "us-iso-east-1", ["us-iso-"]),
        Partition("aws-iso-b", "sc2s.sgov.gov", "api.aws.scloud", "us-isob-east-1", ["us-isob-"]),
        Partition(
            "aws-iso-e", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk", "eu-isoe-west-1", ["eu-isoe-"]
        ),
        Partition(
            "aws-iso-f", "csp.hci.ic.gov", "api.aws.hci.ic.gov", "us-isof-south-1", ["us-isof-"]),
        Partition(
            "aws-eusc", "amazonaws.eu", "api.amazonwebservices.eu", "eusc-de-east-1", ["eusc-"]),
    ]
}
