/// The media type of a file, told by the end of its name.
///
/// Source: IANA's registry of media types; for what has none there, what its makers say.
public enum ContentType {
    /// What nothing is known of.
    public static let unknown = "application/octet-stream"

    public static func of(_ fileName: String) -> String {
        let bytes = fileName.utf8
        guard let dot = bytes.lastIndex(of: UInt8(ascii: ".")), dot != bytes.startIndex else {
            return unknown
        }
        return types[fileName[bytes.index(after: dot)...].lowercased()] ?? unknown
    }

    private static let types: [String: String] = [
        "7z": "application/x-7z-compressed", "arrow": "application/vnd.apache.arrow.file",
        "avro": "application/avro", "bmp": "image/bmp", "bz2": "application/x-bzip2",
        "css": "text/css", "csv": "text/csv", "doc": "application/msword",
        "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "eml": "message/rfc822", "epub": "application/epub+zip",
        "geojson": "application/geo+json", "gif": "image/gif", "gz": "application/gzip",
        "htm": "text/html", "html": "text/html", "ics": "text/calendar", "jpeg": "image/jpeg",
        "jpg": "image/jpeg", "js": "text/javascript", "json": "application/json",
        "jsonl": "application/x-ndjson", "log": "text/plain", "md": "text/markdown",
        "mp3": "audio/mpeg", "mp4": "video/mp4", "ndjson": "application/x-ndjson",
        "ods": "application/vnd.oasis.opendocument.spreadsheet",
        "odt": "application/vnd.oasis.opendocument.text", "orc": "application/vnd.apache.orc",
        "parquet": "application/vnd.apache.parquet", "pdf": "application/pdf",
        "png": "image/png", "ppt": "application/vnd.ms-powerpoint",
        "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "rtf": "application/rtf", "sql": "application/sql", "sqlite": "application/vnd.sqlite3",
        "svg": "image/svg+xml", "tar": "application/x-tar", "tgz": "application/gzip",
        "tif": "image/tiff", "tiff": "image/tiff", "toml": "application/toml",
        "tsv": "text/tab-separated-values", "txt": "text/plain", "vcf": "text/vcard",
        "wav": "audio/vnd.wave", "webp": "image/webp", "xls": "application/vnd.ms-excel",
        "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "xml": "application/xml", "xz": "application/x-xz", "yaml": "application/yaml",
        "yml": "application/yaml", "zip": "application/zip", "zst": "application/zstd",
    ]
}
