import Digest
import Support
import Testing

@testable import Credentials

struct ProfileOracleTests {
    @Test(
        "Random shared files are read as botocore reads them",
        .enabled(
            if: EndpointOracle.isAvailable,
            "botocore is missing: set SLUICE_PYTHON to a Python with it"),
        arguments: [20_261_122, UInt32.random(in: 0...UInt32.max)])
    func files(seed: UInt32) throws {
        let count = 300
        let lines = try #require(OracleScript("profiles.py").lines("\(seed)", "\(count)"))
        #expect(lines.count == count)
        for (number, fields) in lines.enumerated() {
            try #require(fields.count == 3)
            let config = text(fields[0])
            let credentials = text(fields[1])
            let read = Profiles(
                config: try ProfileFile(Secret(config), .config),
                credentials: try ProfileFile(Secret(credentials), .credentials), sessionName: "s")
            let profiles = read.profiles.mapValues { profile in
                profile.filter { $0.key != "s3" }.mapValues(\.text)
            }
            #expect(
                profiles == expected(fields[2]),
                "seed \(seed), case \(number):\n\(config)\n---\n\(credentials)")
        }
    }

    private func expected(_ field: ArraySlice<UInt8>) -> [String: [String: String]] {
        var profiles: [String: [String: String]] = [:]
        for profile in field.split(separator: UInt8(ascii: ";")) {
            let texts = profile.split(
                separator: UInt8(ascii: ":"), omittingEmptySubsequences: false
            )
            .map(text)
            var values: [String: String] = [:]
            for index in stride(from: 1, to: texts.count - 1, by: 2) {
                values[texts[index]] = texts[index + 1]
            }
            profiles[texts[0]] = values
        }
        return profiles
    }

    private func text(_ hexadecimal: ArraySlice<UInt8>) -> String {
        String(decoding: OracleScript.bytes(ofHex: hexadecimal) ?? [], as: UTF8.self)
    }
}
