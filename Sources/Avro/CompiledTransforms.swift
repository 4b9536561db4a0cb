internal import Model

extension SchemaCompiler {
    /// Why a field cannot carry a transform; nil where it can.
    static func unfitness(_ type: AvroType, _ action: Transforms.Action) -> String? {
        switch action {
        case .remove where takesString(type) || takesNull(type): nil
        case .remove: "is neither a string nor nullable, so it cannot be removed"
        case .hash where takesString(type): nil
        case .hash: "is no string, so it cannot take the hash"
        }
    }

    static func takesNull(_ type: AvroType) -> Bool {
        switch type {
        case .null: true
        case .union(let branches): branches.contains(.null)
        default: false
        }
    }

    static func takesString(_ type: AvroType) -> Bool {
        switch type {
        case .string: true
        case .union(let branches): branches.contains(.string)
        default: false
        }
    }

    /// The type of a transformed field of the root. One that is unfit is named for why.
    mutating func compile(_ type: AvroType, _ action: Transforms.Action) -> Int32 {
        var compiled = CompiledType(kind: action == .remove ? .removed : .hashed, accepts: 0)
        let unfitness = Self.unfitness(type, action)
        if unfitness != nil { compiled.kind = .unfit }
        switch type {
        case .null:
            compiled.nullBranch = CompiledType.whole
        case .string:
            compiled.stringBranch = CompiledType.whole
        case .union(let branches):
            compiled.nullBranch = Int32(branches.firstIndex(of: .null) ?? -1)
            compiled.stringBranch = Int32(branches.firstIndex(of: .string) ?? -1)
        default:
            break
        }
        return add(compiled, unfitness ?? "string")
    }
}
