public import Model

extension RefreshingCredentials {
    /// Makes the provider that a connector's settings ask for; nothing is read or sent yet.
    ///
    /// - Parameters:
    ///   - connector: its proxy and trusted certificates hold for STS, too.
    ///   - tell: is called on the main actor, never from inside of a call to the provider's methods
    ///     other than `credentials`.
    public static func make(
        for connector: ConnectorSettings, _ surroundings: CredentialSurroundings,
        tell: @escaping (CredentialsEvent) -> Void = { _ in }
    ) -> RefreshingCredentials {
        let watch = FileWatch(surroundings)
        let files = FileReader(queue: surroundings.queue, watch: watch)
        let sts = STSClient(connector, surroundings)
        var source: any CredentialSource
        var isFixed = false
        switch connector.credentials.base {
        case .keys(let keyID, let secretFile, let tokenFile):
            let keys = KeyFiles(
                keyID: keyID, secretFile: secretFile, tokenFile: tokenFile,
                surroundings: surroundings, files: files)
            isFixed = keys.isFixed
            source = keys
        case .chain(let profile):
            let chain = ChainSource(
                profile: profile,
                sessionName: CredentialSettings.Role.sessionName(for: connector.name),
                surroundings, files: files, sts: sts)
            isFixed = chain.isFixed
            source = chain
        }
        if let role = connector.credentials.role {
            let assumed = AssumedRole(
                arn: role.arn, externalID: role.externalID, sessionName: role.sessionName,
                duration: role.duration)
            source = RoleSource(assumed, base: source, sts: sts)
        }
        return RefreshingCredentials(
            source, isFixed: isFixed, watch: watch, surroundings: surroundings, tell: tell)
    }
}
