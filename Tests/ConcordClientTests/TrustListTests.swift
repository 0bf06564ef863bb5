import Concord
import Foundation
import TestSupport
import Testing

@testable import ConcordClient

@Suite struct TrustListTests {
    static let keys = [
        "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
        "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5",
    ]

    static func authority(_ name: String, _ key: Int = 0, _ urls: String...) throws -> Authority {
        Authority(
            name: try #require(AuthorityName(name)), key: try #require(PublicKey(hex: keys[key])), urls: urls)
    }

    @Test func whatIsWrittenIsRead() throws {
        var list = TrustList()
        try list.add(Self.authority("b", 1, "https://b.example//", "file:///srv/b"))
        try list.add(Self.authority("a", 0, "http://a.example/tree/"))
        let key = try #require(PublicKey(hex: Self.keys[1]))
        try list.use(key, ["https://net.example/"])
        try list.use(key, ["https://net.example", "file:///srv/net"])
        let scratch = try Scratch()
        let path = try scratch.write(try list.encoded(), to: "trust.json")
        let read = try TrustList(reading: path)
        #expect(read.authorities == list.authorities && read.trustnets == list.trustnets)
        #expect(
            read.trustnets.map(\.key) == [key]
                && read.trustnets[0].urls == ["https://net.example", "file:///srv/net"])
        list.drop(key)
        #expect(list.trustnets.isEmpty)
        #expect(throws: TrustList.Refusal.self) { try list.use(key, []) }
        #expect(throws: TrustList.Refusal.self) { try list.use(key, ["net.example"]) }
        #expect(
            read.authorities.map(\.urls) == [
                ["https://b.example", "file:///srv/b"], ["http://a.example/tree"],
            ])
        #expect(try TrustList(reading: scratch.path("missing")).authorities.isEmpty)
    }

    @Test func oneNameHasOneKeyAndOneKeyOneName() throws {
        var list = TrustList()
        try list.add(Self.authority("a", 0, "https://a.example"))
        #expect(throws: TrustList.Refusal.self) { try list.add(Self.authority("b", 0, "https://b.example")) }
        #expect(throws: TrustList.Refusal.self) { try list.add(Self.authority("a", 1, "https://b.example")) }
        #expect(throws: TrustList.Refusal.self) { try list.add(Self.authority("b", 1)) }
        #expect(list.authorities == [try Self.authority("a", 0, "https://a.example")])
        // More URLs of one that is there, each once.
        try list.add(Self.authority("a", 0, "https://b.example", "https://a.example/"))
        try list.add(Self.authority("a", 0))
        #expect(list.authorities == [try Self.authority("a", 0, "https://a.example", "https://b.example")])
        try list.remove(try #require(AuthorityName("a")))
        #expect(throws: TrustList.Refusal.self) { try list.remove(try #require(AuthorityName("a"))) }
        try list.add(Self.authority("b", 0, "https://b.example"))
    }

    /// A key that was withdrawn stays so: in the file, and when its authority gets more URLs.
    @Test func aKeyIsRetired() throws {
        var list = TrustList()
        try list.add(Self.authority("a", 0, "https://a.example"))
        try list.add(Self.authority("b", 1, "https://b.example"))
        let (a, b) = (try #require(AuthorityName("a")), try #require(AuthorityName("b")))
        try list.retire(a, from: 840_000)
        try list.add(Self.authority("a", 0, "https://mirror.example"))
        let scratch = try Scratch()
        let read = try TrustList(reading: scratch.write(try list.encoded(), to: "trust.json"))
        #expect(read.members == list.members && read.members.map(\.withdrawn) == [840_000, nil])
        #expect(read.authorities[0].urls == ["https://a.example", "https://mirror.example"])
        try list.retire(a, from: 0)
        #expect(list.members[0].withdrawn == 0)
        #expect(throws: TrustList.Refusal.self) { try list.retire(b, from: -1) }
        #expect(throws: TrustList.Refusal.self) { try list.retire(b, from: 10_000_000) }
        #expect(throws: TrustList.Refusal.self) {
            try list.retire(try #require(AuthorityName("c")), from: 1)
        }
        try list.remove(a)
        try list.add(Self.authority("a", 0, "https://a.example"))
        #expect(list.members.map(\.withdrawn) == [nil, nil])
    }

    @Test(arguments: [
        "ftp://a.example", "a.example", "", "http://", "https://a.example?b", "https://a.example/#b",
        "http://a\nb", "http://a.example\0",
    ])
    func noURLsOfATree(url: String) throws {
        var list = TrustList()
        #expect(throws: TrustList.Refusal.self) { try list.add(Self.authority("a", 0, url)) }
        #expect(list.authorities.isEmpty)
    }

    /// Words about a URL end in logs and in what people send to each other.
    @Test(arguments: ["ftp://bob:secret@a.example", "https://bob:secret@a.example/?b"])
    func noPasswordIsShown(url: String) throws {
        let refusal = #expect(throws: TrustList.Refusal.self) { try TrustList.normal(url) }
        let words = "\(try #require(refusal))"
        #expect(words.contains("bob@a.example") && !words.contains("secret"), "\(words)")
    }

    /// A list that somebody edited is held to the same rules.
    @Test func aListWithOneKeyTwice() throws {
        let entry = { (name: String) in
            "{\"name\": \"\(name)\", \"key\": \"\(Self.keys[0])\", \"urls\": [\"https://a.example\"]}"
        }
        let scratch = try Scratch()
        let good = try scratch.write("{\"authorities\": [\(entry("a"))]}", to: "good")
        #expect(try TrustList(reading: good).authorities.count == 1)
        let bad = try scratch.write("{\"authorities\": [\(entry("a")), \(entry("b"))]}", to: "bad")
        #expect(throws: TrustList.Refusal.self) { try TrustList(reading: bad) }
    }
}
