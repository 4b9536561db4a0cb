import ArgumentParser

/// `sluicectl external-id`: makes a new external ID for the trust policy of a role.
struct ExternalIDCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "external-id",
        abstract: "Makes a new external ID.",
        discussion: """
            It goes into the connector's file as external_id, and from there into the trust policy \
            that "sluicectl policy" prints: the role then opens to nobody who does not name it. \
            Make one for each role. It is no secret, but nobody should be able to guess it.
            """)

    @OptionGroup var options: ConfigurationOptions

    func run() {
        Output.data(Self.make())
    }

    /// 32 letters and digits are 190 bits. IAM takes 2 to 1,224 characters, these among them.
    private static let length = 32
    private static let alphabet = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")

    /// From the system's random source: `SystemRandomNumberGenerator` is getrandom(2) on Linux.
    static func make() -> String {
        var source = SystemRandomNumberGenerator()
        return String(
            (0..<length).map { _ in alphabet[Int.random(in: alphabet.indices, using: &source)] })
    }
}
