import Model
import Support

@testable import Digest
@testable import Signing

/// Random requests, each signed by botocore.
///
/// The lines are described in `Tests/Oracles/sigv4.py`, which writes them.
enum Oracle {
    struct Case {
        let signer: RequestSigner
        let request: UnsignedRequest
        let time: Timestamp
        let path: String
        let canonicalRequest: String
        let authorization: String
    }

    static let isAvailable = OracleScript.has("botocore.auth")

    static func cases(seed: UInt32, count: Int) -> [Case]? {
        OracleScript("sigv4.py").lines("\(seed)", "\(count)")?.map(parse)
    }

    private static func parse(_ fields: [ArraySlice<UInt8>]) -> Case {
        precondition(fields.count == 15, "a line of the oracle has 15 fields")
        let text = fields.map { bytes(of: $0).map { String(decoding: $0, as: UTF8.self) } }
        let service = text[0]!
        let payload = bytes(of: fields[6]).map { body in
            Payload.sha256(body.withUnsafeBytes { SHA256.digest(of: $0) })
        }
        return Case(
            signer: RequestSigner(
                credentials: Credentials(
                    accessKeyID: text[7]!, secretAccessKey: Secret(text[8]!),
                    sessionToken: text[9].map { Secret($0) }),
                region: text[10]!, service: service == "s3" ? .s3 : .other(service)),
            request: UnsignedRequest(
                method: text[1]!, host: text[2]!, path: text[3]!,
                query: pairs(in: fields[4]).map { QueryItem($0, $1) },
                headers: pairs(in: fields[5]).map { Header($0, $1!) },
                payload: payload ?? .unsigned),
            time: Timestamp(unixSeconds: Int64(String(decoding: fields[11], as: UTF8.self))!),
            path: text[12]!, canonicalRequest: text[13]!, authorization: text[14]!)
    }

    private static func pairs(in field: ArraySlice<UInt8>) -> [(String, String?)] {
        field.split(separator: UInt8(ascii: ";")).map { item in
            let sides = item.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
            return (
                String(decoding: bytes(of: sides[0])!, as: UTF8.self),
                bytes(of: sides[1]).map { String(decoding: $0, as: UTF8.self) }
            )
        }
    }

    /// nil: the value is missing, or the field is a number or a list.
    private static func bytes(of field: ArraySlice<UInt8>) -> [UInt8]? {
        OracleScript.bytes(ofHex: field)
    }
}
