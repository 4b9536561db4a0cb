/// The event files that this process works on, by number, and how large they are on the disk in all.
///
/// The sum is kept as they come and go: it is told after every change, and there may be thousands of them.
struct ActiveFiles {
    typealias Entry = (file: EventFile, end: EventFileEnd?)

    private var entries: [UInt64: Entry] = [:]
    private(set) var bytes: UInt64 = 0

    var isEmpty: Bool { entries.isEmpty }
    var count: Int { entries.count }
    var keys: Dictionary<UInt64, Entry>.Keys { entries.keys }
    var values: Dictionary<UInt64, Entry>.Values { entries.values }

    subscript(number: UInt64) -> Entry? {
        get { entries[number] }
        set {
            bytes += newValue?.file.name.size ?? 0
            bytes -= entries[number]?.file.name.size ?? 0
            entries[number] = newValue
        }
    }
}
