import Glibc

/// `http(s)://host[:port]` and nothing after it: an endpoint, or a proxy.
struct HTTPOrigin: Equatable {
    /// Why a text is none, as the end of a sentence.
    struct Fault: Error, Equatable {
        var text: String
    }

    var isSecure: Bool
    /// As written; an IPv6 address without its brackets.
    var host: String
    var isAddress: Bool
    var port: Int?

    init(_ text: String) throws(Fault) {
        let lowered = text.lowercased()
        if lowered.hasPrefix("https://") {
            isSecure = true
        } else if lowered.hasPrefix("http://") {
            isSecure = false
        } else {
            throw Fault(text: "\(quoted(text)) must begin with https:// or http://")
        }
        var rest = text.dropFirst(isSecure ? 8 : 7)
        if rest.contains("@") {
            // Not repeated: what stands before the @ is a secret.
            throw Fault(text: "a user name or password in the address is not in this version")
        }
        if rest.contains(where: { "/?#".contains($0) }) {
            throw Fault(
                text: "\(quoted(text)) must end after the host and port: no slash, path or query")
        }

        if rest.first == "[" {
            guard let end = rest.firstIndex(of: "]") else {
                throw Fault(text: "\(quoted(text)) lacks the \"]\" after its IPv6 address")
            }
            host = String(rest[rest.index(after: rest.startIndex)..<end])
            isAddress = true
            rest = rest[rest.index(after: end)...]
            guard Self.ipv6(host) != nil else {
                throw Fault(text: "\(quoted(text)) has no valid IPv6 address in its brackets")
            }
        } else {
            host = String(rest.prefix { $0 != ":" })
            isAddress = Self.isIPv4(host)
            rest = rest.dropFirst(host.count)
            guard isAddress || Self.isHostName(host) else {
                throw Fault(text: "\(quoted(text)) has no valid host name")
            }
        }

        if rest.isEmpty { return }
        let digits = rest.dropFirst()
        guard rest.first == ":", digits.allSatisfy({ $0.isASCII && $0.isWholeNumber }),
            let number = Int(digits), (1...65_535).contains(number)
        else { throw Fault(text: "\(quoted(text)) has no valid port; it must be from 1 to 65535") }
        port = number
    }

    /// 127.0.0.0/8, ::1 and localhost: what never leaves this machine.
    var isLoopback: Bool {
        if host.lowercased() == "localhost" { return true }
        if Self.isIPv4(host) { return host.hasPrefix("127.") }
        return Self.ipv6(host) == [UInt8](repeating: 0, count: 15) + [1]
    }

    /// The same text for the same server: host in lower case, port written out.
    var canonical: String {
        let port = port ?? (isSecure ? 443 : 80)
        return (isSecure ? "https" : "http") + "://\(host.lowercased()):\(port)"
    }

    /// Four numbers, strictly: `127.1` and `0x7f.0.0.1` are none.
    static func isIPv4(_ text: String) -> Bool {
        var address = in_addr()
        return inet_pton(AF_INET, text, &address) == 1
    }

    private static func ipv6(_ text: String) -> [UInt8]? {
        var address = in6_addr()
        guard inet_pton(AF_INET6, text, &address) == 1 else { return nil }
        return withUnsafeBytes(of: address) { [UInt8]($0) }
    }

    /// Labels of letters, digits, hyphens and underscores; the last one no number, or it is a
    /// mistyped address.
    private static func isHostName(_ text: String) -> Bool {
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...253).contains(text.utf8.count), let last = labels.last,
            !last.utf8.allSatisfy({ (0x30...0x39).contains($0) })
        else { return false }
        return labels.allSatisfy { label in
            (1...63).contains(label.utf8.count)
                && label.utf8.allSatisfy { isLetterOrDigit($0) || $0 == 0x2D || $0 == 0x5F }
                && label.first != "-" && label.last != "-"
        }
    }
}
