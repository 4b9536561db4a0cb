/// Records without an end.
///
/// The specification has no word on them, but there is no event to write with one.
extension SchemaParser {
    /// Refuses a record of which every value would hold another, for ever.
    func checkEnds() throws(SchemaFault) {
        // Grows until nothing more is found; one round at least adds one type, so there are few.
        var ending: Set<Int> = []
        var found = true
        while found {
            found = false
            for index in types.indices where !ending.contains(index) && ends(index, ending) {
                ending.insert(index)
                found = true
            }
        }
        if let endless = types.indices.first(where: { !ending.contains($0) }) {
            throw paths[endless].fault(
                "every \(types[endless].fullName) would hold another, without end; a union with "
                    + "null, an array or a map between them ends it")
        }
    }

    private func ends(_ index: Int, _ ending: Set<Int>) -> Bool {
        guard case .record(let record) = types[index] else { return true }
        return record.fields.allSatisfy { ends($0.type, ending) }
    }

    private func ends(_ type: AvroType, _ ending: Set<Int>) -> Bool {
        switch type {
        case .union(let types): types.contains { ends($0, ending) }
        case .named(let index): ending.contains(index)
        default: true
        }
    }
}
