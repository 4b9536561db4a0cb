internal import Model

/// What the SDKs look through when nobody says where the credentials are.
///
/// Environment, web identity, shared files, container, instance. The first that is there decides, even
/// if it fails: half a pair of keys is a mistake to be told, and no reason to look elsewhere. It is
/// looked through anew at each fetch.
final class ChainSource: CredentialSource {
    private let surroundings: CredentialSurroundings
    private let profile: String?
    private let sessionName: String
    private let files: FileReader
    private let sts: STSClient
    private let environment: EnvironmentKeys
    private let container: ContainerSource
    private let instance: InstanceSource
    private let profiles: ProfileSource

    /// - Parameter profile: where one is named, nothing else is looked at.
    init(
        profile: String?, sessionName: String, _ surroundings: CredentialSurroundings,
        files: FileReader, sts: STSClient
    ) {
        self.profile = profile
        self.sessionName = sessionName
        self.surroundings = surroundings
        self.files = files
        self.sts = sts
        environment = EnvironmentKeys(surroundings)
        container = ContainerSource(surroundings, files: files)
        instance = InstanceSource(surroundings)
        profiles = ProfileSource(
            surroundings, files: files, sts: sts, sessionName: sessionName,
            environment: environment, container: container, instance: instance)
    }

    /// Whether it comes from the environment as it looks now.
    var isFixed: Bool { profile == nil && environment.isThere }

    func fetch(_ fetch: Fetch, _ completion: @escaping (SessionResult) -> Void) {
        if let profile {
            return profiles.fetch(profile, fetch) { result in
                let text = "profile \"\(profile)\" of the shared AWS files has no credentials"
                completion(result ?? .failure(.misconfigured(text)))
            }
        }
        if environment.isThere { return environment.fetch(fetch, completion) }
        if let file = surroundings.variable("AWS_WEB_IDENTITY_TOKEN_FILE") {
            return webIdentity(file, fetch, completion)
        }
        profiles.fetch(nil, fetch) { [self] result in
            if let result { return completion(result) }
            if container.isThere { return container.fetch(fetch, completion) }
            askInstance(fetch, completion)
        }
    }

    private func webIdentity(
        _ file: String, _ fetch: Fetch, _ completion: @escaping (SessionResult) -> Void
    ) {
        guard let arn = surroundings.variable("AWS_ROLE_ARN") else {
            let text = "AWS_WEB_IDENTITY_TOKEN_FILE is set and AWS_ROLE_ARN is not; set both"
            return completion(.failure(.misconfigured(text)))
        }
        let role = AssumedRole(
            arn: arn, externalID: nil,
            sessionName: surroundings.variable("AWS_ROLE_SESSION_NAME") ?? sessionName,
            duration: .seconds(3600))
        WebIdentitySource(role, tokenFile: file, region: nil, files: files, sts: sts)
            .fetch(fetch, completion)
    }

    /// The last place. Where nothing ever answered there, this is likely no instance.
    private func askInstance(_ fetch: Fetch, _ completion: @escaping (SessionResult) -> Void) {
        let nothing =
            "there are no credentials: name keys or a role under [credentials], or give the daemon "
            + "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or the role of its container "
            + "or instance"
        if instance.isDisabled { return completion(.failure(.misconfigured(nothing))) }
        instance.fetch(fetch) { [instance] result in
            if case .failure(.unreachable(let text)) = result, !instance.hasAnswered {
                completion(.failure(.misconfigured("\(nothing); \(text)")))
            } else {
                completion(result)
            }
        }
    }
}
