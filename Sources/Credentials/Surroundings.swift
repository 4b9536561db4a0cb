public import Curl
public import Delivery
public import Dispatch
internal import Files
internal import Glibc
public import Model

/// What sources of credentials need of the process, and the seam at which tests are its clock.
public struct CredentialSurroundings {
    /// Calls a closure after a while, on the main actor, unless what it returns is called before.
    public typealias Schedule = (Duration, @escaping () -> Void) -> () -> Void

    public var transport: Transport
    /// Where files are read and programs waited for; it may be shared.
    public var queue: DispatchQueue
    public var environment: (String) -> String?
    /// The wall clock: requests are signed with it.
    public var now: () -> Timestamp
    /// A clock that goes on while the machine sleeps and is never set: lifetimes are measured on it.
    public var uptime: () -> Instant
    public var after: Schedule
    /// Evenly distributed over 0..<1.
    public var random: () -> Double

    public init(transport: Transport, queue: DispatchQueue) {
        self.transport = transport
        self.queue = queue
        environment = { name in getenv(name).map { String(cString: $0) } }
        now = { Timestamp(unixSeconds: Int64(time(nil))) }
        uptime = { Instant(nanoseconds: 0) + BootClock.now() }
        after = Self.timer
        random = { Double.random(in: 0..<1) }
    }

    private static func timer(_ delay: Duration, _ body: @escaping () -> Void) -> () -> Void {
        let timer = DispatchSource.makeTimerSource(queue: .main)
        timer.setEventHandler {
            timer.cancel()
            body()
        }
        timer.schedule(
            deadline: .now() + .milliseconds(Int(max(.zero, delay).milliseconds)),
            leeway: .milliseconds(100))
        timer.activate()
        return { timer.cancel() }
    }

    /// A variable that is set to something.
    func variable(_ name: String) -> String? {
        environment(name).flatMap { $0.isEmpty ? nil : $0 }
    }
}
