import Delivery
import Testing

@Suite struct AnswerTests {
    @Test(
        "libcurl's codes are sorted by what failed",
        arguments: [
            (6, nil, .dns), (7, nil, .connect), (60, nil, .tls), (35, nil, .tls), (77, nil, .tls),
            (28, nil, .timeout), (52, nil, .reset), (55, nil, .reset), (56, nil, .reset),
            (5, nil, .proxy), (97, nil, .proxy), (56, 407, .proxy), (7, 403, .proxy),
            (56, 200, .reset), (42, nil, .aborted), (26, nil, .aborted), (1, nil, .notHTTP),
            (8, nil, .notHTTP), (23, nil, .notHTTP), (27, nil, .notHTTP),
            (9999, nil, .other),
        ] as [(Int32, Int?, TransportFailure.Kind)])
    func curlCodes(code: Int32, proxyStatus: Int?, kind: TransportFailure.Kind) {
        let failure = TransportFailure(curlCode: code, proxyStatus: proxyStatus, text: "x")
        #expect(failure.kind == kind)
        #expect(failure.curlCode == code)
    }

    @Test(
        "An existing object is equal only when length and digest say so",
        arguments: [
            (10, "AB", .equal), (10, "ab", .equal), (10, "cd", .different), (11, "ab", .different),
            (11, nil, .different), (10, nil, .unknown), (nil, "ab", .unknown), (nil, nil, .unknown),
            (nil, "cd", .different),
            // The digest of pieces says nothing of the same bytes as a whole.
            (10, "ab-2", .unknown), (11, "ab-2", .different),
        ] as [(UInt64?, String?, Comparison)])
    func comparison(length: UInt64?, digest: String?, expected: Comparison) {
        var answer = Answer(status: 200)
        answer.contentLength = length
        answer.digest = digest
        #expect(answer.comparison(length: 10, digest: "ab") == expected)
    }

    @Test(
        "A body may have been stored when nobody said that it was not",
        arguments: [
            (200, nil, false), (403, "AccessDenied", false), (412, nil, false), (408, nil, true),
            (400, "RequestTimeout", true), (500, nil, true), (503, "SlowDown", true),
            (200, "InternalError", true),
        ] as [(Int, String?, Bool)])
    func uncertainStatus(status: Int, code: String?, expected: Bool) {
        #expect(Answer(status: status, code: code, requestID: "1").leavesUncertain == expected)
    }

    @Test("A 200 of whoever is no store leaves a batch uncertain")
    func foreignSuccess() {
        #expect(Answer(status: 200).leavesUncertain)
    }

    @Test(
        "A lost answer leaves a batch uncertain if the request may have arrived",
        arguments: [true, false])
    func lostAnswer(arrived: Bool) {
        var answer = Answer(.failed(TransportFailure(curlCode: 56, text: "reset")))
        answer.mayHaveArrived = arrived
        #expect(answer.leavesUncertain == arrived)
    }
}
