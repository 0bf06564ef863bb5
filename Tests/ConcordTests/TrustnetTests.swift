import TestSupport
import Testing

@testable import Concord

@Suite struct TrustnetTests {
    /// The points 1, 2, 3 of secp256k1.
    static let keys = [
        "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
        "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5",
        "02f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9",
    ]

    static let text = """
        {
          "format": "concord/1 trustnet",
          "name": "example",
          "network": "main",
          "version": 3,
          "expires": "2027-11-22T11:00:00Z",
          "shards": 1024,
          "epoch": 1000,
          "minimum": 1,
          "bootstrap": "\(keys[0])",
          "authorities": [
            {
              "name": "alice",
              "key": "\(keys[1])",
              "urls": [
                "https://alice.example/concord",
                "http://mirror.example:8080/~alice"
              ]
            },
            {
              "name": "bob",
              "key": "\(keys[2])",
              "withdrawn": 900000,
              "urls": [
                "https://bob.example"
              ]
            }
          ]
        }

        """

    static func parse(_ text: String) throws(TrustnetError) -> Trustnet {
        try Trustnet(parsing: Array(text.utf8))
    }

    static func member(_ name: String, _ key: Int, withdrawn: Int? = nil) throws -> Trustnet.Member {
        Trustnet.Member(
            Authority(
                name: try #require(AuthorityName(name)), key: try #require(PublicKey(hex: keys[key])),
                urls: ["https://\(name).example"]), withdrawn: withdrawn)
    }

