import Model

/// The spool's limits, each with its reason and what happens past it.
public enum Limits {
    /// Contents of a block. Large enough that deflate loses under 3 % against one long stream; past it a new one begins.
    static let blockBytes = 256 << 10
    /// The first allocation of a block. Streams that get few events stay small; it doubles up to `blockBytes`.
    static let firstBlockBytes = 2 << 10
    /// Memory of all open blocks. Past it the fullest are packed early. Ten thousand streams have some 4 KiB each then, of
    /// which deflate makes little more than of large blocks; few streams never come near it.
    static let openBytes = 40 << 20
    /// Batches that are open: each has some memory beside its block. Past it the older half is sealed early.
    static let openBatches = 16_384
    /// Blocks that wait for a packer. Past it nobody reads on.
    static let waitingBlocks = 4
    /// What is read of an event file at once. It also bounds a line: a longer one is refused.
    static let chunkBytes = 1 << 20
    /// Compressed input read at once.
    static let compressedChunkBytes = 64 << 10
    /// Event files claimed and not yet read. Past it files wait in `incoming/`.
    static let unreadFiles = 4096
    /// Names in `incoming/` that were reported and left. Past it nothing more of the kind is reported.
    static let namesLeft = 100_000
    /// Event files read that wait for a batch to be sealed. Past it all open batches are sealed early.
    static let heldFiles = 8192
    /// Batches sealed with one pair of syncs. More wait for the next group.
    static let batchesPerGroup = 512
    /// Batches dropped, archived or brought back with one sync and one writing of the totals. More wait for the next group.
    static let transfersPerGroup = 512
    /// Envelopes that a worker reads at a start before it comes back for more.
    static let envelopesAtOnce = 1024
    /// Files claimed before other work of the storage lane gets its turn.
    static let filesPerRound = 512
    /// Event files that a remover takes off the disk at once, and how many do so. More wait.
    static let filesPerRemoval = 64
    public static let removalsAtOnce = 4
    /// What is read at once of a file that goes as it is.
    static let hashedAtOnce = 256 << 10
    /// Failures of the device on one event file before it is taken as far as it can be read.
    static let mediaFaults = 3
    /// Lines that are looked at before a file without a single event goes to quarantine whole.
    static let linesBeforeGivingUp = 100
    /// Refused lines of one file, with what is written about each. A few megabytes of gzip may hold gigabytes of them.
    /// Past it the file is kept whole beside them, and its further refused lines are only counted.
    static let rejectsBytes: UInt64 = 64 << 20
    /// What a file of reasons may hold: one sentence, and a name.
    static let reasonBytes = 64 << 10
    /// What is listed of the quarantine, and retried or discarded, before other work gets its turn. More follows.
    static let quarantinePerGroup = 512
    /// Bytes of refused lines that are read for that. Past it a group or a page has fewer items.
    static let quarantineBytesPerGroup: UInt64 = 64 << 20
    /// Different reasons that are told of one item, and bytes of each.
    static let reasonsPerItem = 5
    /// Different reasons that are counted of one item. Later ones are not.
    static let rejectReasonsCounted = 256
    static let reasonBytesShown = 400
    /// Refused lines that are shown of an item at once, and bytes of each.
    public static let linesShown = 100
    static let lineBytesShown = 4096
    /// Bytes of an item that are given out at once, at least those of one line.
    static let quarantineBytesGiven = 1 << 20
    /// Items of which is told why they stay. More are counted.
    static let itemsLeftTold = 20
    /// Names of event types that routing remembers. Past it they are looked up anew.
    static let rememberedTypes = 1 << 16
    /// Sequence numbers reserved at once: one sync for so many files. A restart skips the rest.
    static let sequenceBlock: UInt64 = 10_000
    /// Offsets reserved at once per connector and event type. A restart skips the rest.
    static let offsetBlock: UInt64 = 1_000_000
    /// Files and bytes of each that are kept for a full disk: room for the names and the small files of a group of
    /// settlements. Past it settling waits for somebody to make room.
    static let ballastFiles = 4
    static let ballastFileBytes: UInt64 = 512 << 10
    /// Parts of `minimum_free`, as divisors: how much of it connectors that deliver may fill while the disk is short, and
    /// what is left of it when nobody reads on, so that sealing and settling can end.
    static let sharedReserve: UInt64 = 4
    static let lastReserve: UInt64 = 4
    /// Free bytes with which a disk that was full is one like any other: some objects of the largest default size.
    static let enoughRoom: UInt64 = 256 << 20
    /// A connector that waits for its `max_held` goes on below so many eighths of it, so that it does not stop again at once.
    static let eighthsToGoOn: UInt64 = 7
    /// Event types of one connector whose offsets are kept. Past it all types go on above everything that was used, so
    /// that producers who make up types cannot make the file of offsets ever larger.
    static let offsetTypes = 20_000
    /// How long size and time of a file must stand still where no lease can tell whether it has writers.
    static let stillness = Duration.seconds(5)
    /// How long a file may keep a second name after it was claimed.
    static let unlinking = Duration.seconds(5)
    /// No clock is right that says it is earlier: 2026-11-01. An hour is for ever in a key, so intake waits.
    static let earliestTime = Timestamp(unixSeconds: 1_793_491_200)
    /// How far the clock may stand behind the newest hour in the spool before intake waits, in hours.
    static let hoursBehind = 24
    /// A spool file of ours that is larger than this is none of ours.
    static let stateBytes = 16 << 20
}
