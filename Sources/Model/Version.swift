/// The version of Sluice, as `--version` and the User-Agent header say it.
public let sluiceVersion = "0.1.0"
