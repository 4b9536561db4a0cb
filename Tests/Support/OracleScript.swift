/// A program in `Tests/Oracles`: it says what an independent implementation makes of something.
public struct OracleScript: Sendable {
    private let path: String

    public init(_ name: String) {
        let tests = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
        path = "/\(tests)/Oracles/\(name)"
    }

    /// Whether the interpreter has a module.
    public static func has(_ module: String) -> Bool {
        ProcessRun([ProcessRun.python, "-c", "import \(module)"], quietly: true)?.status == 0
    }

    /// The lines that it prints, each as its fields between tabs; nil where it does not run to its end.
    public func lines(_ arguments: String...) -> [[ArraySlice<UInt8>]]? {
        guard let run = ProcessRun([ProcessRun.python, path] + arguments), run.status == 0 else {
            return nil
        }
        return run.output.split(separator: UInt8(ascii: "\n")).map {
            $0.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
        }
    }

    /// What hexadecimal digits stand for; nil where a field has anything else.
    public static func bytes(ofHex field: ArraySlice<UInt8>) -> [UInt8]? {
        let digits = field.map { Unicode.Scalar($0) }.map { Character($0).hexDigitValue }
        guard digits.count % 2 == 0, digits.allSatisfy({ $0 != nil }) else { return nil }
        return stride(from: 0, to: digits.count, by: 2).map { index in
            UInt8((digits[index] ?? 0) << 4 | (digits[index + 1] ?? 0))
        }
    }
}
