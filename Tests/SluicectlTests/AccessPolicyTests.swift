import Model
import Testing

@testable import sluicectl

@Suite("The IAM policy of connectors")
struct AccessPolicyTests {
    private static func connector(
        _ name: String, bucket: String = "acme-events",
        _ change: (inout ConnectorSettings) -> Void = { _ in }
    ) -> ConnectorSettings {
        var settings = ConnectorSettings(
            name: ConnectorName(name)!, bucket: bucket, integrationID: "5d4a")
        change(&settings)
        return settings
    }

    /// `Sid: actions on resources` of each statement.
    private static func lines(_ connectors: ConnectorSettings...) -> [String] {
        AccessPolicy(connectors).statements.map { statement in
            "\(statement.id): \(statement.actions.joined(separator: " ")) on "
                + statement.resources.joined(separator: " ")
        }
    }

    @Test("A connector gets four actions, on its bucket and on the objects of its folder")
    func plain() {
        #expect(
            Self.lines(Self.connector("orders")) == [
                "SluiceBucket: s3:GetBucketLocation s3:ListBucket on arn:aws:s3:::acme-events",
                "SluiceObjects: s3:GetObject s3:PutObject on arn:aws:s3:::acme-events/currents/*",
            ])
    }

    @Test(
        "The folder is named whole, and nothing in it counts as a wildcard",
        arguments: [
            ("a/b", "a/b/*"), ("", "*"), ("what*?", "what${*}${?}/*"), ("$x", "${$}x/*"),
            ("événements", "événements/*"),
        ])
    func folders(folder: String, resource: String) {
        let lines = Self.lines(Self.connector("orders") { $0.folder = folder })
        #expect(lines[1].hasSuffix(" on arn:aws:s3:::acme-events/\(resource)"))
    }

    @Test(
        "The region tells the partition",
        arguments: [
            (nil, "aws"), ("eu-west-1", "aws"), ("us-east-1", "aws"), ("cn-north-1", "aws-cn"),
            ("us-gov-west-1", "aws-us-gov"), ("us-iso-east-1", "aws-iso"),
            ("us-isob-east-1", "aws-iso-b"), ("eusc-de-east-1", "aws-eusc"),
        ] as [(String?, String)])
    func partitions(region: String?, partition: String) {
        let lines = Self.lines(Self.connector("orders") { $0.region = region })
        #expect(lines.count == 2)
        #expect(lines.allSatisfy { $0.contains(" on arn:\(partition):s3:::acme-events") })
    }

    @Test("Without a region, the role tells the partition")
    func partitionOfRole() {
        let lines = Self.lines(
            Self.connector("orders") {
                $0.credentials.role = .init(
                    arn: "arn:aws-cn:iam::123456789012:role/sluice", sessionName: "s")
            })
        #expect(lines.allSatisfy { $0.contains(" on arn:aws-cn:s3:::acme-events") })
    }

    @Test("Rights to an ACL, to tags and to a key are there only for who uses them")
    func extras() {
        let key = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd"
        let lines = Self.lines(
            Self.connector("plain", bucket: "plain"),
            Self.connector("shared", bucket: "shared") { $0.acl = "bucket-owner-full-control" },
            Self.connector("tagged", bucket: "tagged") { $0.tags = [Tag(key: "a", value: "b")] },
            Self.connector("secret", bucket: "secret") {
                $0.encryption = .kms(keyID: key, bucketKey: nil)
            })
        #expect(
            lines[2...] == [
                "SluiceObjectAcl: s3:PutObjectAcl on arn:aws:s3:::shared/currents/*",
                "SluiceObjectTags: s3:PutObjectTagging on arn:aws:s3:::tagged/currents/*",
                "SluiceKeys: kms:Decrypt kms:GenerateDataKey on \(key)",
            ])
    }

    @Test("Connectors that take files may delete what lies in their folders, and nobody else may")
    func exports() {
        let lines = Self.lines(
            Self.connector("orders"),
            Self.connector("reports") {
                $0.kind = .dataExport
                $0.folder = "exports"
            })
        #expect(
            lines == [
                "SluiceBucket: s3:GetBucketLocation s3:ListBucket on arn:aws:s3:::acme-events",
                "SluiceObjects: s3:GetObject s3:PutObject on arn:aws:s3:::acme-events/currents/* "
                    + "arn:aws:s3:::acme-events/exports/*",
                "SluiceRemoval: s3:DeleteObject on arn:aws:s3:::acme-events/exports/*",
            ])
    }

    @Test("Who may delete in a whole bucket is told so")
    func exportsAtTheRoot() {
        let root = Self.connector("reports") {
            $0.kind = .dataExport
            $0.folder = ""
        }
        #expect(AccessPolicy([root]).remarks.count == 1)
        #expect(
            Self.lines(root)[2] == "SluiceRemoval: s3:DeleteObject on arn:aws:s3:::acme-events/*")
    }

    @Test("Several connectors share statements, each bucket and folder named once, in order")
    func several() {
        let lines = Self.lines(
            Self.connector("orders") { $0.folder = "orders" }, Self.connector("b", bucket: "b"),
            Self.connector("clicks") { $0.folder = "clicks" }, Self.connector("b", bucket: "b"))
        #expect(
            lines == [
                "SluiceBucket: s3:GetBucketLocation s3:ListBucket on "
                    + "arn:aws:s3:::acme-events arn:aws:s3:::b",
                "SluiceObjects: s3:GetObject s3:PutObject on arn:aws:s3:::acme-events/clicks/* "
                    + "arn:aws:s3:::acme-events/orders/* arn:aws:s3:::b/currents/*",
            ])
    }

    @Test(
        "What IAM does not take for a key is left out, and said",
        arguments: [
            "1234abcd", "alias/events", "arn:aws:kms:eu-west-1:123456789012:alias/events",
        ])
    func keysWithoutARN(keyID: String) throws {
        let policy = AccessPolicy([
            Self.connector("orders") { $0.encryption = .kms(keyID: keyID, bucketKey: true) }
        ])
        #expect(policy.statements.map(\.id) == ["SluiceBucket", "SluiceObjects"])
        let remark = try #require(policy.remarks.first)
        #expect(remark.hasPrefix("connector orders: ") && remark.contains("\"\(keyID)\""))
        #expect(remark.contains("kms:GenerateDataKey and kms:Decrypt"))
    }

    @Test("The account's own key needs no permission and no remark")
    func ownKey() {
        let policy = AccessPolicy([
            Self.connector("orders") { $0.encryption = .kms(keyID: nil, bucketKey: nil) }
        ])
        #expect(policy.statements.count == 2 && policy.remarks.isEmpty)
    }

    @Test("An access point is named by an ARN that only its owner knows")
    func accessPoint() {
        let policy = AccessPolicy([Self.connector("orders", bucket: "mine-abc-s3alias")])
        #expect(policy.remarks.count == 1)
    }

    @Test("The document is what IAM reads, and its indented text says the same")
    func document() throws {
        let policy = AccessPolicy([
            Self.connector("orders") {
                $0.acl = "private"
                $0.folder = "\"quoted\""
            }
        ])
        let json = try JSONReader.read(Array(policy.json.indented.utf8))
        #expect(json.text == policy.json.text)
        #expect(json["Version"]?.string == "2012-10-17")
        let statements = try #require(json["Statement"]?.elements)
        #expect(statements.count == 3)
        for statement in statements {
            let id = try #require(statement["Sid"]?.string)
            #expect(id.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) })
            #expect(statement["Effect"]?.string == "Allow")
            #expect(statement["Action"]?.elements?.isEmpty == false)
            let resources = try #require(statement["Resource"]?.elements).compactMap(\.string)
            #expect(!resources.isEmpty && resources.allSatisfy { $0.hasPrefix("arn:aws:s3:::") })
        }
        #expect(Set(statements.compactMap { $0["Sid"]?.string }).count == 3)
    }
}

