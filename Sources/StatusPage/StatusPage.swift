internal import CStatusPage

/// The page for people that the daemon serves at `/`: what is well, what is not, and what to do.
///
/// It is one HTML document with its style and its script in it, and asks for nothing but `/status` and
/// `/history` of the server that it came from. Its parts lie in `Sources/CStatusPage/page`.
public enum StatusPage {
    /// The document, in UTF-8.
    public static let html = [UInt8](
        // The array in C is constant and as long as the process, and its size comes from the same file.
        UnsafeBufferPointer(start: status_page_bytes(), count: status_page_size()))
}
