/// Which file it is: two that are equal in all of this are one file, whatever its name is.
public struct FilePlace: Sendable, Equatable {
    /// The file system that it lies on.
    public var device: UInt64
    public var inode: UInt64
    /// Nanoseconds since 1970 at which it was made; nil where the file system does not keep that.
    public var born: Int64?

    public init(device: UInt64, inode: UInt64, born: Int64?) {
        self.device = device
        self.inode = inode
        self.born = born
    }
}