@Suite("Indented JSON")
struct IndentedJSONTests {
    @Test("Members and elements stand on lines of their own; what is empty stays short")
    func text() {
        let value = JSONText.object([
            ("a", .array([.integer(1), .array([])])), ("b", .object([("c", .null)])),
            ("d", .object([])),
        ])
        #expect(
            value.indented == """
                {
                  "a": [
                    1,
                    []
                  ],
                  "b": {
                    "c": null
                  },
                  "d": {}
                }
                """)
    }
}

@Suite("sluicectl external-id")
struct ExternalIDTests {
    @Test("IDs are new each time, long enough, and of letters and digits")
    func ids() {
        let ids = (0..<1000).map { _ in ExternalIDCommand.make() }
        #expect(Set(ids).count == 1000)
        #expect(
            ids.allSatisfy { id in
                id.utf8.count == 32 && id.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) }
            })
        // 62 letters and digits in 32,000 places: one that never comes is left out of the alphabet.
        #expect(Set(ids.joined()).count == 62)
    }
}

@Suite("The trust policy of a role")
struct TrustPolicyTests {
    private let principal = "arn:aws:iam::123456789012:root"

    @Test("It opens to one principal, and to nobody without the external ID")
    func externalID() {
        let policy = TrustPolicy(principal: principal, externalIDs: ["abc", "abc"])
        #expect(
            policy.json.text
                == #"{"Version":"2012-10-17","Statement":[{"Sid":"SluiceAssumesRole","#
                + #""Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"#
                + #""Action":"sts:AssumeRole","#
                + #""Condition":{"StringEquals":{"sts:ExternalId":"abc"}}}]}"#)
    }

