import Model

/// How many events were delivered in each of the last minutes: by the daemon's history, where it has one, and by
/// the sums in one status after another.
struct Throughput {
    /// What was seen of a minute.
    private struct Minute {
        var events = 0
        var seconds = 0
    }

    /// As long as the daemon's history.
    private static let most = 360
    /// A minute that was seen for so long needs no history.
    private static let enough = 45

    /// By their numbers since 1970, on the daemon's clock.
    private var minutes: [Int64: Minute] = [:]
    private var last: (time: Timestamp, process: Process, delivered: [String: Int])?

    /// One life of the daemon: its sums begin anew in the next.
    private struct Process: Equatable {
        var pid: Int?
        var started: Timestamp?
    }

    /// Takes the answer to `GET /history`; one that is none changes nothing.
    mutating func seed(_ history: JSONText) {
        guard let end = history["end"]?.time, history["interval_seconds"]?.integer == 60,
            let samples = history["samples"]?["delivered_events"]?.elements
        else { return }
        for (index, sample) in samples.reversed().prefix(Self.most).enumerated() {
            guard let events = sample.integer, events >= 0 else { continue }
            // A sample is of the minute before it; most of that is in the minute of its middle.
            let number = Self.number(end.unixSeconds - 30 - 60 * Int64(index))
            if (minutes[number]?.seconds ?? 0) < Self.enough {
                minutes[number] = Minute(events: events, seconds: 60)
            }
        }
    }

    /// Takes what was delivered since the status before.
    mutating func note(_ status: DaemonStatus) {
        let process = Process(pid: status.pid, started: status.started)
        var delivered: [String: Int] = [:]
        for connector in status.connectors {
            delivered[connector.name] = connector.delivered.events
        }
        defer { last = (status.now, process, delivered) }
        guard let last, last.time < status.now else { return }
        let isSame = last.process == process
        let events = delivered.reduce(0) { sum, entry in
            sum + max(0, entry.value - (isSame ? last.delivered[entry.key] ?? 0 : 0))
        }
        spread(events, from: last.time.unixSeconds, to: status.now.unixSeconds)
        let oldest = Self.number(status.now.unixSeconds) - Int64(Self.most)
        minutes = minutes.filter { $0.key >= oldest }
    }

    /// Each minute gets the part that its seconds are of all; nothing is lost by rounding.
    private mutating func spread(_ events: Int, from: Int64, to: Int64) {
        // A clock that was set, or a long silence: nobody knows when it was.
        guard to - from <= 60 * Int64(Self.most) else { return }
        var (at, left) = (from, events)
        while at < to {
            let number = Self.number(at)
            let next = min(to, (number + 1) * 60)
            let part = Int(Double(left) * Double(next - at) / Double(to - at))
            minutes[number, default: Minute()].events += part
            minutes[number, default: Minute()].seconds += Int(next - at)
            left -= part
            at = next
        }
    }

    /// Events in a second of each of the last minutes, that of `now` last; nil of which nothing is known.
    func rates(_ count: Int, now: Timestamp) -> [Int?] {
        let current = Self.number(now.unixSeconds)
        return (0..<max(0, count)).reversed().map { back in
            guard let minute = minutes[current - Int64(back)], minute.seconds > 0 else {
                return nil
            }
            // As the daemon's rate: what is little is not nothing.
            return (minute.events + minute.seconds - 1) / minute.seconds
        }
    }

    private static func number(_ seconds: Int64) -> Int64 {
        seconds >= 0 ? seconds / 60 : (seconds - 59) / 60
    }
}
