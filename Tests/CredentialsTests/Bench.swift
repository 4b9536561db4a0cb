import Curl
import Delivery
import Digest
import Dispatch
import Files
import Model
import Signing
import Support
import Testing

@testable import Credentials

/// Surroundings whose clocks stand still until they are moved, and providers made in them.
final class Bench {
    let tree = TemporaryTree()
    let transport = Transport()
    var variables: [String: String] = [:]
    var uptime = Instant(nanoseconds: 0)
    var wallClock = Timestamp(unixSeconds: 1_800_000_000)
    // 2027-01-15T08:00:00Z
    private(set) var events: [CredentialsEvent] = []
    private var timers: [Int: (at: Instant, body: () -> Void)] = [:]
    private var timerCount = 0

    var surroundings: CredentialSurroundings {
        var surroundings = CredentialSurroundings(
            transport: transport, queue: DispatchQueue(label: "credentials-tests"))
        surroundings.environment = { [weak self] in self?.variables[$0] }
        surroundings.now = { [weak self] in self?.wallClock ?? Timestamp(unixSeconds: 0) }
        surroundings.uptime = { [weak self] in self?.uptime ?? Instant(nanoseconds: 0) }
        surroundings.random = { 0 }
        surroundings.after = { [weak self] delay, body in
            guard let self else { return {} }
            timerCount += 1
            let number = timerCount
            timers[number] = (uptime + delay, body)
            return { [weak self] in self?.timers[number] = nil }
        }
        return surroundings
    }

    /// Lets time pass; timers fire in their order.
    func pass(_ duration: Duration) {
        let end = uptime + duration
        while let next = timers.filter({ $0.value.at <= end }).min(by: { $0.value.at < $1.value.at }
        ) {
            timers[next.key] = nil
            uptime = max(uptime, next.value.at)
            next.value.body()
        }
        uptime = end
    }

    func provider(
        _ settings: CredentialSettings, _ change: (inout ConnectorSettings) -> Void = { _ in }
    ) -> RefreshingCredentials {
        var connector = ConnectorSettings(
            name: ConnectorName("orders")!, bucket: "b", integrationID: "i")
        connector.credentials = settings
        change(&connector)
        return .make(for: connector, surroundings) { [weak self] in self?.events.append($0) }
    }

    func provider(from source: any CredentialSource) -> RefreshingCredentials {
        RefreshingCredentials(
            source, isFixed: false, watch: nil, surroundings: surroundings,
            tell: { [weak self] in self?.events.append($0) })
    }

    /// Waits for what others do: the kernel, a server, a queue.
    func until(_ condition: () -> Bool) async {
        let deadline = DispatchTime.now() + .seconds(20)
        while !condition(), .now() < deadline {
            await withCheckedContinuation { continuation in
                DispatchQueue.main.asyncAfter(deadline: .now() + .milliseconds(2)) {
                    continuation.resume()
                }
            }
        }
        #expect(condition(), "it did not come about")
    }

    /// Whether a timer would fire within that time.
    func hasTimer(within duration: Duration) -> Bool {
        timers.values.contains { $0.at <= uptime + duration }
    }

    func get(
        _ provider: any CredentialsProvider
    ) async -> Result<Credentials, CredentialsUnavailable> {
        await withCheckedContinuation { continuation in
            provider.credentials { continuation.resume(returning: $0) }
        }
    }
}

/// Runs a test in surroundings of its own.
func withBench(_ body: (Bench) async throws -> Void) async throws {
    let bench = Bench()
    defer { bench.transport.shutDown() }
    try await body(bench)
}

/// The text of a misconfiguration; nil for anything else.
func misconfiguration(_ result: Result<Credentials, CredentialsUnavailable>) -> String? {
    if case .failure(.misconfigured(let text)) = result { text } else { nil }
}