    @Test("Connectors with several external IDs may all assume it")
    func severalIDs() {
        let json = TrustPolicy(principal: principal, externalIDs: ["b", "a", "b"]).json
        let condition = json["Statement"]?.elements?.first?["Condition"]?["StringEquals"]
        #expect(condition?["sts:ExternalId"]?.elements?.compactMap(\.string) == ["a", "b"])
    }

    @Test("Without an external ID there is no condition")
    func noID() {
        let json = TrustPolicy(principal: principal, externalIDs: []).json
        #expect(json["Statement"]?.elements?.count == 1)
        #expect(!json.text.contains("Condition"))
    }

    @Test(
        "A principal is an ARN or the number of an account",
        arguments: [
            ("123456789012", "arn:aws-cn:iam::123456789012:root"),
            ("arn:aws:iam::123456789012:user/a/b", "arn:aws:iam::123456789012:user/a/b"),
            (
                "arn:aws:sts::123456789012:assumed-role/a/b",
                "arn:aws:sts::123456789012:assumed-role/a/b"
            ), ("12345678901", nil), ("*", nil), ("arn:aws:s3:::bucket", nil),
            ("arn:aws:iam::123456789012:", nil), ("arn:aws:iam::x:root", nil), ("", nil),
        ] as [(String, String?)])
    func principals(text: String, arn: String?) {
        #expect(TrustPolicy.principal(text, partition: "aws-cn") == arn)
    }

    @Test(
        "The account of a caller is taken from its ARN",
        arguments: [
            ("arn:aws-cn:iam::123456789012:user/x", "arn:aws-cn:iam::123456789012:root"),
            (
                "arn:aws:sts::123456789012:assumed-role/r/i-0ab:c",
                "arn:aws:iam::123456789012:root"
            ), ("arn:aws:iam:::user/x", nil), ("nonsense", nil),
        ] as [(String, String?)])
    func accounts(arn: String, account: String?) {
        #expect(TrustPolicy.account(ofARN: arn) == account)
    }
}

@Suite("Roles and who may assume them")
struct RoleTrustTests {
    private static func connector(_ name: String, role: String?, id: String?) -> ConnectorSettings {
        var settings = ConnectorSettings(
            name: ConnectorName(name)!, bucket: "b", integrationID: "5d4a")
        settings.credentials.role = role.map {
            .init(arn: $0, externalID: id, sessionName: "session")
        }
        return settings
    }

