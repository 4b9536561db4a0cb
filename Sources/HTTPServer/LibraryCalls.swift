internal import CMicrohttpd

/// The HTTP library's calls, with Swift's types.
enum LibraryCalls {
    static func query(of connection: OpaquePointer) -> [String: String] {
        var query: [String: String] = [:]
        withUnsafeMutablePointer(to: &query) { found in
            // The library calls back before it returns, so the pointer is valid whenever it is used.
            _ = MHD_get_connection_values(
                connection, .GET_ARGUMENT_KIND,
                { context, _, rawName, value in
                    guard let rawName, let context else { return .YES }
                    let found = context.assumingMemoryBound(to: [String: String].self)
                    let name = String(cString: rawName)
                    if found.pointee[name] == nil {
                        found.pointee[name] = value.map { String(cString: $0) } ?? ""
                    }
                    return .YES
                }, found)
        }
        return query
    }

    /// nil where there is no such header.
    static func header(_ name: String, of connection: OpaquePointer) -> String? {
        MHD_lookup_connection_value(connection, .HEADER_KIND, name).map { String(cString: $0) }
    }

    /// Hands the answer to the library, which copies it.
    static func queue(_ response: HTTPResponse, on connection: OpaquePointer) -> MHD_Result {
        var body = response.body
        let made = body.withUnsafeMutableBytes { bytes in
            MHD_create_response_from_buffer(bytes.count, bytes.baseAddress, .RESPMEM_MUST_COPY)
        }
        // It is out of memory; the library closes the connection.
        guard let made else { return .NO }
        defer { MHD_destroy_response(made) }
        MHD_add_response_header(made, "Content-Type", response.contentType)
        MHD_add_response_header(made, "Cache-Control", "no-store")
        MHD_add_response_header(made, "X-Content-Type-Options", "nosniff")
        MHD_add_response_header(made, "Referrer-Policy", "no-referrer")
        for header in response.headers {
            MHD_add_response_header(made, header.name, header.value)
        }
        if response.status == 405 { MHD_add_response_header(made, "Allow", "GET, POST") }
        return MHD_queue_response(connection, UInt32(response.status), made)
    }
}
