/// Which file it is: two that are equal in all of this are one file, whatever its name is.
public struct FilePlace: Sendable, Equatable {
    /// The file system that it lies on.
    public var device: UInt64
    /// The mount by which it is reached: no rename goes from one to another, even of one file system; nil where the
    /// kernel (before Linux 5.8) does not say.
    public var mount: UInt64?
    public var inode: UInt64
    /// Nanoseconds since 1970 at which it was made; nil where the file system does not keep that.
    public var born: Int64?

    public init(device: UInt64, mount: UInt64? = nil, inode: UInt64, born: Int64?) {
        self.device = device
        self.mount = mount
        self.inode = inode
        self.born = born
    }
}