    @Test("Connectors that share a role share its trust policy; without a role there is none")
    func roles() {
        let (first, second) = ("arn:aws:iam::1:role/a", "arn:aws-cn:iam::2:role/b")
        let trust = RoleTrust.all(of: [
            Self.connector("c1", role: second, id: "x"), Self.connector("c2", role: nil, id: nil),
            Self.connector("c3", role: first, id: "y"), Self.connector("c4", role: first, id: "z"),
        ])
        #expect(trust.map(\.arn) == [second, first].sorted())
        #expect(trust.first { $0.arn == first }?.externalIDs == ["y", "z"])
        #expect(trust.first { $0.arn == second }?.partition == "aws-cn")
        #expect(trust.allSatisfy { $0.remarks.count == 1 })
        #expect(trust.allSatisfy { $0.remarks[0].contains("sts:AssumeRole on \($0.arn)") })
    }

    @Test("A missing external ID is told; beside one that is there, it keeps a connector out")
    func missingIDs() {
        let role = "arn:aws:iam::1:role/a"
        let alone = RoleTrust.all(of: [Self.connector("c1", role: role, id: nil)])
        #expect(alone[0].remarks[0].contains("\"sluicectl external-id\""))
        let both = RoleTrust.all(of: [
            Self.connector("c1", role: role, id: nil), Self.connector("c2", role: role, id: "x"),
        ])
        #expect(both[0].remarks[0].hasPrefix("connector c1 has no external_id, so it may not"))
    }
}

@Suite("Who the caller is")
struct CallerIdentityTests {
    @Test("The ARN is read from the answer of STS")
    func arn() {
        let answer = """
            <GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
            <GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/a&amp;b</Arn>
            <UserId>AID</UserId><Account>123456789012</Account></GetCallerIdentityResult>
            </GetCallerIdentityResponse>
            """
        #expect(
            CallerIdentity.arn(in: Array(answer.utf8)) == "arn:aws:iam::123456789012:user/a&b")
        #expect(CallerIdentity.arn(in: Array("<html>no</html>".utf8)) == nil)
    }

    @Test(
        "STS is asked in the region, unless another store names no STS",
        arguments: [
            ("eu-west-1", nil, nil, "https://sts.eu-west-1.amazonaws.com"),
            (nil, nil, nil, "https://sts.us-east-1.amazonaws.com"),
            ("cn-north-1", nil, nil, "https://sts.cn-north-1.amazonaws.com.cn"),
            ("eu-west-1", "https://minio", nil, nil),
            ("eu-west-1", "https://minio", "http://localhost:5000", "http://localhost:5000"),
        ] as [(String?, String?, String?, String?)])
    func origins(region: String?, endpoint: String?, sts: String?, origin: String?) {
        var settings = ConnectorSettings(
            name: ConnectorName("orders")!, bucket: "b", integrationID: "5d4a")
        (settings.region, settings.endpoint) = (region, endpoint)
        settings.credentials.stsEndpoint = sts
        #expect(CallerIdentity.origin(for: settings) == origin)
    }

    @Test(
        "Dual-stack and FIPS endpoints have names of their own",
        arguments: [
            ("eu-west-1", true, false, "https://sts.eu-west-1.api.aws"),
            ("us-east-1", false, true, "https://sts-fips.us-east-1.amazonaws.com"),
            ("us-gov-west-1", false, true, "https://sts.us-gov-west-1.amazonaws.com"),
            ("us-gov-west-1", true, true, "https://sts-fips.us-gov-west-1.api.aws"),
        ])
    func variants(region: String, isDual: Bool, isFIPS: Bool, origin: String) {
        var settings = ConnectorSettings(
            name: ConnectorName("orders")!, bucket: "b", integrationID: "5d4a")
        settings.region = region
        (settings.usesDualStack, settings.usesFIPS) = (isDual, isFIPS)
        #expect(CallerIdentity.origin(for: settings) == origin)
    }

    @Test(
        "The host is signed with its port, unless that is the scheme's own",
        arguments: [
            ("https://sts.example.com", "sts.example.com"), ("https://S:443", "s"),
            ("http://127.0.0.1:5000", "127.0.0.1:5000"), ("http://h:80", "h"),
            ("http://h:443", "h:443"),
        ])
    func hosts(origin: String, host: String) {
        #expect(CallerIdentity.host(of: origin) == host)
    }
}
