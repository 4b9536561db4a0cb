import Model

/// The folder of a connector: a prefix of keys by whole segments, without slashes at its ends.
enum FolderRules {
    /// What is wrong with the folder; nil where nothing is. The empty folder is the bucket's root.
    static func fault(in folder: String) -> String? {
        if folder.isEmpty { return nil }
        if folder.hasPrefix("/") || folder.hasSuffix("/") {
            return "\(quoted(folder)) must not begin or end with a slash"
        }
        if folder.unicodeScalars.contains(where: isControl) {
            return "\(quoted(folder)) has a control character"
        }
        for segment in folder.split(separator: "/", omittingEmptySubsequences: false) {
            if segment.isEmpty { return "\(quoted(folder)) has two slashes side by side" }
            if segment == "." || segment == ".." {
                return
                    "\(quoted(folder)) has the segment \(quoted(String(segment))), which many tools resolve"
            }
        }
        return nil
    }

    /// By how many bytes the longest possible key of the connector exceeds S3's limit; nil where it
    /// fits.
    static func excess(of connector: ConnectorSettings, identity: IdentitySettings) -> Int? {
        let excess = longestKey(of: connector, identity: identity) - ObjectKey.longest
        return excess > 0 ? excess : nil
    }

    /// Bytes of the longest possible key of the connector.
    private static func longestKey(
        of connector: ConnectorSettings, identity: IdentitySettings
    ) -> Int {
        if connector.kind == .dataExport {
            let folder = connector.folder.utf8.count
            return (folder == 0 ? 0 : folder + 1) + connector.keyTemplate.longest
        }
        let key = ObjectKey(
            folder: connector.folder, cluster: identity.cluster,
            integrationID: connector.integrationID,
            zone: identity.zone ?? String(repeating: "z", count: IdentityRules.longest),
            partition: identity.partition ?? IdentityRules.largestPartition, schemaID: .max)
        return key.text(
            eventType: String(repeating: "e", count: EventType.longest),
            hour: Hour(unixSeconds: 0), offset: .max, suffix: connector.format.suffix
        ).utf8.count
    }

    enum Overlap: Equatable { case equal, firstInsideSecond, secondInsideFirst }

    /// How two folders overlap by path segment; nil where they are apart, as `a` and `a-b` are.
    static func overlap(_ first: String, _ second: String) -> Overlap? {
        if first == second { return .equal }
        if second.isEmpty || first.hasPrefix(second + "/") { return .firstInsideSecond }
        if first.isEmpty || second.hasPrefix(first + "/") { return .secondInsideFirst }
        return nil
    }
}

/// The names that stand in every key: cluster, zone, integration ID.
enum IdentityRules {
    /// The longest host name of Linux; a host name is what the zone is by default.
    static let longest = 64
    static let largestPartition = Int(Int32.max)

    /// What is wrong with the name; nil where nothing is.
    static func fault(in name: String) -> String? {
        guard (1...longest).contains(name.utf8.count) else {
            return "must have 1 to \(longest) characters, and has \(name.utf8.count)"
        }
        let marks: [UInt8] = [UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-")]
        guard name.utf8.allSatisfy({ isLetterOrDigit($0) || marks.contains($0) }) else {
            return "\(quoted(name)) may only have A-Z, a-z, 0-9, \"_\", \".\" and \"-\""
        }
        guard name != ".", name != ".." else {
            return "\(quoted(name)) is a segment that many tools resolve"
        }
        return nil
    }

    /// The integration ID of a connector that names none: 24 hexadecimal digits, always the same
    /// for a name.
    ///
    /// They are the first 12 bytes of the 128-bit FNV-1a hash of the name. Changing this moves the
    /// objects of every such connector, so it never changes.
    static func integrationID(for name: ConnectorName) -> String {
        var hash: UInt128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d
        for byte in name.description.utf8 {
            hash = (hash ^ UInt128(byte)) &* 0x0000_0000_0100_0000_0000_0000_0000_013b
        }
        return hexadecimal(hash >> 32, width: 24)
    }
}
