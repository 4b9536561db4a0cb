public import Avro
public import Model

/// What was read from the configuration's files, and everything that is wrong with them.
///
/// With a problem the configuration is refused whole, and `settings` is good for no more than
/// showing. A warning tells of something that keeps one connector from delivering, or of a file
/// that is not read; it refuses nothing.
public struct LoadedConfiguration: Sendable, Equatable {
    public var settings = Settings()
    /// Those that could be read.
    public var schemas = SchemaSet()
    public var problems: [ConfigurationProblem] = []
    public var warnings: [ConfigurationProblem] = []

    public init() {}
}

/// One thing that is wrong in one file, as a sentence that says what to do.
public struct ConfigurationProblem: Error, Sendable, Hashable {
    public enum Place: Sendable, Hashable {
        case file
        /// Both counted from one, the column in characters.
        case position(line: Int, column: Int)
        /// Dotted, from the top of the file: `batch.max_age`.
        case key(String)
    }

    /// As people know it: `sluice.toml`, `connectors.d/orders.toml`.
    public var file: String
    public var place: Place
    public var text: String
    /// True where the file itself could not be read for want of permission.
    public var isPermission: Bool

    public init(file: String, place: Place = .file, text: String, isPermission: Bool = false) {
        self.file = file
        self.place = place
        self.text = text
        self.isPermission = isPermission
    }
}

extension ConfigurationProblem: CustomStringConvertible {
    public var description: String {
        switch place {
        case .file: "\(file): \(text)"
        case .position(let line, let column): "\(file):\(line):\(column): \(text)"
        case .key(let path): "\(file): \(path): \(text)"
        }
    }
}
