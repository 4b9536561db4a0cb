import Model

/// What lies in `connectors.d/`.
///
/// Hidden files, editors' backups, examples and what package tools leave behind are passed over in
/// silence. Another file that does not end in `.toml` is a warning. One that does, under a name
/// that no connector can have, is a problem: somebody means it to be read.
struct ConnectorDirectory {
    static let nameRule =
        "is not named for a connector; a name has 1 to 63 of a-z, 0-9 and \"-\", begins with a letter or "
        + "digit, and ends in .toml here"

    /// In ascending order.
    var connectors: [ConnectorName] = []
    var problems: [ConfigurationProblem] = []
    var warnings: [ConfigurationProblem] = []

    static func list(_ path: String) -> ConnectorDirectory {
        var directory = ConnectorDirectory()
        do throws(SystemFile.Failure) {
            for name in try SystemFile.names(in: path) where !isPassedOver(name) {
                directory.add(name)
            }
            if directory.connectors.isEmpty, directory.problems.isEmpty {
                directory.warnings.append(
                    finding("has no connector, so no event is wanted by anyone"))
            }
        } catch {
            if error.isMissing {
                directory.warnings.append(finding("does not exist, so there is no connector"))
            } else {
                directory.problems.append(
                    finding("cannot be read: \(error.reason)", isPermission: error.isPermission))
            }
        }
        directory.connectors.sort()
        return directory
    }

    static func connectorName(of file: String) -> ConnectorName? {
        file.hasSuffix(".toml") ? ConnectorName(file.dropLast(5)) : nil
    }

    private mutating func add(_ file: String) {
        if let name = Self.connectorName(of: file) {
            connectors.append(name)
        } else if file.hasSuffix(".toml") {
            problems.append(Self.finding(Self.nameRule, in: file))
        } else {
            warnings.append(
                Self.finding("is not read; the files of connectors end in .toml", in: file))
        }
    }

    private static func finding(
        _ text: String, in file: String? = nil, isPermission: Bool = false
    ) -> ConfigurationProblem {
        let name = file.map { "connectors.d/" + $0 } ?? "connectors.d"
        return ConfigurationProblem(file: name, text: text, isPermission: isPermission)
    }

    static func isPassedOver(_ name: String) -> Bool {
        name.hasPrefix(".") || name.hasSuffix("~") || (name.hasPrefix("#") && name.hasSuffix("#"))
            || name.hasSuffix(".example") || name.contains(".dpkg-") || name.contains(".rpm")
    }
}
