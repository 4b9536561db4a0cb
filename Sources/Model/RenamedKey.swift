/// Another key for an object whose own is taken: `a/report.csv`, `a/report-2.csv`, `a/report-3.csv`.
public enum RenamedKey {
    /// - Parameter renamed: how often it was renamed before.
    /// - Returns: nil where it would be longer than S3 takes.
    public static func next(after key: String, renamed: Int) -> String? {
        let scalars = key.unicodeScalars
        let start = scalars.lastIndex(of: "/").map(scalars.index(after:)) ?? scalars.startIndex
        let directory = scalars[..<start]
        var (stem, ending) = split(String(scalars[start...]))
        let last = "-\(renamed + 1)"
        if renamed > 0, stem.hasSuffix(last) {
            stem.unicodeScalars.removeLast(last.unicodeScalars.count)
        }
        let next = "\(String(directory))\(stem)-\(renamed + 2)\(ending)"
        return next.utf8.count <= ObjectKey.longest ? next : nil
    }

    /// A name, and its extension with the dot; `.tar.gz` counts as one.
    private static func split(_ name: String) -> (stem: String, ending: String) {
        let scalars = name.unicodeScalars
        guard let dot = scalars.lastIndex(of: "."), dot > scalars.startIndex else {
            return (name, "")
        }
        let (stem, ending) = (String(scalars[..<dot]), String(scalars[dot...]))
        let archive = ".tar"
        guard stem.hasSuffix(archive), stem != archive else { return (stem, ending) }
        return (String(stem.unicodeScalars.dropLast(archive.count)), archive + ending)
    }
}
