import Glibc
import Systemd
import Testing

/// What the service manager and we tell each other.
///
/// All of it depends on the environment, which a process has once; so each test has a process of its own.
@Suite struct ManagerTests {
    @Test("Without a manager nothing is sent")
    func noManager() async {
        await #expect(processExitsWith: .success) {
            unsetenv("NOTIFY_SOCKET")
            #expect(Notify.send(.ready) == .noManager)
        }
    }

    @Test("The manager gets the messages in one datagram, as sd_notify(3) spells them")
    func messages() async {
        await #expect(processExitsWith: .success) {
            let manager = try #require(FakeManager())
            #expect(Notify.send(.ready, .status("2 connectors\nREADY=0")) == .sent)
            #expect(manager.receive() == "READY=1\nSTATUS=2 connectors\\nREADY=0")
            #expect(Notify.send(.watchdog) == .sent)
            #expect(manager.receive() == "WATCHDOG=1")
            #expect(Notify.send(.stopping, .extendTimeout(.milliseconds(2_500))) == .sent)
            #expect(manager.receive() == "STOPPING=1\nEXTEND_TIMEOUT_USEC=2500000")
        }
    }

    @Test("A reload carries the monotonic time at which it began")
    func reloading() async {
        await #expect(processExitsWith: .success) {
            let manager = try #require(FakeManager())
            var before = timespec()
            clock_gettime(CLOCK_MONOTONIC, &before)
            #expect(Notify.send(.reloading) == .sent)
            let lines = manager.receive().split(separator: "\n")
            #expect(lines.first == "RELOADING=1" && lines.count == 2)
            let stamp = try #require(lines.last?.split(separator: "="))
            #expect(stamp.first == "MONOTONIC_USEC")
            let microseconds = try #require(stamp.last.flatMap { Int64($0) })
            let start = Int64(before.tv_sec) * 1_000_000 + Int64(before.tv_nsec) / 1_000
            #expect((start...start + 60_000_000).contains(microseconds))
        }
    }

    @Test("A manager that does not listen is an error, not a crash")
    func deafManager() async {
        await #expect(processExitsWith: .success) {
            setenv("NOTIFY_SOCKET", "/nonexistent/notify", 1)
            #expect(Notify.send(.ready) == .failed(ENOENT))
        }
    }

    @Test("The watchdog is petted at half its time, if it watches this process")
    func watchdog() async {
        await #expect(processExitsWith: .success) {
            unsetenv("WATCHDOG_USEC")
            #expect(Watchdog.interval == nil)
            setenv("WATCHDOG_USEC", "30000000", 1)
            setenv("WATCHDOG_PID", String(getpid()), 1)
            #expect(Watchdog.interval == .seconds(15))
            setenv("WATCHDOG_PID", String(getpid() + 1), 1)
            #expect(Watchdog.interval == nil)
        }
    }
}

/// A datagram socket in the abstract name space, where the environment tells `Notify` to send.
private nonisolated struct FakeManager {
    private let descriptor: Int32

    init?() {
        let name = "sluice-test-\(getpid())"
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { room in
            for (index, byte) in name.utf8.enumerated() { room[index + 1] = byte }
        }
        let size = MemoryLayout<sa_family_t>.size + 1 + name.utf8.count
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        let bound = withUnsafePointer(to: &address) { pointer in
            // A sockaddr_un starts as a sockaddr, and bind reads no more than the length given.
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(size))
            }
        }
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(
            descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        guard bound == 0, setenv("NOTIFY_SOCKET", "@\(name)", 1) == 0 else { return nil }
    }

    /// One datagram; empty if none comes.
    func receive() -> String {
        var bytes = [UInt8](repeating: 0, count: 4_096)
        let count = recv(descriptor, &bytes, bytes.count, 0)
        return String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
    }
}
