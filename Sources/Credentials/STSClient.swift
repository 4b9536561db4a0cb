internal import Curl
internal import Digest
internal import Model
internal import Signing

/// Asks STS for sessions.
///
/// STS rejects a request whose time is off as it rejects a wrong signature. So where the answer's `Date`
/// is far from our clock, the request is signed once more with the server's time: a clock that was set
/// wrong must not look like keys that were revoked.
final class STSClient {
    /// Who assumes the role.
    enum Proof {
        /// Credentials, with which the request is signed.
        case session(Session)
        /// A token that an identity provider vouches for; nothing is signed.
        case token(Secret, region: String?)
    }

    private typealias Parameter = (name: String, value: TextOrSecret)

    private enum Outcome {
        case session(Session)
        case refused(STSRefusal)
        case failed(CredentialsUnavailable)
    }

    private let surroundings: CredentialSurroundings
    private let connector: ConnectorSettings
    private let options: TransferOptions
    /// Seconds that the clock of STS is ahead of ours.
    private var clockOffset: Int64 = 0

    /// Roles that give no more than an hour, as it turned out.
    private var limited: Set<String> = []

    /// What every role gives.
    private static let hour = Duration.seconds(3600)
    /// AWS allows five minutes either way; an answer that is so late is none.
    private static let largestSkew: Int64 = 240

    init(_ connector: ConnectorSettings, _ surroundings: CredentialSurroundings) {
        self.connector = connector
        self.surroundings = surroundings
        var options = TransferOptions()
        options.caFile = connector.caFile
        if let proxy = connector.proxy { options.proxy = .url(proxy) }
        options.answerTimeout = .seconds(30)
        options.idleTimeout = .seconds(30)
        self.options = options
    }

    /// Asks for a session of a role.
    ///
    /// A role may give less time than it is asked for, and an hour where a role assumes it. Then it is
    /// asked for an hour, and that is remembered.
    func assume(
        _ role: AssumedRole, by proof: Proof, for fetch: Fetch,
        _ completion: @escaping (SessionResult) -> Void
    ) {
        let isLimited = limited.contains(role.arn)
        let duration = isLimited ? min(role.duration, Self.hour) : role.duration
        send(parameters(role, duration, proof), role, proof, fetch) { [self] outcome in
            switch outcome {
            case .failed(let reason):
                completion(.failure(reason))
            case .refused(let refusal) where refusal.concernsDuration && duration > Self.hour:
                limited.insert(role.arn)
                assume(role, by: proof, for: fetch, completion)
            case .refused(let refusal):
                completion(.failure(refusal.meaning))
            case .session(let session):
                completion(.success(session))
            }
        }
    }

    private func parameters(
        _ role: AssumedRole, _ duration: Duration, _ proof: Proof
    ) -> [Parameter] {
        var parameters: [Parameter] = [
            ("Version", .plain("2011-06-15")), ("RoleArn", .plain(role.arn)),
            ("RoleSessionName", .plain(role.sessionName)),
            ("DurationSeconds", .plain(String(duration.components.seconds))),
        ]
        switch proof {
        case .session:
            parameters.append(("Action", .plain("AssumeRole")))
            if let externalID = role.externalID {
                parameters.append(("ExternalId", .plain(externalID)))
            }
        case .token(let token, _):
            parameters.append(("Action", .plain("AssumeRoleWithWebIdentity")))
            parameters.append(("WebIdentityToken", .secret(token)))
        }
        return parameters
    }

    /// The body of a request, `name=value&…`.
    private static func form(_ parameters: [Parameter]) -> Secret {
        let longest = parameters.reduce(0) { sum, parameter in
            let value = parameter.value.withUnsafeBytes(\.count)
            return sum + parameter.name.utf8.count + 3 * value + 2
        }
        let form = SecretBuffer(capacity: longest)
        for (name, value) in parameters {
            form.append("\(form.isEmpty ? "" : "&")\(name)=")
            value.withUnsafeBytes { PercentEncoding.component($0, into: form) }
        }
        return form.withUnsafeBytes { Secret(copying: $0) }
    }

