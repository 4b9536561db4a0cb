import Model
import Testing

@testable import sluicectl

/// Documents as the daemon writes them, put together of parts.
enum StatusDocuments {
    static let running = #""intake":"running""#

    static func document(
        summary: String = "1 connector: 1 delivering; no backlog", intake: String = running,
        quarantined: Int = 0, connectors: [String], orphans: [String] = [],
        problems: [String] = [], size: Int? = nil
    ) -> String {
        """
        {"version":"0.1.0","pid":123,"started":"2026-11-22T17:53:00Z","now":"2026-11-22T18:00:00Z",
         "summary":"\(summary)",
         "spool":{"directory":"/var/spool/sluice","zone":"eu-1","partition":0,\(intake),
          "active_files":3,"written_files":0,"unsealed_batches":2,"quarantined":\(quarantined),
          "free_bytes":97000000000\(size.map { ",\"size_bytes\":\($0)" } ?? "")},
         "connectors":[\(connectors.joined(separator: ","))],
         "orphans":[\(orphans.joined(separator: ","))],
         "problems":[\(problems.joined(separator: ","))]}
        """
    }

    static func delivering(_ name: String, _ more: String = "") -> String {
        """
        {"name":"\(name)"\(more),"bucket":"acme-events","folder":"currents","state":"delivering",
         "held":{"objects":3,"events":1234,"bytes":5678,"oldest":"2026-11-22T17:55:00Z"},
         "at_fault":{"objects":0},"delivered":{"objects":10,"events":12345,"bytes":67890},
         "last_object":{"key":"currents/x.jsonl.gz","time":"2026-11-22T17:59:50Z"}}
        """
    }

    static func failing(_ name: String, _ more: String = "") -> String {
        """
        {"name":"\(name)","bucket":"acme-events","folder":"","state":"credentials_failing",
         "detail":"connector \(name): S3 rejects the credentials (InvalidAccessKeyId, request \
        4442587FB7D0A2F9); check that the key exists and is active","since":"2026-11-22T14:02:00Z",
         "held":{"objects":300,"events":1234567,"bytes":567800000,"oldest":"2026-11-22T14:01:00Z"},
         "at_fault":{"objects":0},"delivered":{"objects":0,"events":0,"bytes":0}\(more)}
        """
    }

    /// One in the middle of an episode, with all that the daemon says of it.
    static func inEpisode(_ name: String) -> String {
        failing(
            name,
            """
            ,"kind":"currents","format":"avro","expire_after_seconds":172800,
             "rate":{"events_per_second":0,"bytes_per_second":0},
             "dropped":{"objects":2,"events":1204,"bytes":3000},
             "episodes":[{"since":"2026-11-22T14:02:00Z","code":"InvalidAccessKeyId","attempts":12,
              "at_risk":{"objects":300,"events":1234567,"bytes":567800000},
              "first_drop":"2026-11-24T11:00:00Z","first_drop_in_seconds":147600,
              "on_expiry":"drop","clock_stands":false}]
            """)
    }

    static let rate = #","rate":{"events_per_second":1204,"bytes_per_second":56000}"#

    static func problem(_ text: String, connector: String? = nil, count: Int = 1) -> String {
        let whose = connector.map { ",\"connector\":\"\($0)\"" } ?? ""
        return """
            {"time":"2026-11-22T17:50:00Z","kind":"throttled","priority":"warning"\(whose),
             "text":"\(text)","count":\(count)}
            """
    }

    static func status(_ document: String) throws -> DaemonStatus {
        try #require(DaemonStatus(JSONReader.read(Array(document.utf8))))
    }
}
