/// What S3 allows as the name of a bucket, and which of its kinds Sluice writes to.
///
/// Source: "General purpose bucket naming rules" in the S3 User Guide. Aliases of access points
/// look like bucket names and work like them.
enum BucketRules {
    /// What is wrong with the name; nil where nothing is.
    static func fault(in name: String) -> String? {
        if let kind = unsupportedKind(of: name) {
            return "\(quoted(name)) \(kind); name a general purpose bucket or an access point alias"
        }
        guard !name.contains("/"), !name.contains(":") else {
            return
                "\(quoted(name)) is not a bucket's name; write the name alone, and a path into \"folder\""
        }
        guard (3...63).contains(name.utf8.count) else {
            return "\(quoted(name)) is no bucket name: S3 wants 3 to 63 characters"
        }
        guard name.utf8.allSatisfy({ isLowercaseOrDigit($0) || $0 == dot || $0 == hyphen }) else {
            return "\(quoted(name)) is no bucket name: S3 allows a-z, 0-9, \".\" and \"-\""
        }
        guard name.utf8.first.map(isLowercaseOrDigit) == true,
            name.utf8.last.map(isLowercaseOrDigit) == true
        else {
            return "\(quoted(name)) is no bucket name: it must begin and end with a letter or digit"
        }
        guard !name.contains("..") else {
            return "\(quoted(name)) is no bucket name: two dots may not stand side by side"
        }
        guard !HTTPOrigin.isIPv4(name) else {
            return "\(quoted(name)) is no bucket name: it looks like an IP address"
        }
        for prefix in ["xn--", "sthree-", "amzn-s3-demo-"] where name.hasPrefix(prefix) {
            return
                "\(quoted(name)) is no bucket name: S3 reserves names that begin with \(quoted(prefix))"
        }
        return nil
    }

    /// True where TLS certificates for `*.s3.<region>.amazonaws.com` cannot match `<bucket>.s3…`.
    static func needsPathAddressing(_ name: String) -> Bool { name.utf8.contains(dot) }

    private static func unsupportedKind(of name: String) -> String? {
        if name.hasPrefix("arn:") { return "is an ARN, which is not supported" }
        if name.hasSuffix("--x-s3") { return "is a directory bucket, which is not supported" }
        if name.hasSuffix("--op-s3") { return "is on S3 on Outposts, which is not supported" }
        if name.hasSuffix("--table-s3") { return "is a table bucket, which is not supported" }
        if name.hasSuffix(".mrap") {
            return "is a Multi-Region Access Point, which is not supported"
        }
        return nil
    }

    private static let dot = UInt8(ascii: ".")
    private static let hyphen = UInt8(ascii: "-")
}
