import Support

/// The files of `etc/schemas`.
enum ShippedSchemas {
    private static let directory =
        "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/") + "/etc/schemas"

    /// The texts, by the event type that the name of the file says.
    static let json: [String: [UInt8]] = {
        let listed = ProcessRun(["ls", directory])?.output ?? []
        let names = String(decoding: listed, as: UTF8.self).split(separator: "\n")
        let texts = names.filter { $0.hasSuffix(".avsc") }.map { name in
            (
                String(name.dropLast(".avsc".utf8.count)),
                ProcessRun(["cat", "\(directory)/\(name)"])?.output ?? []
            )
        }
        return Dictionary(uniqueKeysWithValues: texts)
    }()
}
