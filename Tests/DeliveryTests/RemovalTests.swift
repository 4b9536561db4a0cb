import Delivery
import Model
import Testing

@Suite struct RemovalTests {
    private static let stored = Timestamp(unixSeconds: 1_795_000_000)

    private static func answer(after seconds: Int64, _ change: (inout Answer) -> Void = { _ in })
        -> Answer
    {
        var answer = Answer(status: 200, requestID: "R")
        answer.contentLength = 5
        answer.digest = "ab"
        answer.entityTag = "\"tag\""
        answer.lastModified = stored
        answer.date = Timestamp(unixSeconds: stored.unixSeconds + seconds)
        change(&answer)
        return answer
    }

    private static func removal(_ answer: Answer) -> Removal {
        Removal(of: answer, length: 5, digest: "ab", age: .seconds(3600))
    }

    @Test func `What was stored is deleted by its ETag once it is old enough by the store's clock`()
    {
        #expect(Self.removal(Self.answer(after: 3600)) == .delete(entityTag: "\"tag\""))
        #expect(Self.removal(Self.answer(after: 3599)) == .later(.seconds(1)))
        // A clock that went back.
        #expect(Self.removal(Self.answer(after: -100)) == .later(.seconds(3700)))
        #expect(
            Self.removal(Self.answer(after: 4000) { $0.entityTag = nil }) == .delete(entityTag: nil)
        )
    }

    @Test func `Another object in its place is left alone`() {
        let other = Self.answer(after: 4000) { $0.digest = "cd" }
        #expect(Self.removal(other) == .replaced(ExistingObject(size: 5, modified: Self.stored)))
        let longer = Self.answer(after: 4000) { $0.contentLength = 6 }
        #expect(Self.removal(longer) == .replaced(ExistingObject(size: 6, modified: Self.stored)))
    }

    @Test func `What nobody can tell is left alone`() {
        #expect(Self.removal(Self.answer(after: 4000) { $0.digest = nil }) == .unknown)
        #expect(Self.removal(Self.answer(after: 4000) { $0.date = nil }) == .unknown)
        #expect(Self.removal(Self.answer(after: 4000) { $0.lastModified = nil }) == .unknown)
    }
}
