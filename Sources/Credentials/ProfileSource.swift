internal import Digest
internal import Files
internal import Model

/// Credentials that the shared files describe (`~/.aws/config`, `~/.aws/credentials`).
final class ProfileSource {
    private let surroundings: CredentialSurroundings
    private let files: FileReader
    private let sts: STSClient
    private let sessionName: String
    private let environment: EnvironmentKeys
    private let container: ContainerSource
    private let instance: InstanceSource

    init(
        _ surroundings: CredentialSurroundings, files: FileReader, sts: STSClient,
        sessionName: String, environment: EnvironmentKeys, container: ContainerSource,
        instance: InstanceSource
    ) {
        self.surroundings = surroundings
        self.files = files
        self.sts = sts
        self.sessionName = sessionName
        self.environment = environment
        self.container = container
        self.instance = instance
    }

    /// Fetches by a profile.
    ///
    /// - Parameters:
    ///   - named: nil: `AWS_PROFILE`, else `default`, which need not exist.
    ///   - completion: gets nil where the profile says nothing of credentials.
    func fetch(
        _ named: String?, _ fetch: Fetch, _ completion: @escaping (SessionResult?) -> Void
    ) {
        let chosen =
            named ?? surroundings.variable("AWS_PROFILE")
            ?? surroundings.variable("AWS_DEFAULT_PROFILE")
        read("AWS_CONFIG_FILE", ".aws/config", .config) { [self] config in
            read("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials", .credentials) {
                [self] credentials in
                do throws(CredentialsUnavailable) {
                    let profiles = Profiles(
                        config: try config.get(), credentials: try credentials.get(),
                        sessionName: sessionName)
                    let profile = chosen ?? "default"
                    if chosen == nil, !profiles.has(profile) { return completion(nil) }
                    guard let plan = try profiles.plan(profile) else { return completion(nil) }
                    let region = profiles.region(of: profile)
                    source(plan, region).fetch(fetch) { result in
                        completion(
                            result.map { session in
                                var session = session
                                session.region = region ?? session.region
                                return session
                            })
                    }
                } catch {
                    completion(.failure(error))
                }
            }
        }
    }

    private func source(_ plan: ProfilePlan, _ region: String?) -> any CredentialSource {
        switch plan {
        case .keys(let credentials):
            KnownSession(Session(credentials: credentials, region: region))
        case .process(let command, let profile):
            ProcessSource(command, place: profile, surroundings: surroundings)
        case .webIdentity(let role, let file):
            WebIdentitySource(
                role, tokenFile: expanded(file), region: region, files: files, sts: sts)
        case .role(let role, let base):
            RoleSource(role, base: InRegion(source(base, region), region), sts: sts)
        case .environment: environment
        case .container: container
        case .instance: instance
        }
    }

    // MARK: The files

    /// A file that is missing says nothing; one that is named and may not be read is a mistake.
    private func read(
        _ variable: String, _ standard: String, _ kind: ProfileFile.Kind,
        _ completion: @escaping (Result<ProfileFile, CredentialsUnavailable>) -> Void
    ) {
        let named = surroundings.variable(variable).map(expanded)
        let home = surroundings.variable("HOME").map { "\($0)/\(standard)" }
        guard let path = named ?? home, path.hasPrefix("/") else {
            return completion(.success(ProfileFile()))
        }
        files.read(path, limit: FileReader.longestConfiguration) { result in
            switch result {
            case .success(let text):
                do throws(ProfileFile.Damage) {
                    completion(.success(try ProfileFile(text, kind)))
                } catch {
                    let text = "line \(error.line) of \(path) is neither [section] nor key = value"
                    completion(.failure(.misconfigured(text)))
                }
            case .failure(let error) where named == nil || error.isMissing:
                completion(.success(ProfileFile()))
            case .failure(let error):
                let text = "\(path) cannot be read: \(errorText(error.code))"
                completion(.failure(.misconfigured(text)))
            }
        }
    }

    private func expanded(_ path: String) -> String {
        guard path.hasPrefix("~/"), let home = surroundings.variable("HOME") else { return path }
        return home + path.dropFirst(1)
    }
}

/// A session that is at hand.
private final class KnownSession: CredentialSource {
    private let session: Session

    init(_ session: Session) {
        self.session = session
    }

    func fetch(_ fetch: Fetch, _ completion: @escaping (SessionResult) -> Void) {
        completion(.success(session))
    }
}

/// What a source gives, with the region that the profile names: STS is asked there.
private final class InRegion: CredentialSource {
    private let source: any CredentialSource
    private let region: String?

    init(_ source: any CredentialSource, _ region: String?) {
        self.source = source
        self.region = region
    }

    func fetch(_ fetch: Fetch, _ completion: @escaping (SessionResult) -> Void) {
        source.fetch(fetch) { [region] result in
            completion(
                result.map { session in
                    var session = session
                    session.region = region ?? session.region
                    return session
                })
        }
    }
}