    private func send(
        _ parameters: [Parameter], _ role: AssumedRole, _ proof: Proof, _ fetch: Fetch,
        _ completion: @escaping (Outcome) -> Void
    ) {
        var signer: Credentials?
        var region: String?
        switch proof {
        case .session(let session): (signer, region) = (session.credentials, session.region)
        case .token(_, let named): region = named
        }
        send(
            Self.form(parameters), to: endpoint(roleARN: role.arn, profileRegion: region),
            signedBy: signer, for: fetch, mayCorrect: true, completion)
    }

    /// - Parameter profileRegion: the connector's region and the environment's go before it.
    func endpoint(roleARN: String, profileRegion: String?) -> STSEndpoint {
        let named =
            connector.region ?? surroundings.variable("AWS_REGION")
            ?? surroundings.variable("AWS_DEFAULT_REGION") ?? profileRegion
        let override = connector.credentials.stsEndpoint
        // It becomes part of a host name, unless the host is given; stores call their regions what they like.
        let region = override == nil ? named.flatMap { Partition.isRegion($0) ? $0 : nil } : named
        return STSEndpoint(
            override: override, region: region, roleARN: roleARN,
            dualStack: connector.usesDualStack, fips: connector.usesFIPS)
    }

    private func send(
        _ body: Secret, to endpoint: STSEndpoint, signedBy signer: Credentials?,
        for fetch: Fetch, mayCorrect: Bool, _ completion: @escaping (Outcome) -> Void
    ) {
        let time = Timestamp(unixSeconds: surroundings.now().unixSeconds + clockOffset)
        let request = request(body, to: endpoint, signedBy: signer, at: time)
        surroundings.transport.ask(request, for: fetch) { [self] result in
            switch result {
            case .failure(let failure):
                completion(
                    .failed(.unreachable("\(endpoint.host) does not answer: \(failure.text)")))
            case .success(let answer):
                let now = surroundings.now()
                if mayCorrect, !answer.isSuccess, signer != nil, let date = answer.date,
                    abs(date.unixSeconds - now.unixSeconds - clockOffset) > Self.largestSkew
                {
                    clockOffset = date.unixSeconds - now.unixSeconds
                    return send(
                        body, to: endpoint, signedBy: signer, for: fetch, mayCorrect: false,
                        completion)
                }
                completion(outcome(of: answer, from: endpoint, now: now))
            }
        }
    }

    private func outcome(
        of answer: IssuerAnswer, from endpoint: STSEndpoint, now: Timestamp
    ) -> Outcome {
        guard answer.isSuccess else {
            return .refused(STSRefusal(answer, host: endpoint.host))
        }
        guard let session = STSSession(answer.secrets) else {
            return .failed(.unreachable("\(endpoint.host) answered with no session"))
        }
        let lifetime = Duration(until: session.expiry, date: answer.date, now: now)
        return .session(Session(credentials: session.credentials, lifetime: lifetime))
    }

    private func request(
        _ body: Secret, to endpoint: STSEndpoint, signedBy signer: Credentials?,
        at time: Timestamp
    ) -> HTTPRequest {
        var headers = [Header("content-type", "application/x-www-form-urlencoded; charset=utf-8")]
        if let signer {
            let digest = body.withUnsafeBytes { SHA256.digest(of: $0) }
            let unsigned = UnsignedRequest(
                method: "POST", host: endpoint.host, path: "/", headers: headers,
                payload: .sha256(digest))
            var requestSigner = RequestSigner(
                credentials: signer, region: endpoint.region, service: .other("sts"))
            headers = requestSigner.sign(unsigned, at: time).headers
        }
        return HTTPRequest(
            .post, endpoint.origin + "/", headers: headers.map { HeaderField($0.name, $0.value) },
            secretBody: body, options: options)
    }
}
