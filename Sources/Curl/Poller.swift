internal import CCurl
internal import Dispatch
internal import Glibc

/// The sockets of libcurl in one private epoll descriptor, watched by one dispatch source.
///
/// The descriptor is readable while any of its sockets is ready, so the loop has one source however many
/// connections there are, and none of them wakes it while idle.
final class Poller {
    /// One socket that is ready, with what libcurl wants to know of it (`CURL_CSELECT_…`).
    struct Ready {
        var descriptor: Int32
        var events: Int32
    }

    private let descriptor: Int32
    private let source: any DispatchSourceRead
    /// How many sockets one turn of the loop handles; the rest keeps the descriptor readable.
    private static let turn = 64

    /// `onReady` is called on the main queue.
    init(onReady: @escaping ([Ready]) -> Void) {
        let descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
        precondition(descriptor >= 0, "epoll_create1: errno \(errno)")
        self.descriptor = descriptor
        source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: .main)
        source.setEventHandler { onReady(Self.ready(in: descriptor)) }
        source.setCancelHandler { close(descriptor) }
        source.activate()
    }

    func stop() {
        source.cancel()
    }

    /// Does what libcurl's socket callback asks for: `CURL_POLL_IN`, `_OUT`, `_INOUT`, `_REMOVE`.
    func watch(_ socket: Int32, _ what: Int32) {
        guard what != CURL_POLL_REMOVE else {
            // Fails where libcurl has closed the socket already, and it has left the set by that.
            _ = epoll_ctl(descriptor, EPOLL_CTL_DEL, socket, nil)
            return
        }
        var event = epoll_event()
        event.data.fd = socket
        if what & CURL_POLL_IN != 0 { event.events |= EPOLLIN.rawValue }
        if what & CURL_POLL_OUT != 0 { event.events |= EPOLLOUT.rawValue }
        if epoll_ctl(descriptor, EPOLL_CTL_MOD, socket, &event) == 0 { return }
        let added = errno == ENOENT && epoll_ctl(descriptor, EPOLL_CTL_ADD, socket, &event) == 0
        precondition(added, "epoll_ctl for socket \(socket): errno \(errno)")
    }

    private static func ready(in descriptor: Int32) -> [Ready] {
        var events = [epoll_event](repeating: epoll_event(), count: turn)
        let count = epoll_wait(descriptor, &events, Int32(turn), 0)
        guard count > 0 else { return [] }
        return events[..<Int(count)].map { event in
            var what: Int32 = 0
            let readable = EPOLLIN.rawValue | EPOLLHUP.rawValue
            if event.events & readable != 0 { what |= CURL_CSELECT_IN }
            if event.events & EPOLLOUT.rawValue != 0 { what |= CURL_CSELECT_OUT }
            if event.events & EPOLLERR.rawValue != 0 { what |= CURL_CSELECT_ERR }
            return Ready(descriptor: event.data.fd, events: what)
        }
    }
}
