import Delivery
import Model
import Testing

@Suite struct ExplanationTests {
    static let place = Destination(
        connector: "orders", bucket: "acme-events", host: "s3.example", eventType: "a.b",
        key: "k/1")
    static let cause = Cause(code: "X", message: "Some\nwords.", requestID: "42")

    @Test(
        "Who, what happened and what to do stand in one sentence",
        arguments: [
            (
                .credentials(.eventType, Cause(code: "AccessDenied", requestID: "42")),
                "connector orders: bucket \"acme-events\" denies s3:PutObject for events of type a.b "
                    + "(AccessDenied, request 42); allow it in the policy of the user or role, in the "
                    + "bucket's policy and, where the bucket encrypts with KMS, in the key's policy"
            ),
            (
                .credentials(.connector, Cause(code: "SignatureDoesNotMatch", requestID: "42")),
                "connector orders: S3 rejects the credentials (SignatureDoesNotMatch, request 42); "
                    + "the secret access key does not belong to the access key ID: set the one that "
                    + "does"
            ),
            (
                .misconfigured(.refused(Cause(code: "NoSuchBucket", requestID: "42"))),
                "connector orders: bucket \"acme-events\" does not exist at s3.example (NoSuchBucket, "
                    + "request 42); create it, or correct bucket and endpoint; events wait until this "
                    + "is mended"
            ),
            (
                .misconfigured(.refused(cause)),
                "connector orders: bucket \"acme-events\" refuses s3:PutObject: Some words (X, request "
                    + "42); check the bucket and the connector's settings; events wait until this is "
                    + "mended"
            ),
            (
                .backingOff(
                    .unreachable, Cause(code: "curl 6", message: "no such host"), retryAfter: nil),
                "connector orders: s3.example cannot be reached: no such host (curl 6); check network, "
                    + "DNS and proxy; it is tried again by itself"
            ),
            (
                .backingOff(.unreachable, Cause(code: "HTTP 403"), retryAfter: nil),
                "connector orders: s3.example cannot be reached: what answers is not S3 (HTTP 403); "
                    + "check endpoint, proxy and network; it is tried again by itself"
            ),
            (
                .batchHeld(.differs),
                "connector orders: another object lies at s3://acme-events/k/1: two daemons share one "
                    + "identity; this batch is held; give each daemon a partition of its own "
                    + "in sluice.toml, then run \"sluicectl rekey orders\""
            ),
        ] as [(Disposition, String)])
    func sentences(disposition: Disposition, sentence: String) {
        #expect(disposition.explanation(of: .putObject, at: Self.place) == sentence)
    }

    static let every: [Disposition] =
        [
            .delivered, .answered, .existing, .missing, .aborted,
            .misconfigured(.local("the secret is missing")), .refreshCredentials(cause),
            .clock(server: Timestamp(unixSeconds: 0), cause), .region("eu-west-1", cause),
            .unsupported(.checksum, cause), .unsupported(.conditionalWrites, cause),
            .unsupported(.conditionalDeletes, cause), .startOver(cause),
            .conflict(cause), .advice(cause), .batchHeld(.refused(cause)),
            .batchHeld(.incomparable(cause)), .batchHeld(.damaged("its SHA-256 differs")),
        ] + BackoffReason.allCases.map { .backingOff($0, cause, retryAfter: nil) }

    @Test(
        "Every sentence is one line and names the connector and what S3 said",
        arguments: every, Operation.allCases)
    func shape(disposition: Disposition, operation: Operation) {
        let sentence = disposition.explanation(of: operation, at: Self.place)
        #expect(sentence.hasPrefix("connector orders: "))
        #expect(!sentence.contains { $0.isNewline })
        #expect(sentence.contains("(X, request 42)") == (disposition.cause != nil))
    }
}