    @Test func textComesBack() throws {
        let trustnet = try Self.parse(Self.text)
        #expect(trustnet.text == Self.text)
        #expect("\(trustnet.name)" == "example" && trustnet.network == .main && trustnet.version == 3)
        #expect(trustnet.expires == Timestamp.seconds("2027-11-22T11:00:00Z"))
        #expect(trustnet.parameters == TreeParameters(shards: 1024, epoch: 1000) && trustnet.minimum == 1)
        #expect(trustnet.bootstrap.hex == Self.keys[0])
        #expect(trustnet.members.map(\.authority.name.description) == ["alice", "bob"])
        #expect(trustnet.members.map(\.authority.key.hex) == Array(Self.keys[1...]))
        #expect(trustnet.members.map(\.withdrawn) == [nil, 900_000])
        #expect(
            trustnet.members[0].authority.urls == [
                "https://alice.example/concord", "http://mirror.example:8080/~alice",
            ])
    }

    /// One authority with one URL: with more, some faults make another trustnet instead of none.
    @Test func everyFaultIsRefused() throws {
        var trustnet = try Self.parse(Self.text)
        trustnet.members = [try Self.member("alice", 1)]
        TextFaults(text: trustnet.text) { bytes throws in
            do { _ = try Trustnet(parsing: bytes) } catch {
                guard case .malformed(let error) = error as? TrustnetError else { throw error }
                throw error
            }
        }.checkAll()
    }

    @Test(arguments: [
        ("\"shards\": 1024,\n  \"epoch\": 1000", "\"epoch\": 1000,\n  \"shards\": 1024"),
        ("\"minimum\": 1", "\"minimum\": 1,\n  \"more\": 1"), ("\"minimum\": 1", "\"minimum\": 1.0"),
        ("\"minimum\": 1", "\"minimum\": \"1\""), ("\"version\": 3", "\"version\": 3e0"),
        ("\"version\": 3", "\"version\": 1000000000"), ("\"shards\": 1024", "\"shards\": 1000"),
        ("\"epoch\": 1000", "\"epoch\": 100001"), ("\"network\": \"main\"", "\"network\": \"bitcoin\""),
        ("22T11", "22T24"), ("-11-22T", "-02-30T"), ("\"alice\"", "\"-alice\""), ("alice\"", "\\u0061lice\""),
        ("concord/1 trustnet", "concord/2 trustnet"), ("  \"name\"", "\t\"name\""),
        ("https://bob", "https:\\/\\/bob"), (": 900000", ": 10000000"), (": 900000", ": null"),
        ("\"withdrawn\": 900000,\n", "\"withdrawn\": 900000,\n      \"withdrawn\": 900000,\n"),
        (Self.keys[1], "04" + Self.keys[1].dropFirst(2)), (Self.keys[0], Self.keys[0].uppercased()),
        ("    },\n", "    }\n"), ("    }\n  ]", "    },\n  ]"), ("\"https://bob.example\"\n", ""),
        ("\"https://bob.example\"", "\"https://bob.example\","), (" [\n    {\n", " [{\n"),
    ])
    func otherFormsAreRefused(old: String, new: String) throws {
        #expect(Self.text.contains(old))
        let error = #expect(throws: TrustnetError.self) {
            try Self.parse(Self.text.replacing(old, with: new))
        }
        guard case .malformed = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func whatIsTooLongIsNotRead() {
        #expect(
            throws: TrustnetError.malformed(
                ParseError(.outOfRange("a trustnet's length"), at: Trustnet.maxBytes))
        ) { try Trustnet(parsing: [UInt8](repeating: 0x0a, count: Trustnet.maxBytes + 1)) }
    }

    @Test func theLongestFitsItsLimit() throws {
        var trustnet = try Self.parse(Self.text)
        let url = "https://" + String(repeating: "u", count: Trustnet.maxURLBytes - 9)
        let authority = Authority(
            name: try #require(AuthorityName(String(repeating: "n", count: 40))),
            key: trustnet.bootstrap, urls: (0..<Trustnet.maxURLs).map { "\(url)\($0)" })
        let member = Trustnet.Member(authority, withdrawn: TreePath.maxHeight)
        trustnet.members = Array(repeating: member, count: Trustnet.maxMembers)
        trustnet.version = Trustnet.maxVersion
        trustnet.name = authority.name
        #expect(trustnet.text.utf8.count <= Trustnet.maxBytes)
        // A real one has different names and keys.
        trustnet.members = [member]
        trustnet.members.append(try Self.member("bob", 1))
        #expect(try Self.parse(trustnet.text) == trustnet)
    }

    /// Each rule, and each with its own message.
    @Test func whatIsNoTrustnet() throws {
        let good = try Self.parse(Self.text)
        let alice = try #require(AuthorityName("alice"))
        let bob = try #require(AuthorityName("bob"))
        let url = "https://alice.example"
        typealias Change = (inout Trustnet) throws -> Void
        let cases: [(TrustnetError, Change)] = [
            (.version(0), { $0.version = 0 }),
            (.minimum(0), { $0.minimum = 0 }),
            // Bob's key is withdrawn: only Alice can agree.
            (.tooFew(1, minimum: 2), { $0.minimum = 2 }),
            (.tooFew(0, minimum: 1), { $0.members = [] }),
            (.tooFew(0, minimum: 1), { $0.members[0].withdrawn = 1 }),
            (
                .tooMany(257),
                { trustnet in
                    trustnet.members = try (0..<257).map { try Self.member("a\($0)", $0 % 3) }
                }
            ),
            (.sameName(alice), { $0.members[1].authority.name = alice }),
            (.sameKey(alice, bob), { $0.members[1].authority.key = $0.members[0].authority.key }),
            (.urlCount(alice, 0), { $0.members[0].authority.urls = [] }),
            (.urlCount(alice, 9), { $0.members[0].authority.urls = (0..<9).map { "https://a\($0)" } }),
            (.sameURL(alice, url), { $0.members[0].authority.urls = [url, url] }),
            (.url(alice, "file:///srv"), { $0.members[0].authority.urls = ["file:///srv"] }),
            (.height(bob), { $0.members[1].withdrawn = -1 }),
        ]
        for (wanted, change) in cases {
            var trustnet = good
            try change(&trustnet)
            #expect(throws: wanted) { try trustnet.check() }
        }
        #expect(
            Set(cases.map { "\($0.0)" }).count == 12,
            "two of these have one message, tooFew(0) is there twice")
        #expect(
            "\(TrustnetError.tooFew(1, minimum: 2))".contains("at least 2, and has 1 authority whose key is"))
    }

    /// What can be written as text is refused when it is read too.
    @Test func rulesHoldForWhatIsRead() throws {
        let text = Self.text
        #expect(throws: TrustnetError.tooFew(1, minimum: 2)) {
            try Self.parse(text.replacing("\"minimum\": 1", with: "\"minimum\": 2"))
        }
        #expect(throws: TrustnetError.version(0)) {
            try Self.parse(text.replacing("\"version\": 3", with: "\"version\": 0"))
        }
        #expect(throws: TrustnetError.self) {
            try Self.parse(text.replacing(Self.keys[2], with: Self.keys[1]))
        }
        #expect(throws: TrustnetError.self) { try Self.parse(text.replacing("bob\"", with: "alice\"")) }
        #expect(throws: TrustnetError.self) {
            try Self.parse(text.replacing("https://bob.example", with: "https://bob.example/"))
        }
    }

    @Test func aDraftMayHaveFewerAuthorities() throws {
        var trustnet = try Self.parse(Self.text)
        trustnet.minimum = 2
        #expect(try Trustnet(parsingDraft: Array(trustnet.text.utf8)) == trustnet)
        trustnet.members = []
        #expect(try Trustnet(parsingDraft: Array(trustnet.text.utf8)) == trustnet)
        #expect(throws: TrustnetError.tooFew(0, minimum: 2)) { try Self.parse(trustnet.text) }
    }

    @Test(arguments: [
        "https://a", "http://a.example:80/x/y.z", "https://[::1]:8080", "http://127.0.0.1:1",
        "https://a/%20~",
    ])
    func urlsOfTrees(url: String) throws {
        var trustnet = try Self.parse(Self.text)
        trustnet.members[0].authority.urls = [url]
        #expect(try Self.parse(trustnet.text) == trustnet)
    }

    @Test(arguments: [
        "", "a.example", "ftp://a", "file:///srv", "HTTPS://a", "https://", "https:///a", "https://:80",
        "https://a/", "https://a b", "https://a?b", "https://a#b", "https://u:p@a", "https://a\n",
        "https://ä",
        "https://a\"", "https://a\\", "https://" + String(repeating: "a", count: 249),
    ])
    func noURLsOfTrees(url: String) throws {
        var trustnet = try Self.parse(Self.text)
        trustnet.members[0].authority.urls = [url]
        let alice = trustnet.members[0].authority.name
        #expect(throws: TrustnetError.url(alice, url)) { try trustnet.check() }
        #expect(throws: TrustnetError.self) { try Self.parse(trustnet.text) }
    }

    @Test func aWithdrawnKeyCountsBelowItsHeight() throws {
        let trustnet = try Self.parse(Self.text)
        for (height, names) in [
            (0, ["alice", "bob"]), (899_999, ["alice", "bob"]), (900_000, ["alice"]), (9_999_999, ["alice"]),
        ] {
            #expect(trustnet.authorities(at: height).map(\.name.description) == names, "height \(height)")
        }
        #expect(try !Self.member("a", 0, withdrawn: 0).counts(at: 0))
    }

    @Test func itExpiresWithItsSecond() throws {
        let trustnet = try Self.parse(Self.text)
        #expect(!trustnet.isExpired(at: trustnet.expires - 1) && trustnet.isExpired(at: trustnet.expires))
    }
}
