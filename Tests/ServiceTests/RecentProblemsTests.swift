import Testing

@testable import Systemd

/// The latest lines that tell of something wrong.
@Suite struct RecentProblemsTests {
    private func entry(_ kind: MessageKind, _ connector: String? = nil, _ text: String = "text")
        -> JournalEntry
    {
        JournalEntry(kind, text, connector.map { [.connector($0)] } ?? [])
    }

    @Test func `Only what is a warning or graver is a problem, and the newest comes first`() {
        var problems = RecentProblems()
        problems.note(entry(.started), at: 1)
        problems.note(entry(.unreachable, "orders"), at: 2)
        problems.note(entry(.reachable, "orders"), at: 3)
        problems.note(entry(.eventsDropped, "web"), at: 4)
        #expect(problems.newestFirst.map(\.kind) == [.eventsDropped, .unreachable])
        #expect(problems.newestFirst.map(\.priority) == [.critical, .warning])
        #expect(problems.newestFirst.map(\.connector) == ["web", "orders"])
    }

    @Test func `A priority of its own counts more than that of the kind`() {
        var problems = RecentProblems()
        problems.note(JournalEntry(.identityConflict, "rekeyed", priority: .notice), at: 1)
        problems.note(JournalEntry(.stopping, "held", priority: .warning), at: 2)
        #expect(problems.newestFirst.map(\.kind) == [.stopping])
    }

    @Test func `Lines of one kind and one connector are one problem with a count`() {
        var problems = RecentProblems()
        problems.note(entry(.credentialsStillFailing, "orders", "one"), at: 1)
        problems.note(entry(.fileQuarantined), at: 2)
        problems.note(entry(.credentialsStillFailing, "web", "other"), at: 3)
        problems.note(entry(.credentialsStillFailing, "orders", "two"), at: 4)
        #expect(problems.newestFirst.map(\.count) == [2, 1, 1])
        #expect(problems.newestFirst.first?.text == "two")
        #expect(problems.newestFirst.first?.seconds == 4)
    }

    @Test func `Past fifty, the one that was not told for longest is forgotten`() {
        var problems = RecentProblems()
        for number in 1...80 { problems.note(entry(.unreachable, "c-\(number)"), at: number) }
        problems.note(entry(.unreachable, "c-31"), at: 100)
        problems.note(entry(.intakeFailed), at: 101)
        #expect(problems.newestFirst.count == 50)
        #expect(problems.newestFirst.last?.connector == "c-33")
        #expect(problems.newestFirst[1].connector == "c-31")
    }

    @Test func `A kind has a name for programs`() {
        #expect(MessageKind.credentialsStillFailing.word == "credentials_still_failing")
        #expect(MessageKind.unreachable.word == "unreachable")
    }

    @Test func `A writer remembers problems that its log does not take, and those told before it`()
    {
        let first = JournalWriter(threshold: .critical, capacity: 1) { _, _ in false }
        first.send(entry(.unreachable, "orders"))
        first.send(entry(.started))
        let second = JournalWriter(threshold: .info, capacity: 10) { _, _ in true }
        second.adoptProblems(of: first)
        second.send(entry(.throttled, "orders"))
        #expect(second.problems.newestFirst.map(\.kind) == [.throttled, .unreachable])
    }
}
