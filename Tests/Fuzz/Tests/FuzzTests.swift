import Glibc
import Testing

/// The targets of the fuzzer as ordinary tests: their corpora as they are, and mutated for a moment.
@Suite struct FuzzTests {
    @Test(arguments: FuzzTarget.allCases)
    func `No input of the corpus is a fault`(target: FuzzTarget) async throws {
        let corpus = try Corpus(target)
        for (name, bytes) in corpus.inputs {
            let fault = await target.faultWhereItBelongs(bytes)
            #expect(fault == nil, "\(target) \(name)")
        }
    }

    @Test(arguments: FuzzTarget.allCases, [1, UInt64.random(in: 0..<1 << 32)])
    func `No mutation of the corpus is a fault`(target: FuzzTarget, seed: UInt64) async throws {
        let corpus = try Corpus(target)
        var mutator = Mutator(seed: seed, corpus.inputs.map(\.bytes))
        for number in 0..<2_000 {
            let bytes = mutator.next()
            guard let fault = await target.faultWhereItBelongs(bytes) else { continue }
            Issue.record("\(target), seed \(seed), input \(number): \(fault)\n\(bytes)")
            break
        }
    }
}

extension FuzzTarget {
    /// Gives the loop back after each input: other tests wait on it.
    fileprivate func faultWhereItBelongs(_ bytes: [UInt8]) async -> String? {
        isOnTheLoop ? await MainActor.run { fault(bytes) } : fault(bytes)
    }
}

/// The files of `Tests/Fuzz/corpus`.
private struct Corpus {
    struct Missing: Error {}

    var inputs: [(name: String, bytes: [UInt8])] = []

    init(_ target: FuzzTarget) throws {
        let tests = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
        let directory = "/\(tests)/corpus/\(target.rawValue)"
        guard let entries = opendir(directory) else { throw Missing() }
        defer { closedir(entries) }
        while let entry = readdir(entries) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard !name.hasPrefix(".") else { continue }
            inputs.append((name, try Self.bytes("\(directory)/\(name)")))
        }
        inputs.sort { $0.name < $1.name }
        guard !inputs.isEmpty else { throw Missing() }
    }

    private static func bytes(_ path: String) throws -> [UInt8] {
        guard let file = fopen(path, "r") else { throw Missing() }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        bytes.removeLast(bytes.count - fread(&bytes, 1, bytes.count, file))
        return bytes
    }
}
