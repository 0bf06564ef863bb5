import Concord
import ConcordPublish
import Testing

/// The rule by which a client takes a version of a trustnet.
@Suite struct TrustnetHistoryTests {
    static let now: Int64 = 1_800_000_000
    static let keys = (0..<4).map { _ in SigningKey.generate() }

    static func trustnet(_ version: Int, by key: Int, _ name: String = "example") throws -> Trustnet {
        let authority = Authority(
            name: try #require(AuthorityName("alice")), key: keys[3].publicKey, urls: ["https://a.example"])
        return Trustnet(
            name: try #require(AuthorityName(name)), network: .main, version: version, expires: now + 1,
            parameters: TreeParameters(shards: 1024, epoch: 1000), minimum: 1, bootstrap: keys[key].publicKey,
            members: [Trustnet.Member(authority)])
    }

    /// Signed by the key it names, and by the one before if that is given.
    static func sign(_ trustnet: Trustnet, previous: Int? = nil) throws -> SignedTrustnet {
        let key = try #require(keys.first { $0.publicKey == trustnet.bootstrap })
        let digest = SHA256.hash(trustnet.text)
        return try SignedTrustnet(
            checking: Array(trustnet.text.utf8), signature: try key.sign(digest),
            previousSignature: try previous.map { try keys[$0].sign(digest) })
    }

    static func version(
        _ version: Int, by key: Int, previous: Int? = nil, expires: Int64 = now + 1, urls: String? = nil
    ) throws -> SignedTrustnet {
        var trustnet = try trustnet(version, by: key)
        trustnet.expires = expires
        if let urls { trustnet.members[0].authority.urls = [urls] }
        return try sign(trustnet, previous: previous)
    }

    private struct Case {
        let what: String
        /// Nil for a client that has a key only, key 0.
        let held: SignedTrustnet?
        let candidate: SignedTrustnet
        let answer: TrustnetHistory.Answer

        init(
            _ what: String, held: SignedTrustnet?, _ candidate: SignedTrustnet,
            _ answer: TrustnetHistory.Answer
        ) {
            self.what = what
            self.held = held
            self.candidate = candidate
            self.answer = answer
        }
    }

    private static func other(_ key: Int, wanted: Int = 0, _ between: Range<Int>) -> TrustnetHistory.Answer {
        .refused(.otherKey(keys[key].publicKey, wanted: keys[wanted].publicKey, between: between))
    }

    private static func cases() throws -> [Case] {
        let three = try version(3, by: 0)
        let expired = try version(3, by: 0, expires: now)
        let replaced = try version(3, by: 1, previous: 0)
        return [
            Case("the first", held: nil, three, .accepted),
            Case("the first, by another key", held: nil, try version(1, by: 1), other(1, 1..<1)),
            Case("the first, later, by another key", held: nil, try version(3, by: 1), other(1, 1..<3)),
            Case("the first, the key just replaced", held: nil, replaced, .accepted),
            Case(
                "the first, the wrong key replaced", held: nil, try version(3, by: 1, previous: 2),
                other(1, 1..<3)),
            Case("the first, expired", held: nil, expired, .expired),

            Case("the same", held: three, three, .same),
            Case("the same, expired since", held: expired, expired, .expired),
            Case("the next", held: three, try version(4, by: 0), .accepted),
            Case(
                "the next in its last second", held: three, try version(4, by: 0, expires: now + 1), .accepted
            ),
            Case("the next, expired", held: three, try version(4, by: 0, expires: now), .expired),
            Case("the next of an expired one", held: expired, try version(4, by: 0), .accepted),
            Case("versions skipped", held: three, try version(900, by: 0), .accepted),

            Case("older", held: three, try version(2, by: 0), .refused(.older(version: 2, held: 3))),
            Case(
                "older, expired", held: three, try version(1, by: 0, expires: 0),
                .refused(.older(version: 1, held: 3))),
            Case(
                "older than an expired one", held: expired, try version(2, by: 0),
                .refused(.older(version: 2, held: 3))),
            Case(
                "older, of before the key was replaced", held: replaced, try version(2, by: 0),
                .refused(.older(version: 2, held: 3))),

            Case(
                "another under the same number", held: three,
                try version(3, by: 0, urls: "https://b.example"),
                .refused(.equivocation(version: 3))),
            Case(
                "the same number, another expiry", held: three, try version(3, by: 0, expires: now + 2),
                .refused(.equivocation(version: 3))),
            Case(
                "the same number, expired", held: three, try version(3, by: 0, expires: now),
                .refused(.equivocation(version: 3))),
            Case(
                "the same number, replacing the key", held: three, replaced,
                .refused(.equivocation(version: 3))),
            Case("the same number by another key", held: three, try version(3, by: 2), other(2, 4..<4)),
            Case(
                "the same number by the replaced key", held: replaced, try version(3, by: 0),
                .refused(.equivocation(version: 3))),
            Case(
                "the same number by a third key", held: replaced, try version(3, by: 2),
                other(2, wanted: 1, 4..<4)),

            Case("a new key, both sign", held: three, try version(4, by: 1, previous: 0), .accepted),
            Case("a new key, both sign, skipped", held: three, try version(7, by: 1, previous: 0), .accepted),
            Case(
                "a new key, both sign, expired", held: three,
                try version(4, by: 1, previous: 0, expires: now),
                .expired),
            Case("a new key that signs alone", held: three, try version(4, by: 1), other(1, 4..<4)),
            Case(
                "a new key, its own signature twice", held: three, try version(4, by: 1, previous: 1),
                other(1, 4..<4)),
            Case(
                "a new key, a third one signs", held: three, try version(4, by: 1, previous: 2),
                other(1, 4..<4)),
            Case(
                "a key replaced in a version that was skipped", held: three, try version(7, by: 1),
                other(1, 4..<7)),
            Case(
                "a second key replaced in one that was skipped", held: three,
                try version(7, by: 2, previous: 1),
                other(2, 4..<7)),
            Case("after the new key", held: replaced, try version(4, by: 1), .accepted),
            Case("the old key again", held: replaced, try version(4, by: 0), other(0, wanted: 1, 4..<4)),
            Case(
                "back to the old key, both sign", held: replaced, try version(4, by: 0, previous: 1),
                .accepted),
            Case("a needless second signature", held: three, try version(4, by: 0, previous: 2), .accepted),
        ]
    }

    @Test func eachCaseHasItsAnswer() throws {
        for one in try Self.cases() {
            let history =
                one.held.map(TrustnetHistory.init(holding:))
                ?? TrustnetHistory(key: Self.keys[0].publicKey)
            #expect(history.judge(one.candidate, now: Self.now) == one.answer, "\(one.what)")
        }
    }

    /// One key may sign one trustnet only: a version of another one is no version of this.
    @Test func whatNeverChanges() throws {
        let history = TrustnetHistory(holding: try Self.version(3, by: 0))
        let changes: [(String, (inout Trustnet) -> Void)] = [
            ("name", { $0.name = $0.members[0].authority.name }), ("network", { $0.network = .signet }),
            ("shards and epoch", { $0.parameters = TreeParameters(shards: 512, epoch: 1000) }),
            ("shards and epoch", { $0.parameters = TreeParameters(shards: 1024, epoch: 100) }),
        ]
        for version in [3, 4] {
            for (member, change) in changes {
                var trustnet = try Self.trustnet(version, by: 0)
                change(&trustnet)
                #expect(
                    history.judge(try Self.sign(trustnet), now: Self.now) == .refused(.otherTrustnet(member)),
                    "\(member)")
            }
        }
    }

