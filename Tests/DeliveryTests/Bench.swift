import Model
import Testing

@testable import Delivery

/// The health of a connector that has delivered before, with a clock of its own; chance always says 0.5.
struct Bench {
    var now = Instant(nanoseconds: 0)
    var health = ConnectorHealth(at: Instant(nanoseconds: 0))

    init() { _ = end(.delivered) }

    mutating func end(
        _ disposition: Disposition, type: String = "a", began: Instant? = nil
    ) -> [ConnectorHealth.Action] {
        health.attemptEnded(
            disposition, eventType: type, began: began ?? now, at: now, random: 0.5)
    }

    mutating func pass(_ duration: Duration) { now = now + duration }

    /// Waits until the connector may probe, and reports how that ended.
    mutating func probe(_ disposition: Disposition) -> [ConnectorHealth.Action] {
        if case .none(let until?) = permission { now = until }
        #expect(permission == .probe)
        return end(disposition)
    }

    /// What waits for a person.
    var trouble: Trouble? {
        switch health.state {
        case .credentialsFailing(let episode): episode.trouble
        case .misconfigured(let trouble): trouble
        case .delivering, .backingOff, .paused: nil
        }
    }

    var permission: Permission { health.permission(at: now) }
    func permission(_ type: String) -> Permission { health.permission(for: type, at: now) }

    // MARK: Episodes

    static let rejected = Disposition.credentials(.connector, Cause(code: "InvalidAccessKeyId"))
    static let denied = Disposition.credentials(.eventType, Cause(code: "AccessDenied"))
    static let lost = Disposition.backingOff(
        .unreachable, Cause(code: "curl 7"), retryAfter: nil)

    /// A rejection whose answer said that so many seconds have passed at S3.
    static func rejected(at seconds: Int64) -> Disposition {
        .credentials(
            .connector,
            Cause(code: "InvalidAccessKeyId", date: Timestamp(unixSeconds: 1_795_000_000 + seconds))
        )
    }

    mutating func configure(
        window: Duration, grace: Duration = .zero, isOther: Bool = false
    ) -> [ConnectorHealth.Action] {
        health.configure(window: window, grace: grace, isOther: isOther, at: now)
    }

    /// Another process goes on from the record, as it comes back from the disk.
    mutating func restart(hasBooted: Bool = false) throws -> [ConnectorHealth.Action] {
        let entry = EpisodeBook.Entry(
            connector: try #require(ConnectorName("orders")), destination: "x",
            record: health.record)
        let clock = SpoolClock(after: nil, boot: "b", bootTime: .zero)
        let bytes = EpisodeBook(clock: clock, entries: [entry]).text.bytes
        let book = try EpisodeBook(CheckedText(bytes, kind: EpisodeBook.kind))
        health = ConnectorHealth(at: now)
        return health.restore(book.entries[0].record, hasBooted: hasBooted, at: now)
    }

    func hasLost(_ accepted: Instant, type: String = "a") -> Bool {
        health.hasLost(accepted, eventType: type, at: now)
    }

    func firstDrop(_ accepted: Instant, type: String = "a") -> Instant? {
        health.firstDrop(accepted, eventType: type, at: now)
    }
}
