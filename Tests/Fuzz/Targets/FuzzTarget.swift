/// What is fuzzed: code that reads bytes from outside, and what has to hold whatever they are.
///
/// libFuzzer drives these (`Tests/Fuzz/Driver`, run by `scripts/fuzz`), and so do `FuzzTests`: there each corpus is gone
/// through, and mutated for a while.
public enum FuzzTarget: String, CaseIterable, Sendable {
    /// The bytes are an event file.
    case scanner
    /// The first byte chooses one of `FuzzSchemas`, the others are lines.
    case encoder
    /// The bytes are an `.avsc` file.
    case schema
    /// The first byte is the size of the pieces in which the others come; those are an object.
    case container

    /// What is wrong; nil where all is well. A crash says it for itself.
    public func fault(_ bytes: [UInt8]) -> String? {
        switch self {
        case .scanner: ScannerTarget.fault(bytes)
        case .encoder: EncoderTarget.fault(bytes)
        case .schema: SchemaTarget.fault(bytes)
        case .container: ContainerTarget.fault(bytes)
        }
    }
}
