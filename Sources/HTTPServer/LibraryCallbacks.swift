internal import CMicrohttpd

/// What the library hands to a callback.
///
/// Unchecked: the library runs only inside `LocalServer.run` and `stop`, so its callbacks, and these pointers,
/// never leave the main thread.
nonisolated private struct Callback: @unchecked Sendable {
    let server: UnsafeMutableRawPointer
    /// Where the library keeps the request's `Conversation`; nil before its header was seen.
    let context: UnsafeMutablePointer<UnsafeMutableRawPointer?>

    @MainActor var owner: LocalServer {
        Unmanaged<LocalServer>.fromOpaque(server).takeUnretainedValue()
    }

    @MainActor var conversation: Conversation? {
        context.pointee.map { Unmanaged<Conversation>.fromOpaque($0).takeUnretainedValue() }
    }
}

/// What the library says about a request.
///
/// Unchecked for the reason given at `Callback`.
nonisolated private struct News: @unchecked Sendable {
    let connection: OpaquePointer
    let path: UnsafePointer<CChar>
    let method: UnsafePointer<CChar>
    /// A part of the body, or nothing when the request is complete; zero says that it was taken.
    let part: UnsafePointer<CChar>?
    let partSize: UnsafeMutablePointer<Int>
}

/// Unchecked for the reason given at `Callback`.
nonisolated private struct ConnectionNews: @unchecked Sendable {
    let connection: OpaquePointer
}

/// A header has come, a part of a body, or the end of the request.
nonisolated func libraryHasNews(
    server: UnsafeMutableRawPointer?, connection: OpaquePointer?, path: UnsafePointer<CChar>?,
    method: UnsafePointer<CChar>?, version: UnsafePointer<CChar>?, part: UnsafePointer<CChar>?,
    partSize: UnsafeMutablePointer<Int>?, context: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> MHD_Result {
    guard let server, let connection, let path, let method, let partSize, let context else {
        return .NO
    }
    let callback = Callback(server: server, context: context)
    let news = News(
        connection: connection, path: path, method: method, part: part, partSize: partSize)
    return MainActor.assumeIsolated {
        guard let conversation = callback.conversation else {
            return callback.owner.begin(
                news.connection, method: String(cString: news.method),
                path: String(cString: news.path), context: callback.context)
        }
        let bytes = UnsafeRawBufferPointer(start: news.part, count: news.partSize.pointee)
        defer { news.partSize.pointee = 0 }
        return callback.owner.go(on: conversation, news.connection, part: bytes)
    }
}

/// A request is over, well or badly.
nonisolated func libraryIsDone(
    server: UnsafeMutableRawPointer?, connection: OpaquePointer?,
    context: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, why: MHD_RequestTerminationCode
) {
    guard let server, let connection, let context else { return }
    let callback = Callback(server: server, context: context)
    let ended = ConnectionNews(connection: connection)
    MainActor.assumeIsolated {
        guard let conversation = callback.conversation else { return }
        callback.owner.end(conversation, ended.connection)
        callback.context.pointee = nil
    }
}

/// A client has come, or its connection is closed.
nonisolated func libraryCountsConnections(
    server: UnsafeMutableRawPointer?, connection: OpaquePointer?,
    context: UnsafeMutablePointer<UnsafeMutableRawPointer?>?,
    what: MHD_ConnectionNotificationCode
) {
    guard let server, let connection, let context else { return }
    let callback = Callback(server: server, context: context)
    let news = ConnectionNews(connection: connection)
    let isNew = what == .CONNECTION_NOTIFY_STARTED
    MainActor.assumeIsolated {
        isNew ? callback.owner.opened(news.connection) : callback.owner.closed(news.connection)
    }
}
