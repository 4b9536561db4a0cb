internal import Digest

/// The answer to a request: any status, with as much of the body as is kept.
public nonisolated struct HTTPResponse: Sendable {
    /// The most of a body that is kept, in bytes; S3's error documents are below 2 KiB.
    public static let keptBody = 64 << 10
    /// Past this much of an answer's body the connection is closed; the answer counts as complete.
    public static let longestBody = 1 << 20
    /// Past this much of heads (interim ones too) the transfer fails.
    public static let longestHead = 256 << 10

    public var status: Int
    /// Fields of the last head, in the order of arrival, names as sent.
    public var headers: [HeaderField] = []
    /// At most `keptBody` bytes; empty where a sink took them.
    public var body: [UInt8] = []
    /// Whether `body` is only the beginning.
    public var isTruncated = false
    /// libcurl had sent the whole request once before, on a connection that was then closed without an answer.
    public var followsLostAnswer = false

    /// The value of the first field of that name, whatever its case.
    public func header(_ name: String) -> String? {
        let name = name.lowercased()
        return headers.first { $0.name.lowercased() == name }?.value.plainText
    }
}

/// Why there is no answer.
public nonisolated struct TransferFailure: Error, Sendable {
    public enum Cause: Sendable, Equatable {
        /// libcurl's `CURLcode`.
        case curl(Int32)
        /// No answer within `answerTimeout` after the whole request was handed over.
        case answerTimeout
        /// The request's body could not be read; nothing is wrong with the network.
        case body
        /// The request cannot be sent by anybody: a URL or header that is not well-formed.
        case request
        /// `Transfer.cancel`, or the transport was shut down.
        case cancelled
    }

    /// How much of the request may have reached the server.
    public enum Sent: Sendable, Equatable {
        /// Not a byte: there was no connection.
        case nothing
        /// Not all of the body: the server cannot have carried it out.
        case part
        /// Perhaps all of it: the server may have carried it out.
        case perhapsAll
    }

    public var cause: Cause
    /// What happened, for people; it never contains credentials.
    public var text: String
    public var sent: Sent
    /// The status that the proxy gave to CONNECT, where it was not 2xx.
    public var proxyStatus: Int?
}

/// How a transfer ended.
public typealias TransferOutcome = Result<HTTPResponse, TransferFailure>
