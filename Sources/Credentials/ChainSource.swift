/// What the SDKs look through when nobody says where the credentials are.
final class ChainSource: CredentialSource {
    private let environment: EnvironmentKeys

    init(_ surroundings: CredentialSurroundings) {
        environment = EnvironmentKeys(surroundings)
    }

    func fetch(_ fetch: Fetch, _ completion: @escaping (SessionResult) -> Void) {
        environment.fetch(fetch, completion)
    }
}
