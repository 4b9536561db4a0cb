internal import Model

/// What is read of the XML documents that S3 answers with, and of the errors of STS.
///
/// Error documents are `<Error><Code>…</Code>…</Error>`; STS and some stores wrap them once more. The
/// others are `<LocationConstraint>`, and what an upload in parts begins and ends with,
/// `<InitiateMultipartUploadResult>` and `<CompleteMultipartUploadResult>`. Anything else, such as a portal's page,
/// gives nil.
///
/// Source: "Error responses", GetBucketLocation, CreateMultipartUpload and CompleteMultipartUpload, Amazon S3 API Reference.
public struct ResponseDocument: Sendable, Equatable {
    public var code: String?
    public var message: String?
    public var region: String?
    public var requestID: String?
    /// Which header S3 does not implement.
    public var header: String?
    /// Set by a location document: the region, by its name of today.
    public var location: String?
    /// `<UploadId>`: names an upload in parts.
    public var uploadID: String?
    /// `<ETag>` of an object that was made of its parts, as it stands there.
    public var entityTag: String?
    /// A completion came to its end.
    public var isCompletion = false

    /// What a person reads of a message; S3's are far shorter.
    static let longestMessage = 512
}

extension ResponseDocument {
    /// Reads a document; nil where it is none of S3's.
    public init?(_ bytes: [UInt8]) {
        var reader = XMLReader(bytes)
        var path: [String] = []
        var text = ""
        var isRead = false
        while let event = reader.next() {
            switch event {
            case .start(let name):
                path.append(name)
                text = ""
                guard path.count > 1 || Self.roots.contains(name) else { return nil }
            case .text(let piece):
                text += String(decoding: piece, as: UTF8.self)
            case .decoded(let piece):
                text += piece
            case .end(let name):
                isRead = take(name, in: path.dropLast(), text) || isRead
                path.removeLast()
                text = ""
            }
        }
        guard isRead else { return nil }
    }

    private static let creation = "InitiateMultipartUploadResult"
    /// As S3 calls it, and as some stores do.
    private static let completions: Set<String> = [
        "CompleteMultipartUploadResult", "CompleteMultipartUploadResponse",
    ]
    private static let roots = completions.union([
        "Error", "ErrorResponse", "LocationConstraint", creation,
    ])

    /// Keeps the text of one element, the first of its name; true where it is one that counts.
    private mutating func take(
        _ name: String, in parents: ArraySlice<String>, _ text: String
    ) -> Bool {
        if name == "LocationConstraint", parents.isEmpty {
            location = Self.currentName(of: text)
            return location != nil
        }
        if Self.completions.contains(name), parents.isEmpty {
            isCompletion = true
            return true
        }
        guard parents.last == "Error" else {
            switch (parents.last, name) {
            case (Self.creation, "UploadId"):
                uploadID = uploadID ?? Self.uploadID(text)
                return uploadID != nil
            case (let parent?, "ETag") where Self.completions.contains(parent):
                entityTag = entityTag ?? Self.entityTag(text)
            default: break
            }
            let isWrapped = name == "RequestId" && parents.last == "ErrorResponse"
            if isWrapped { requestID = requestID ?? Self.requestID(text) }
            return false
        }
        switch name {
        case "Code":
            guard code == nil, Self.isCode(text) else { return false }
            code = text
            return true
        case "Message": message = message ?? Self.readable(text)
        case "Region": region = region ?? text
        case "RequestId": requestID = requestID ?? Self.requestID(text)
        case "Header": header = header ?? text
        default: break
        }
        return false
    }

    /// A request ID, from a document or a header, if it looks like one: it is repeated to people.
    public static func requestID(_ text: String?) -> String? {
        guard let text, (1...128).contains(text.utf8.count),
            text.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else { return nil }
        return text
    }

    /// The name of an upload, if a query can hold it; S3's have some hundred characters.
    private static func uploadID(_ text: String) -> String? {
        (1...2048).contains(text.utf8.count)
            && text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) ? text : nil
    }

    /// An ETag, from a document or a header, if it can be sent back as it is.
    public static func entityTag(_ text: String?) -> String? {
        guard let text, (1...1024).contains(text.utf8.count),
            text.utf8.allSatisfy({ (0x20...0x7E).contains($0) })
        else { return nil }
        return text
    }

    private static func isCode(_ text: String) -> Bool {
        (1...128).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte)
                    || (0x61...0x7A).contains(byte) || byte == 0x2E || byte == 0x2D || byte == 0x5F
            }
    }

    /// One line, without control characters, cut to its limit.
    private static func readable(_ text: String) -> String {
        let scalars = text.unicodeScalars.prefix(longestMessage).map { scalar in
            scalar.value < 0x20 || scalar.value == 0x7F ? " " : Character(scalar)
        }
        return String(scalars)
    }

    /// S3 says nothing for its first region, and `EU` for the second.
    private static func currentName(of location: String) -> String? {
        switch location {
        case "": "us-east-1"
        case "EU": "eu-west-1"
        default: Partition.isRegion(location) ? location : nil
        }
    }
}
