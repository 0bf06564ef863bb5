import Testing

@testable import Concord

/// The authorities of several trustnets and of one's own, each key once.
@Suite struct RosterTests {
    /// The points 1 G to 4 G.
    static let keys = [
        "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
        "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5",
        "02f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9",
        "02e493dbf1c10d80f3581e4904930b1404cc6c13900ee0758474fa94abe8c4cd13",
    ]

    static func authority(_ name: String, _ key: Int, _ urls: String...) throws -> Authority {
        Authority(
            name: try #require(AuthorityName(name)), key: try #require(PublicKey(hex: keys[key])),
            urls: urls.isEmpty ? ["https://\(name).example"] : urls)
    }

    static func trustnet(
        _ name: String, minimum: Int = 1, _ members: [Authority], withdrawn: [Int: Int] = [:],
        _ change: (inout Trustnet) -> Void = { _ in }
    ) throws -> Trustnet {
        var trustnet = Trustnet(
            name: try #require(AuthorityName(name)), network: .main, version: 1, expires: 0,
            parameters: Network.main.defaultParameters, minimum: minimum,
            bootstrap: try #require(PublicKey(hex: keys[3])),
            members: members.enumerated().map { Trustnet.Member($0.element, withdrawn: withdrawn[$0.offset]) }
        )
        change(&trustnet)
        return trustnet
    }

    @Test func anAuthorityInSeveralCountsOnce() throws {
        let (alice, bob) = (try Self.authority("alice", 0), try Self.authority("bob", 1))
        let one = try Self.trustnet("one", [alice, bob])
        let two = try Self.trustnet(
            "two",
            [
                try Self.authority("carol", 2),
                try Self.authority("alice", 0, "https://m.example", "https://alice.example"),
            ])
        let roster = try Roster(
            trustnets: [one, two],
            own: [try Self.authority("bob", 1, "file:///srv/bob"), try Self.authority("dora", 3)])
        #expect(roster.entries.map(\.member.authority.name.description) == ["alice", "bob", "carol", "dora"])
        #expect(
            roster.entries.map { $0.trustnets.map(\.description) } == [["one", "two"], ["one"], ["two"], []])
        #expect(roster.entries.map(\.isOwn) == [false, true, false, true])
        #expect(roster.members[0].authority.urls == ["https://alice.example", "https://m.example"])
        #expect(roster.members[1].authority.urls == ["https://bob.example", "file:///srv/bob"])
        #expect(try roster.minimum() == 3)
        #expect(try Roster().entries.isEmpty)
    }

    /// The heights at which two trustnets withdraw a key, nil where they do not or where it is one's own; what counts.
    @Test(
        arguments: [
            (5, 5, 5), (5, 9, 9), (9, 5, 9), (5, nil, nil), (nil, 5, nil), (nil, nil, nil), (0, 0, 0),
        ] as [(Int?, Int?, Int?)])
    func aKeyCountsAsFarAsAnybodyVouchesForIt(one: Int?, other: Int?, withdrawn: Int?) throws {
        let alice = try Self.authority("alice", 0)
        let trustnets = try [one, other].enumerated().map { i, height in
            try Self.trustnet("net\(i)", [alice], withdrawn: height.map { [0: $0] } ?? [:])
        }
        #expect(try Roster(trustnets: trustnets).members.map(\.withdrawn) == [withdrawn])
        #expect(try Roster(trustnets: trustnets, own: [alice]).members.map(\.withdrawn) == [nil])
    }

    /// One that the client retired itself counts as far as its trustnet lets it, and by itself below the height.
    @Test func aClientRetiresAKey() throws {
        let alice = try Self.authority("alice", 0)
        let retired = [Trustnet.Member(alice, withdrawn: 7)]
        #expect(try Roster(own: retired).members.map(\.withdrawn) == [7])
        for (height, withdrawn) in [(nil, nil), (5, 7), (9, 9)] as [(Int?, Int?)] {
            let trustnet = try Self.trustnet("net", [alice], withdrawn: height.map { [0: $0] } ?? [:])
            #expect(
                try Roster(trustnets: [trustnet], own: retired).members.map(\.withdrawn) == [withdrawn])
        }
        let members: [Trustnet.Member] = retired + [Trustnet.Member(try Self.authority("bob", 1))]
        let two = try Roster(own: members)
        #expect(try [6, 7].map { try two.minimum(at: $0) } == [2, 1])
    }

    @Test func oneKeyUnderTwoNamesAndOneNameWithTwoKeys() throws {
        let alice = try Self.authority("alice", 0)
        let (otherName, otherKey) = (try Self.authority("alicia", 0), try Self.authority("alice", 1))
        let sameKey = RosterError.sameKey(alice.name, otherName.name, alice.key)
        let sameName = RosterError.sameName(alice.name, alice.key, otherKey.key)
        for (other, error) in [(otherName, sameKey), (otherKey, sameName)] {
            let one = try Self.trustnet("one", [alice])
            let two = try Self.trustnet("two", [other])
            #expect(throws: error) { try Roster(trustnets: [one, two]) }
            #expect(throws: error) { try Roster(trustnets: [one], own: [other]) }
        }
    }

    @Test func kindsThatNeverAgree() throws {
        let one = try Self.trustnet("one", [])
        for change in [
            { $0.network = .signet }, { $0.parameters = TreeParameters(shards: 512, epoch: 1000) },
            { $0.parameters = TreeParameters(shards: 1024, epoch: 100) },
        ] as [(inout Trustnet) -> Void] {
            let two = try Self.trustnet("two", [], change)
            #expect(throws: RosterError.mixed(one, two)) { try Roster(trustnets: [one, two]) }
        }
        #expect(try Roster(trustnets: [one, one]).entries.isEmpty)
    }

    /// The minimum of two trustnets, what is wanted, and what is then needed of four authorities; 0 for a refusal.
    @Test(
        arguments: [
            (1, 1, nil, 3), (2, 1, nil, 3), (1, 4, nil, 4), (1, 5, nil, 0), (2, 3, 3, 3), (2, 3, 2, 0),
            (3, 2, 4, 4),
            (1, 1, 1, 1), (1, 1, 5, 0),
        ] as [(Int, Int, Int?, Int)])
    func neverFewerThanAnyTrustnetSays(one: Int, other: Int, wanted: Int?, needed: Int) throws {
        let all = try (0..<4).map { try Self.authority("a\($0)", $0) }
        let roster = try Roster(trustnets: [
            try Self.trustnet("one", minimum: one, Array(all[..<3])),
            try Self.trustnet("two", minimum: other, Array(all[2...])),
        ])
        #expect((try? roster.minimum(wanted)) ?? 0 == needed)
    }

    /// A withdrawn key is no authority any more, except where a height below is asked for.
    @Test func withdrawnKeysDoNotCount() throws {
        let all = try (0..<3).map { try Self.authority("a\($0)", $0) }
        let roster = try Roster(trustnets: [try Self.trustnet("one", all, withdrawn: [0: 7, 1: 9])])
        #expect(try roster.minimum() == 1)
        #expect(try [5, 6, 7, 8, 9].map { try roster.minimum(at: $0) } == [2, 2, 2, 2, 1])
        #expect(throws: RosterError.tooFew(1, minimum: 2)) { try roster.minimum(2) }
        #expect(throws: RosterError.tooFew(1, minimum: 2)) {
            try Roster(trustnets: [try Self.trustnet("two", minimum: 2, all, withdrawn: [0: 7, 1: 9])])
                .minimum()
        }
    }
}
