/// Why bytes are no value of their schema, and where.
public struct DecodingFault: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Problem: Sendable, Equatable {
        /// The data ends before the value does.
        case truncated
        /// A length, count, index or int that cannot be.
        case impossible(String, Int64)
        /// A number of more than 64 bits.
        case noLong
        /// A string that is no UTF-8.
        case noText
        case tooDeep
        /// A line of more than `EventDecoder.longestLine`.
        case tooLong
    }

    public var problem: Problem
    /// Bytes of the data before the place.
    public var offset: Int
    /// The names of fields and the indices of items, from the record down to the place.
    public var path: [String] = []

    public var description: String {
        let field = path.isEmpty ? "" : "field \(path.joined(separator: ".")): "
        return field + what
    }

    private var what: String {
        switch problem {
        case .truncated: "the block ends inside it"
        case .impossible(let what, let number): "\(what) of \(number) cannot be"
        case .noLong: "a number of more than 64 bits cannot be"
        case .noText: "the string is no UTF-8"
        case .tooDeep: "nested deeper than \(EventDecoder.deepest) levels"
        case .tooLong: "its JSON has more than \(EventDecoder.longestLine) bytes"
        }
    }

    /// The same, seen from the value around it.
    func within(_ name: String) -> DecodingFault {
        var fault = self
        fault.path.insert(name, at: 0)
        return fault
    }
}