    /// A key that was replaced while the client was away: the versions in between lead to the newest, expired or not.
    @Test func aClientThatWasAway() throws {
        let newest = try Self.version(6, by: 2)
        var history = TrustnetHistory(holding: try Self.version(2, by: 0, expires: 5))
        #expect(history.judge(newest, now: Self.now) == Self.other(2, 3..<6))
        for between in [
            try Self.version(3, by: 1, previous: 0, expires: 10), try Self.version(4, by: 1, expires: 20),
            try Self.version(5, by: 2, previous: 1, expires: 30),
        ] {
            #expect(history.judge(between, now: Self.now) == .expired)
            history = TrustnetHistory(holding: between)
        }
        #expect(history.judge(newest, now: Self.now) == .accepted)
        #expect(history.key == Self.keys[2].publicKey)
    }

    @Test func onlyItsKeyCanSignIt() throws {
        let trustnet = try Self.trustnet(1, by: 0)
        let bytes = Array(trustnet.text.utf8)
        let digest = SHA256.hash(bytes)
        #expect(throws: SignedTrustnetError.signature(.wrong)) {
            try SignedTrustnet(checking: bytes, signature: try Self.keys[1].sign(digest))
        }
        #expect(throws: SignedTrustnetError.signature(.wrong)) {
            try SignedTrustnet(checking: bytes, signature: try Self.keys[0].sign(.zero))
        }
        #expect(throws: SignedTrustnetError.self) { try SignedTrustnet(checking: bytes, signature: []) }
        let signature = try Self.keys[0].sign(digest)
        let signed = try SignedTrustnet(checking: bytes, signature: signature)
        #expect(signed.trustnet == trustnet && signed.digest == digest)
        #expect(signed.isSigned(by: Self.keys[0].publicKey) && !signed.isSigned(by: Self.keys[1].publicKey))
        // One changed bit: no trustnet, or one that nobody signed.
        for i in bytes.indices {
            var changed = bytes
            changed[i] ^= 1
            #expect(throws: SignedTrustnetError.self, "byte \(i)") {
                try SignedTrustnet(checking: changed, signature: signature)
            }
        }
    }

    @Test func refusalsSayWhatIsWrong() {
        let keys = Self.keys.map(\.publicKey)
        let texts = [
            TrustnetHistory.Refusal.otherTrustnet("network"), .older(version: 2, held: 3),
            .equivocation(version: 3), .otherKey(keys[0], wanted: keys[1], between: 4..<4),
            .otherKey(keys[0], wanted: keys[1], between: 4..<7),
        ].map(\.description)
        #expect(Set(texts).count == 5)
        #expect(texts[1] == "is version 2, and version 3 is held: never back")
        #expect(texts[4].hasSuffix("one of the versions 4 to 6 says so"))
    }
}
