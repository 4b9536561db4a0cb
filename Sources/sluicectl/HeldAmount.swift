import Model

extension DaemonStatus.Amount {
    /// Reads the sums that the daemon answers with; nil where they are none.
    init?(answer: ControlSocket.Answer) {
        guard let document = try? JSONReader.read(answer.body),
            document["objects"]?.integer != nil
        else { return nil }
        self.init(document)
    }

    static func + (left: Self, right: Self) -> Self {
        Self(
            objects: left.objects + right.objects, events: left.events + right.events,
            bytes: left.bytes + right.bytes, isOfFiles: left.isOfFiles && right.isOfFiles)
    }

    /// `3 objects with 1,234 events (5.6 MB)`, or `3 files (5.6 MB)`
    var text: String {
        let contents = Findings.count(events, noun)
        return (isOfFiles ? contents : "\(Findings.count(objects, "object")) with \(contents)")
            + " (\(ByteCount(UInt64(bytes))))"
    }
}

extension Refusal {
    static let unknownAnswer = Refusal(
        "the answer of sluiced is not what was asked for; do the versions fit together?")
}
