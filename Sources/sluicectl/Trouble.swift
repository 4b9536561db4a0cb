import Model

/// One thing that people should know of, and what to do about it.
struct Trouble: Equatable {
    /// Whom it is about: a connector, the intake, the quarantine.
    var subject: String
    var text: String
    /// False for what waits for a person and keeps nothing from being delivered.
    var isFailing = true
}

extension DaemonStatus {
    /// All troubles; with a name, those of this connector and of the spool.
    func troubles(of name: String? = nil) -> [Trouble] {
        var troubles: [Trouble] = []
        if intake == "waiting" || intake == "failed" {
            let fate = intake == "failed" ? "event files cannot be accepted" : "event files wait"
            troubles.append(
                Trouble(
                    subject: "intake",
                    text: intakeDetail ?? "\(fate); the journal says why: journalctl -u sluiced"))
        }
        for connector in connectors where name == nil || name == connector.name {
            troubles += connector.troubles(at: now)
        }
        for orphan in orphans where name == nil || name == orphan.name {
            let objects = Findings.count(orphan.held.objects, "object")
            let events = Findings.count(orphan.held.events, "event")
            troubles.append(
                Trouble(
                    subject: orphan.name,
                    text: "\(objects) with \(events) wait for a connector that left the "
                        + "configuration; put connectors.d/\(orphan.name).toml back to deliver them",
                    isFailing: false))
        }
        if quarantined > 0, name == nil {
            let number = quarantined == 1 ? "1 file was" : "\(grouped(quarantined)) files were"
            troubles.append(
                Trouble(
                    subject: "quarantine",
                    text: "\(number) refused, whole or in part; sluicectl quarantine list says "
                        + "why, then retry or discard them",
                    isFailing: false))
        }
        return troubles
    }
}

extension DaemonStatus.Connector {
    func troubles(at now: Timestamp) -> [Trouble] {
        var troubles = health(at: now)
        for episode in episodes where episode.atRisk.events > 0 {
            troubles.append(Trouble(subject: name, text: episode.text(at: now)))
        }
        if filesWait {
            troubles.append(
                Trouble(
                    subject: name,
                    text:
                        "it holds \(ByteCount(UInt64(held.bytes))), as much as its max_held: files in "
                        + "incoming/\(name)/ wait until it has delivered some"))
        }
        if atFault > 0 {
            let batches = atFault == 1 ? "1 batch is" : "\(grouped(atFault)) batches are"
            let why = faultDetail.map { ": \(withoutSubject($0))" } ?? "; see journalctl -u sluiced"
            troubles.append(Trouble(subject: name, text: "\(batches) held\(why)"))
        }
        return troubles + losses
    }

    private func health(at now: Timestamp) -> [Trouble] {
        let time = since.map { " for \(age(of: $0, at: now))" } ?? ""
        switch state {
        case .delivering:
            guard !deniedTypes.isEmpty else { return [] }
            return [
                Trouble(
                    subject: name,
                    text: "S3 denies events of type \(deniedTypes.joined(separator: ", ")), which "
                        + "wait; allow s3:PutObject for them in the policy of the user or role and "
                        + "in the bucket's")
            ]
        case .unverified:
            return [
                Trouble(
                    subject: name,
                    text: "never verified: nothing was ever delivered with these credentials; "
                        + "sluicectl test \(name) tries each step", isFailing: false)
            ]
        case .paused:
            return [
                Trouble(
                    subject: name,
                    text: "paused; nothing is sent or dropped until sluicectl resume \(name)",
                    isFailing: false)
            ]
        case .backingOff, .credentialsFailing, .misconfigured, .other:
            let why = detail.map(withoutSubject) ?? "the journal says why: journalctl -u sluiced"
            // The sentence names one event type only.
            let types =
                deniedTypes.count > 1
                ? "; denied are events of type \(deniedTypes.joined(separator: ", "))" : ""
            return [Trouble(subject: name, text: "\(state.words)\(time): \(why)\(types)")]
        }
    }

    /// What was given up since the spool was made.
    private var losses: [Trouble] {
        var troubles: [Trouble] = []
        if dropped.events > 0 {
            troubles.append(
                Trouble(
                    subject: name,
                    text:
                        "\(Findings.count(dropped.events, dropped.noun)) dropped since the spool was "
                        + "made; the journal tells each: journalctl -u sluiced -p crit",
                    isFailing: false))
        }
        if inArchive.objects > 0 {
            troubles.append(
                Trouble(
                    subject: name,
                    text: "\(Findings.count(inArchive.events, inArchive.noun)) in the archive; "
                        + "sluicectl archive list \(name), then retry or discard them",
                    isFailing: false))
        }
        return troubles
    }

    /// The daemon's sentences name the connector themselves.
    private func withoutSubject(_ sentence: String) -> String {
        let subject = "connector \(name): "
        return sentence.hasPrefix(subject) ? String(sentence.dropFirst(subject.count)) : sentence
    }
}

extension DaemonStatus.Episode {
    /// What is at risk, and until when.
    fileprivate func text(at now: Timestamp) -> String {
        let events = Findings.count(atRisk.events, atRisk.noun)
        let scope = eventType.map { " of type \($0)" } ?? ""
        let verb = isArchiving ? "archived" : "dropped"
        var text = "\(events)\(scope) (\(ByteCount(UInt64(atRisk.bytes)))) at risk"
        if clockStands {
            text += "; the clock of the window stands, so none is \(verb) now"
        } else if let firstDrop {
            text +=
                firstDrop > now
                ? "; the first are \(verb) in \(age(of: now, at: firstDrop)), at \(firstDrop.extended), "
                    + "unless the credentials work before"
                : "; the first are \(verb) with the next rejected attempt"
        }
        return text
    }
}

/// How long ago, in the largest unit of which it has two: `119s`, `5m`, `47h`, `12d`.
func age(of time: Timestamp, at now: Timestamp) -> String {
    span(max(0, now.unixSeconds - time.unixSeconds))
}

/// A number of seconds, as `age` writes it.
func span(_ seconds: Int64) -> String {
    for (unit, length) in [("d", Int64(86_400)), ("h", 3600), ("m", 60)]
    where seconds >= 2 * length {
        return "\(seconds / length)\(unit)"
    }
    return "\(seconds)s"
}
