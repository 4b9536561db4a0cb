import Model
import Testing

@testable import sluicectl

/// Documents as the daemon writes them, put together of parts.
enum StatusDocuments {
    static let running = #""intake":"running""#

    static func document(
        summary: String = "1 connector: 1 delivering; no backlog", intake: String = running,
        quarantined: Int = 0, connectors: [String], orphans: [String] = []
    ) -> String {
        """
        {"version":"0.1.0","pid":123,"started":"2026-11-22T17:53:00Z","now":"2026-11-22T18:00:00Z",
         "summary":"\(summary)",
         "spool":{"directory":"/var/spool/sluice","zone":"eu-1","partition":0,\(intake),
          "active_files":3,"written_files":0,"unsealed_batches":2,"quarantined":\(quarantined),
          "free_bytes":97000000000},
         "connectors":[\(connectors.joined(separator: ","))],
         "orphans":[\(orphans.joined(separator: ","))]}
        """
    }

    static func delivering(_ name: String) -> String {
        """
        {"name":"\(name)","bucket":"acme-events","folder":"currents","state":"delivering",
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

    static func status(_ document: String) throws -> DaemonStatus {
        try #require(DaemonStatus(JSONReader.read(Array(document.utf8))))
    }
}
