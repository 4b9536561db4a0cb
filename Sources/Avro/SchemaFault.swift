/// Why a text is no schema of events.
public struct SchemaFault: Error, Equatable, CustomStringConvertible {
    /// Where in the schema, as in `fields[3] "properties": type[1]: items`; empty for the whole of it.
    public var path: String
    /// What is wrong there, and what would be right.
    public var reason: String

    public init(path: String, reason: String) {
        self.path = path
        self.reason = reason
    }

    public var description: String {
        path.isEmpty ? reason : "\(path): \(reason)"
    }
}

/// A place in a schema.
struct SchemaPath {
    private(set) var text = ""

    /// The place below this one that has a name of its own: an attribute, or a field.
    func part(_ name: String) -> SchemaPath {
        var path = self
        path.text += text.isEmpty ? name : ": \(name)"
        return path
    }

    /// An element of the array at this place.
    func element(_ index: Int) -> SchemaPath {
        var path = self
        path.text += "[\(index)]"
        return path
    }

    /// A field that is known by its name too.
    func named(_ name: String) -> SchemaPath {
        var path = self
        path.text += " \"\(name)\""
        return path
    }

    func fault(_ reason: String) -> SchemaFault {
        SchemaFault(path: text, reason: reason)
    }
}
