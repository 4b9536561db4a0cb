/// What is fuzzed: code that reads bytes from outside, and what has to hold whatever they are.
///
/// libFuzzer drives these (`Tests/Fuzz/Driver`, run by `scripts/fuzz`), and so do `FuzzTests`: there each corpus is gone
/// through, and mutated for a while. The raw value is the name of the corpus.
public enum FuzzTarget: String, CaseIterable, Sendable {
    /// The bytes are an event file.
    case scanner
    /// The first byte chooses one of `FuzzSchemas`, the others are lines.
    case encoder
    /// The bytes are an `.avsc` file.
    case schema
    /// The first byte is the size of the pieces in which the others come; those are an object.
    case container
    /// The first byte says how it is cut, the second with which size it was claimed; the others are a gzip file.
    case gzip
    /// The first byte says whether the others are `sluice.toml` or the file of a connector.
    case configuration
    /// The first byte says which of the spool's small files the others are.
    case state
    /// The bytes are what a producer calls a file, what lies in the spool, or a short text of the configuration.
    case names
    /// The bytes are the answer of S3, or of an issuer of credentials.
    case answers
    /// The bytes are the shared files of the SDKs.
    case profiles
    /// The first byte says in which pieces the others come; those are what a client sends to the control socket.
    case control

    /// Whether `fault` is to be called on the main thread.
    public var isOnTheLoop: Bool { self == .control }

    /// What is wrong; nil where all is well. A crash says it for itself.
    public func fault(_ bytes: [UInt8]) -> String? {
        switch self {
        case .scanner: ScannerTarget.fault(bytes)
        case .encoder: EncoderTarget.fault(bytes)
        case .schema: SchemaTarget.fault(bytes)
        case .container: ContainerTarget.fault(bytes)
        case .gzip: GzipTarget.fault(bytes)
        case .configuration: ConfigurationTarget.fault(bytes)
        case .state: StateTarget.fault(bytes)
        case .names: NamesTarget.fault(bytes)
        case .answers: AnswersTarget.fault(bytes)
        case .profiles: ProfilesTarget.fault(bytes)
        case .control: MainActor.assumeIsolated { ControlTarget.fault(bytes) }
        }
    }
}
