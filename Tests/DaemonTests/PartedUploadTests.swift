import Model
import ScriptedStore
import Spool
import Support
import Testing

@testable import Daemon
@testable import Systemd

/// Uploads in parts, through the whole daemon in virtual time: what becomes of them over many attempts.
@Suite(.timeLimit(.minutes(10)))
struct PartedUploadTests {
    private func withPipeline(
        partSize: UInt64 = 5 << 20, _ change: (inout ConnectorSettings) -> Void = { _ in },
        _ body: @MainActor (Pipeline) async throws -> Void
    ) async throws {
        let pipeline = try Pipeline {
            $0.multipart.above = ByteCount(1)
            $0.multipart.partSize = ByteCount(partSize)
            $0.expireAfter = .seconds(3600)
            change(&$0)
        }
        defer { pipeline.stop() }
        try await pipeline.settle()
        try await body(pipeline)
    }

    private func requests(
        _ pipeline: Pipeline, _ method: String, _ query: String
    ) async throws -> Int {
        try await pipeline.server.log().requests.count {
            $0.method == method && $0.target.contains(query)
        }
    }

    private func records(_ pipeline: Pipeline) -> [String] {
        pipeline.tree.names("sealed/\(Pipeline.name)").filter { $0.hasSuffix(".upload") }
    }

    @Test("What goes in parts arrives, and leaves nothing behind")
    func arrives() async throws {
        try await withPipeline { pipeline in
            try await pipeline.arrive("a")
            try await pipeline.minutes(1)
            #expect(Set(pipeline.delivered()) == pipeline.arrived)
            #expect(try await requests(pipeline, "PUT", "partNumber=1&") == 2)
            #expect(try await requests(pipeline, "PUT", "partNumber=2&") == 0)
            #expect(records(pipeline).isEmpty)
            #expect(pipeline.outbox.uploads.isEmpty)
        }
    }

    @Test("Parts that the store never takes are sent a few times, then the batch is held")
    func tooSmall() async throws {
        try await withPipeline(partSize: 16) { pipeline in
            try await pipeline.arrive("a")
            try await pipeline.minutes(3)
            #expect(pipeline.outbox.atFaultCount == 2)
            #expect(try await requests(pipeline, "POST", "?uploads") == 8)
            #expect(try await requests(pipeline, "DELETE", "uploadId") == 8)
            #expect(pipeline.journal.lines(.batchHeld).count == 2)
            #expect(records(pipeline).isEmpty)
            #expect(pipeline.delivered().isEmpty)
        }
    }

    @Test("What the window gives up with a part in the bucket is to be forgotten there, too")
    func givenUp() async throws {
        try await withPipeline({ $0.events = [EventPattern("cart")!] }) { pipeline in
            let completion = #"{"method": "POST", "query": "uploadId", "times": null, "#
            // The one that is rejected in the end was begun, and its part is there.
            try await pipeline.storeAnswers(
                completion + #""do": "answer", "status": 403, "code": "AccessDenied"}"#)
            try await pipeline.arrive("a")
            try await pipeline.minutes(30)
            #expect(records(pipeline).count == 1)
            #expect(try await requests(pipeline, "PUT", "partNumber=1&") == 1)
            try await pipeline.restart()
            try await pipeline.minutes(45)
            #expect(try pipeline.held().isEmpty)
            #expect(pipeline.outbox.losses.dropped.events == 1)
            // In all that time nothing was sent twice.
            #expect(try await requests(pipeline, "PUT", "partNumber=1&") == 1)
            #expect(try await requests(pipeline, "DELETE", "uploadId") == 1)
            #expect(pipeline.journal.lines(.partsLeft).isEmpty)
            #expect(records(pipeline).isEmpty)
        }
    }

    @Test("A bucket that keeps the parts of what is given up is told of once")
    func partsLeft() async throws {
        try await withPipeline { pipeline in
            try await pipeline.storeAnswers(
                #"{"method": "POST", "query": "uploadId", "times": null, "do": "answer", "status": 403, "code": "AccessDenied"}, {"method": "DELETE", "times": null, "do": "answer", "status": 403, "code": "AccessDenied"}"#
            )
            try await pipeline.arrive("a")
            try await pipeline.minutes(75)
            #expect(pipeline.outbox.losses.dropped.events == 2)
            #expect(try await requests(pipeline, "DELETE", "uploadId") == 2)
            #expect(pipeline.journal.lines(.partsLeft).count == 1)
            #expect(records(pipeline).isEmpty)
        }
    }

    @Test("A paused connector sends no more parts, and goes on where it was")
    func paused() async throws {
        try await withPipeline { pipeline in
            try await pipeline.storeAnswers(
                #"{"method": "POST", "query": "uploadId", "times": 2, "do": "answer", "status": 500}"#
            )
            try await pipeline.arrive("a")
            pipeline.outbox.pause()
            try await pipeline.minutes(10)
            #expect(pipeline.delivered().isEmpty)
            pipeline.outbox.resume()
            try await pipeline.minutes(10)
            #expect(Set(pipeline.delivered()) == pipeline.arrived)
            #expect(try await requests(pipeline, "PUT", "partNumber=1&") == 2)
        }
    }

    @Test(
        "An upload that is under way when less goes in parts is forgotten, and the object goes whole"
    )
    func whole() async throws {
        try await withPipeline { pipeline in
            try await pipeline.storeAnswers(
                #"{"method": "POST", "query": "uploadId", "times": 2, "do": "answer", "status": 500}"#
            )
            try await pipeline.arrive("a")
            #expect(records(pipeline).count == 2)
            try await pipeline.reload { $0[0].multipart = MultipartLimits() }
            try await pipeline.minutes(10)
            #expect(Set(pipeline.delivered()) == pipeline.arrived)
            #expect(try await requests(pipeline, "DELETE", "uploadId") == 2)
            #expect(records(pipeline).isEmpty)
        }
    }
}
