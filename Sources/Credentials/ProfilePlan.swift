internal import Digest
internal import Model
internal import Signing

/// Where a profile of the shared files says that its credentials are.
nonisolated indirect enum ProfilePlan: Sendable, Equatable {
    case keys(Credentials)
    case process(String, profile: String)
    case webIdentity(AssumedRole, tokenFile: String)
    case role(AssumedRole, base: ProfilePlan)
    // What `credential_source` names.
    case environment
    case container
    case instance
}

/// The profiles of both files, merged: the credentials file goes before the config file.
nonisolated struct Profiles {
    private(set) var profiles: [String: [String: Secret]]
    /// The session of a role whose profile names none.
    private let sessionName: String

    init(config: ProfileFile, credentials: ProfileFile, sessionName: String) {
        profiles = config.profiles.merging(credentials.profiles) { config, credentials in
            config.merging(credentials) { $1 }
        }
        self.sessionName = sessionName
    }

    func has(_ profile: String) -> Bool { profiles[profile] != nil }
    func region(of profile: String) -> String? { profiles[profile]?["region"]?.text }

    /// What a profile says; nil: nothing of credentials.
    func plan(_ profile: String) throws(CredentialsUnavailable) -> ProfilePlan? {
        try plan(profile, from: [])
    }

    private func plan(
        _ name: String, from path: [String]
    ) throws(CredentialsUnavailable) -> ProfilePlan? {
        guard let profile = profiles[name] else {
            guard let user = path.last else {
                throw .misconfigured("there is no profile \"\(name)\" in the shared AWS files")
            }
            throw wrong(user, "names the profile \"\(name)\", which does not exist")
        }
        // As a source, keys go before a role; a profile may be its own source so.
        if !path.isEmpty, let keys = try keys(name) { return keys }
        if profile["role_arn"] != nil {
            guard !path.contains(name) else {
                let loop = (path + [name]).joined(separator: " -> ")
                throw wrong(name, "comes back to itself by source_profile: \(loop)")
            }
            return try role(name, profile, path)
        }
        if profile["web_identity_token_file"] != nil {
            throw wrong(name, "has a web_identity_token_file, and no role_arn")
        }
        if let keys = try keys(name) { return keys }
        if let command = profile["credential_process"] {
            return .process(command.text, profile: "profile \"\(name)\"")
        }
        if profile["sso_session"] != nil || profile["sso_start_url"] != nil {
            throw wrong(name, "signs in by SSO, which takes a person; use a role or keys")
        }
        return nil
    }

    private func role(
        _ name: String, _ profile: [String: Secret], _ path: [String]
    ) throws(CredentialsUnavailable) -> ProfilePlan {
        if profile["mfa_serial"] != nil {
            throw wrong(name, "asks for a one-time code (mfa_serial), which takes a person")
        }
        let role = try assumedRole(name, profile)
        if let file = profile["web_identity_token_file"] {
            return .webIdentity(role, tokenFile: file.text)
        }
        switch (profile["source_profile"]?.text, profile["credential_source"]?.text) {
        case (let source?, nil):
            guard let base = try plan(source, from: path + [name]) else {
                throw wrong(source, "has no credentials; profile \"\(name)\" takes them from it")
            }
            return .role(role, base: base)
        case (nil, "Environment"): return .role(role, base: .environment)
        case (nil, "EcsContainer"): return .role(role, base: .container)
        case (nil, "Ec2InstanceMetadata"): return .role(role, base: .instance)
        case (nil, _?):
            throw wrong(
                name,
                "has a credential_source that is none of Environment, EcsContainer and "
                    + "Ec2InstanceMetadata")
        case (_?, _?):
            throw wrong(name, "has both source_profile and credential_source; remove one")
        case (nil, nil):
            throw wrong(name, "has a role_arn, and neither source_profile nor credential_source")
        }
    }

    private func assumedRole(
        _ name: String, _ profile: [String: Secret]
    ) throws(CredentialsUnavailable) -> AssumedRole {
        var role = AssumedRole(
            arn: profile["role_arn"]?.text ?? "", externalID: profile["external_id"]?.text,
            sessionName: profile["role_session_name"]?.text ?? sessionName,
            duration: .seconds(3600))
        if let text = profile["duration_seconds"]?.text {
            guard let seconds = Int(text), (900...43_200).contains(seconds) else {
                throw wrong(name, "has a duration_seconds that is not from 900 to 43200")
            }
            role.duration = .seconds(seconds)
        }
        return role
    }

    private func keys(_ name: String) throws(CredentialsUnavailable) -> ProfilePlan? {
        let profile = profiles[name] ?? [:]
        switch (profile["aws_access_key_id"], profile["aws_secret_access_key"]) {
        case (nil, nil):
            return nil
        case (let keyID?, let secret?):
            let place = "profile \"\(name)\""
            return .keys(
                try KeyText.credentials(
                    keyID: keyID.text, secret: secret, secretFrom: place,
                    token: profile["aws_session_token"], tokenFrom: place
                ).get())
        default:
            throw wrong(name, "has only one of aws_access_key_id and aws_secret_access_key")
        }
    }

    private func wrong(_ profile: String, _ what: String) -> CredentialsUnavailable {
        .misconfigured("profile \"\(profile)\" of the shared AWS files \(what)")
    }
}
