import Curl
import Delivery
import Digest
import Encoding
import Model
import Signing

@testable import Credentials
@testable import Curl
@testable import S3

/// Arbitrary bytes as the answer of S3, of STS, of an instance or of a container: a line with the status, fields, an empty
/// line, the body. Without an empty line all of it is the body of a 403.
///
/// Whatever answers, only a listed code in a 4xx with a request ID counts as rejected credentials; and nothing in it gets
/// further than it may: a region into a host name, a control character into the journal, a wrong secret into a signature.
enum AnswersTarget {
    static func fault(_ bytes: [UInt8]) -> String? {
        let response = response(bytes)
        let answer = Answer(.success(response))
        return fault(response, answer) ?? fault(document: response.body, answer)
            ?? fault(issuer: response, answer) ?? fault(json: response.body)
    }

    private static func response(_ bytes: [UInt8]) -> HTTPResponse {
        var response = HTTPResponse(status: 403)
        let end = bytes.firstRange(of: Array("\n\n".utf8))
        response.body = Array(bytes[(end?.upperBound ?? 0)...].prefix(HTTPResponse.keptBody))
        guard let end else { return response }
        let lines = bytes[..<end.lowerBound].split(separator: UInt8(ascii: "\n"))
        if let first = lines.first, let status = Int(String(decoding: first, as: UTF8.self)) {
            response.status = min(max(status, 200), 599)
        }
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { continue }
            let value = line[(colon + 1)...].drop { $0 == UInt8(ascii: " ") }
            response.headers.append(
                HeaderField(
                    String(decoding: line[..<colon], as: UTF8.self),
                    String(decoding: value, as: UTF8.self)))
        }
        return response
    }

    // MARK: S3

    private static let place = Destination(connector: "c", bucket: "b", host: "h")

    private static func fault(_ response: HTTPResponse, _ answer: Answer) -> String? {
        if let region = answer.bucketRegion, !Partition.isRegion(region) {
            return "a region \(region)"
        }
        if let pause = answer.retryAfter, pause < .zero { return "a wait of \(pause)" }
        let features: [Set<OptionalFeature>] = [[], Set(OptionalFeature.allCases)]
        for operation in Operation.allCases {
            for features in features {
                let attempt = Attempt(operation, region: "us-east-1", features: features)
                let disposition = Disposition(of: attempt, answer: answer)
                if let fault = fault(disposition, answer) { return fault }
                guard features.isEmpty else { continue }
                if disposition.explanation(of: operation, at: place).isEmpty {
                    return "\(disposition) is not explained"
                }
            }
        }
        if let message = answer.message, isOdd(message) { return "a message has controls" }
        return nil
    }

    private static func fault(_ disposition: Disposition, _ answer: Answer) -> String? {
        let status = answer.status ?? 0
        switch disposition {
        case .delivered where !(200..<300).contains(status):
            return "delivered by \(status)"
        case .credentials:
            guard (400..<500).contains(status), answer.requestID != nil, answer.code != nil else {
                return "\(disposition) by \(answer)"
            }
        case .region(let region, _) where !Partition.isRegion(region):
            return "signed for \(region)"
        case .backingOff(_, _, let pause?) where pause < .zero:
            return "a wait of \(pause)"
        default: break
        }
        return nil
    }

    private static func isOdd(_ text: String) -> Bool {
        text.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7f }
            || text.unicodeScalars.count > 512
    }

    /// What a document says does not change with more of it: long bodies are cut off.
    private static func fault(document body: [UInt8], _ answer: Answer) -> String? {
        let whole = ResponseDocument(body)
        let half = ResponseDocument(Array(body.prefix(body.count / 2)))
        // A page of something else may begin behind it; then it is none of S3's.
        if let code = half?.code, let whole, code != whole.code {
            return "half of it says \(code), all of it \(whole.code ?? "nothing")"
        }
        if let location = whole?.location, !Partition.isRegion(location) {
            return "a location \(location)"
        }
        return nil
    }

    // MARK: Issuers of credentials

    private static func fault(issuer response: HTTPResponse, _ answer: Answer) -> String? {
        let body = SecretBuffer(capacity: HTTPResponse.keptBody)
        response.body.withUnsafeBytes { body.append($0) }
        if let session = STSSession(body), !isSound(session.credentials) {
            return "STS gave keys that no header can hold"
        }
        let date = answer.date
        if let object = body.withUnsafeBytes({ SecretObject($0) }),
            let session = IssuedKeys.session(
                object, token: "Token", date: date, now: Timestamp(unixSeconds: 1_800_000_000)),
            !isSound(session.credentials)
        {
            return "an issuer gave keys that no header can hold"
        }
        let refusal = STSRefusal(
            status: response.status, code: answer.code, message: answer.message,
            requestID: response.header("x-amzn-requestid") ?? answer.requestID, date: date,
            host: "sts")
        if case .denied = refusal.meaning {
            guard (400..<500).contains(refusal.status), refusal.requestID != nil,
                STSRefusal.denials.contains(refusal.code ?? "")
            else { return "denied by \(refusal)" }
        }
        return nil
    }

    private static func isSound(_ keys: Credentials) -> Bool {
        let id = keys.accessKeyID.utf8
        return (1...128).contains(id.count) && id.allSatisfy { (0x21...0x7e).contains($0) }
            && isLine(keys.secretAccessKey) && (keys.sessionToken.map(isLine) ?? true)
    }

    private static func isLine(_ secret: Secret) -> Bool {
        secret.count > 0
            && secret.withUnsafeBytes { $0.allSatisfy { (0x21...0x7e).contains($0) } }
    }

    // MARK: JSON

    /// The two readers of JSON agree, and what one writes it reads as the same.
    private static func fault(json body: [UInt8]) -> String? {
        guard let value = try? JSONReader.read(body) else { return nil }
        let text = value.text
        guard let again = try? JSONReader.read(Array(text.utf8)), again.text == text else {
            return "written, it is no JSON, or another"
        }
        if text.utf8.contains(where: { $0 < 0x20 }) { return "it is written on several lines" }
        guard case .object(let members) = value,
            let secrets = body.withUnsafeBytes({ SecretObject($0) })
        else { return nil }
        for (name, _) in members {
            // By bytes, as SecretObject has them.
            let last = members.last { $0.0.utf8.elementsEqual(name.utf8) }
            guard case .string(let string) = last?.1 else { continue }
            guard secrets.text(name)?.utf8.elementsEqual(string.utf8) == true else {
                return "\(name) is \(string), or \(secrets.text(name) ?? "nothing")"
            }
        }
        return nil
    }
}
