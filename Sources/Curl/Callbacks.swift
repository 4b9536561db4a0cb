internal import CCurl
internal import Glibc

/// What libcurl calls, from inside of the calls that the transport makes.
///
/// All of them run on the main thread, for the transport calls libcurl from there only. None of them
/// calls libcurl: they note what is wanted, and the transport does it afterwards.
nonisolated enum Callbacks {
    static let read: sluice_data_callback = { bytes, size, count, user in
        onBytes(bytes, size * count, user) { $0.read(into: $1) }
    }

    static let write: sluice_data_callback = { bytes, size, count, user in
        onBytes(bytes, size * count, user) { transfer, buffer in
            // The answer may be a session, and libcurl keeps its buffer for the next one.
            defer { if let bytes = buffer.baseAddress { explicit_bzero(bytes, buffer.count) } }
            return transfer.take(UnsafeRawBufferPointer(buffer))
        }
    }

    static let header: sluice_data_callback = { bytes, size, count, user in
        onBytes(bytes, size * count, user) { $0.takeHead(UnsafeRawBufferPointer($1)) }
    }

    static let seek: sluice_seek_callback = { user, offset, _ in
        on(Transfer.self, user) { $0.rewind(to: Int64(offset)) }
        return CURL_SEEKFUNC_OK
    }

    static let beforeRequest: sluice_before_request_callback = { user, _, _, _, _ in
        on(Transfer.self, user) { $0.requestBegins() }
        return CURL_PREREQFUNC_OK
    }

    static let socket: sluice_socket_callback = { _, descriptor, what, user, _ in
        on(Transport.self, user) { $0.watch(descriptor, what) }
        return 0
    }

    static let timer: sluice_timer_callback = { _, milliseconds, user in
        on(Transport.self, user) { $0.wake(afterMilliseconds: milliseconds) }
        return 0
    }

    /// Calls a transfer with the buffer that libcurl lends it for the duration of the call.
    private static func onBytes(
        _ bytes: UnsafeMutablePointer<CChar>?, _ count: Int, _ user: UnsafeMutableRawPointer?,
        _ body: @MainActor (Transfer, UnsafeMutableRawBufferPointer) -> Int
    ) -> Int {
        // Used on this thread only, before this call returns.
        nonisolated(unsafe) let buffer = UnsafeMutableRawBufferPointer(start: bytes, count: count)
        return on(Transfer.self, user) { body($0, buffer) }
    }

    /// Calls the object that was given to libcurl along with the callback.
    private static func on<Owner: AnyObject, Result: Sendable>(
        _ type: Owner.Type, _ user: UnsafeMutableRawPointer?, _ body: @MainActor (Owner) -> Result
    ) -> Result {
        guard let user else { preconditionFailure("libcurl lost the owner of a callback") }
        // The pointer is used on this thread only, and this is the main thread: assumeIsolated checks it.
        nonisolated(unsafe) let pointer = user
        return MainActor.assumeIsolated {
            // The transport keeps each transfer until it is removed from libcurl, and itself until shutdown.
            body(Unmanaged<Owner>.fromOpaque(pointer).takeUnretainedValue())
        }
    }
}
