import Curl
import Digest
import Encoding
import Model
import Signing

/// Asks STS whose credentials these are: GetCallerIdentity, which nobody may be denied.
///
/// Source: GetCallerIdentity, AWS Security Token Service API Reference.
@MainActor
struct CallerIdentity {
    enum Outcome: Equatable, Sendable {
        /// The ARN of a user, or of a role with the name of its session.
        case caller(String)
        /// STS rejects the credentials; its code and words.
        case rejected(String)
        /// There is nobody to be asked, or no answer.
        case unavailable(String)
    }

    let connector: ConnectorSettings
    let transport: Transport

    /// Where STS answers for a connector; nil where the store is not Amazon's and no STS is named.
    nonisolated static func origin(for connector: ConnectorSettings) -> String? {
        if let origin = connector.credentials.stsEndpoint { return origin }
        guard connector.endpoint == nil else { return nil }
        let partition = connector.partition
        let region = connector.region ?? partition.firstRegion
        let isDual = connector.usesDualStack
        // In GovCloud every endpoint of STS is validated, and has the plain name.
        let isPlain = !connector.usesFIPS || (partition.name == "aws-us-gov" && !isDual)
        let domain = isDual ? partition.dualStackDomain : partition.domain
        return "https://\(isPlain ? "sts" : "sts-fips").\(region).\(domain)"
    }

    /// - Parameters:
    ///   - now: the time to sign with.
    ///   - completion: is called later, once.
    func ask(
        with credentials: Credentials, now: Timestamp, completion: @escaping (Outcome) -> Void
    ) {
        guard let origin = Self.origin(for: connector) else {
            return completion(.unavailable("no sts_endpoint is named for this store"))
        }
        let body = Array("Action=GetCallerIdentity&Version=2011-06-15".utf8)
        let region = connector.region ?? connector.partition.firstRegion
        let unsigned = UnsignedRequest(
            method: "POST", host: Self.host(of: origin), path: "/",
            headers: [Header("content-type", "application/x-www-form-urlencoded")],
            payload: .sha256(body.withUnsafeBytes { SHA256.digest(of: $0) }))
        var signer = RequestSigner(
            credentials: credentials, region: region, service: .other("sts"))
        let headers = signer.sign(unsigned, at: now).headers
        var options = TransferOptions()
        options.userAgent = "sluicectl/\(sluiceVersion)"
        options.caFile = connector.caFile
        if let proxy = connector.proxy { options.proxy = .url(proxy) }
        options.answerTimeout = .seconds(15)
        options.idleTimeout = .seconds(15)
        let request = HTTPRequest(
            .post, origin + "/", headers: headers.map { HeaderField($0.name, $0.value) },
            body: BytesBody(body), options: options)
        transport.start(request) { completion(Self.outcome(of: $0, origin: origin)) }
    }

    /// As it is signed: with a port, unless that is the scheme's own.
    nonisolated static func host(of origin: String) -> String {
        let origin = origin.lowercased()
        let (start, port) = origin.hasPrefix("http://") ? (7, ":80") : (8, ":443")
        let host = origin.dropFirst(start)
        return String(host.hasSuffix(port) ? host.dropLast(port.utf8.count) : host)
    }

    private static func outcome(of outcome: TransferOutcome, origin: String) -> Outcome {
        switch outcome {
        case .failure(let failure):
            return .unavailable("\(host(of: origin)) does not answer: \(failure.text)")
        case .success(let response):
            if response.status == 200, let arn = arn(in: response.body) { return .caller(arn) }
            guard let document = ResponseDocument(response.body), let code = document.code else {
                return .unavailable("\(host(of: origin)) answers with status \(response.status)")
            }
            var message = document.message ?? ""
            while message.hasSuffix(".") { message.removeLast() }
            let words = message.isEmpty ? "" : ": \(message)"
            // No policy of IAM can deny it, but that of an endpoint in a VPC can.
            return (400..<500).contains(response.status) && !code.hasPrefix("AccessDenied")
                ? .rejected("\(code)\(words)") : .unavailable("\(code)\(words)")
        }
    }

    /// The first `<Arn>` of a document.
    nonisolated static func arn(in document: [UInt8]) -> String? {
        var reader = XMLReader(document)
        var element = ""
        while let event = reader.next() {
            switch event {
            case .start(let name): element = name
            case .end: element = ""
            case .text(let text) where element == "Arn":
                return String(decoding: text, as: UTF8.self)
            case .decoded(let text) where element == "Arn": return text
            case .text, .decoded: break
            }
        }
        return nil
    }
}
