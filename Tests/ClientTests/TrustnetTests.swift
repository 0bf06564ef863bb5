import Concord
import Foundation
import TestSupport
import Testing

/// A client that uses trustnets: what it takes, what it refuses, and whom it compares then.
@Suite(.waits) struct TrustnetClientTests {
    let sites: [Site]
    let client: Client

    init() throws {
        sites = try Site.all()
        client = try Client()
    }

    @Test func fromAKeyToASet() throws {
        let net = try TrustnetSite(sites)
        let used = try client.succeed("trust", "use", net.url + "/", "--key", net.key.uppercased())
        #expect(used.output.hasPrefix("using example, version 1, until 20"))
        #expect(used.output.hasSuffix("\n3 authorities, 2 must attest a block, none may differ\n"))
        let (status, answer) = try client.check()
        #expect(status == 0 && answer.height == PublishedTree.tip && answer.minimum == 2)
        #expect(answer.authorities.map(\.key) == sites.map(\.publicKey))
        #expect(answer.verdicts == ["agrees", "agrees", "agrees"])
        #expect(try client.fetch().shards == 16)

        let trusted = try client.trusted()
        #expect(trusted.trustnets.map(\.name) == ["example"] && trusted.trustnets[0].version == 1)
        #expect(trusted.trustnets[0].key == net.key && trusted.trustnets[0].urls == [net.url])
        #expect(trusted.trustnets[0].expired == false && trusted.minimum == 2 && trusted.problem == nil)
        #expect(trusted.authorities.allSatisfy { $0.trustnets == ["example"] && !$0.own })
        let list = try client.succeed("trust", "list").output
        #expect(list.contains("trustnet example  regtest, version 1, expires 20"))
        let words = try #require(PublicKey(hex: sites[0].publicKey)).words.joined(separator: " ")
        #expect(
            list.contains(
                "alpha  \(sites[0].publicKey)  (example)\n    words: \(words)\n    \(sites[0].url)\n"))
        let bootstrap = try #require(PublicKey(hex: net.key)).words.joined(separator: " ")
        #expect(list.contains("    bootstrap key \(net.key)\n    words: \(bootstrap)\n"))
        // What was signed is kept as it was signed.
        let kept = client.home.path("trustnets/\(net.key)/trustnet/1.json")
        let verified = try Program.installed("openssl").run(
            "dgst", "-sha256", "-verify", net.folder.path("trustnet.pem"), "-signature", kept + ".sig", kept)
        #expect(verified.output == "Verified OK\n")
    }

    /// A client's own list can do what a trustnet can.
    @Test func aKeyOfOnesOwnListIsRetired() throws {
        for site in sites { try client.trust(site) }
        let retired = try client.succeed("trust", "retire", "charlie", "--from", "300")
        #expect(
            retired.output
                == "the key of charlie counts below height 300 only. 3 authorities, 2 must attest a block, none may "
                + "differ\n")
        let (status, answer) = try client.check()
        #expect(status == 0 && answer.minimum == 2 && answer.verdicts == ["agrees", "agrees", "withdrawn"])
        #expect(try client.trusted().authorities.map(\.withdrawnFrom) == [nil, nil, 300])
        #expect(
            try client.succeed("trust", "list").output.contains(
                "(own; withdrawn: counts below height 300 only)"))
        #expect(try client.run("trust", "retire", "dora", "--from", "1").status == 64)
        #expect(try client.run("trust", "retire", "alpha", "--from", "x").status == 64)
        // One that a trustnet vouches for is not silenced.
        try client.use(try TrustnetSite(sites))
        let kept = try client.succeed("trust", "retire", "bravo", "--from", "9")
        #expect(kept.output.contains("still counts at every height"), "\(kept.output)")
        #expect(try client.check().answer.verdicts == ["agrees", "agrees", "agrees"])
    }

    /// Newer versions come in on the way; where nothing is newer, only the document is asked for.
    @Test func newerVersionsComeIn() throws {
        let net = try TrustnetSite(Array(sites[..<2]))
        try client.use(net)
        #expect(try client.check().answer.verdicts == ["agrees", "agrees"])
        #expect(net.server.requests.count == 4)
        try net.add(sites[2])
        try net.sign("--expires", "1000")
        #expect(try client.check().answer.verdicts == ["agrees", "agrees", "agrees"])
        #expect(try client.trusted().trustnets[0].version == 2)
        try net.run("remove", "bravo", "--minimum", "1")
        try net.sign()
        #expect(try client.succeed("trust", "update").output == "example: version 3, was 2\n")
        #expect(try client.succeed("trust", "update").output == "example: version 3, nothing newer\n")
        #expect(try client.fetch().agreement.authorities.map(\.name) == ["alpha", "charlie"])
    }

    /// The version that is held goes on while no host serves it.
    @Test func aHostThatFails() throws {
        let net = try TrustnetSite(sites)
        try client.use(net)
        try client.succeed("trust", "use", "file:///nowhere/net", "--key", net.key)
        net.server.stop()
        let outcome = try client.run("check")
        #expect(outcome.status == 0 && outcome.output.contains("agreed by 3 of 3"), "\(outcome.said)")
        #expect(outcome.errors.contains("warning: \(net.url)/trustnet.json could not be fetched"))
        #expect(outcome.errors.contains("warning: file:///nowhere/net/trustnet.json does not exist"))
    }

    /// Whatever a host serves in the place of a newer version, the one that is held goes on.
    @Test func aHostThatLies() throws {
        let net = try TrustnetSite(sites)
        let other = try TrustnetSite(sites, minimum: 1)
        try client.use(net)
        let served = try net.folder.read("trustnet.json")
        func lie(_ words: String, _ change: () throws -> Void) throws {
            try change()
            let outcome = try client.run("check")
            #expect(outcome.status == 0 && outcome.output.contains("agreed by 3 of 3"), "\(outcome.said)")
            #expect(outcome.errors.contains("warning: \(net.url)/trustnet"), "\(outcome.said)")
            #expect(outcome.errors.contains(words), "\(outcome.said)")
        }
        try lie("is a page for people, not the file") { try net.folder.replace("trustnet.json", "<html>") }
        try lie("is larger than the 1048576 bytes") {
            try net.folder.replace("trustnet.json", [UInt8](repeating: 0x20, count: 1_048_577))
        }
        // Somebody else's list under a number far ahead: the way there is not walked.
        try other.forge(1) { $0.version = 999_999_999 }
        try lie("trustnet/2.json does not exist") {
            for suffix in ["", ".sig"] {
                try net.folder.replace(
                    "trustnet/999999999.json" + suffix, try other.folder.read("trustnet/1.json" + suffix))
            }
            try net.folder.replace("trustnet.json", try other.folder.read("trustnet/1.json"))
        }
        try lie("trustnet/2.json: is signed by the key \(other.key)") {
            try other.forge(1) { $0.version = 2 }
            for (from, to) in [
                ("1.json", "2.json"), ("1.json.sig", "2.json.sig"), ("1.json", "3.json"),
                ("1.json.sig", "3.json.sig"),
            ] {
                try net.folder.replace("trustnet/" + to, try other.folder.read("trustnet/" + from))
            }
        }
        #expect(try client.trusted().trustnets[0].version == 1)

        // What is kept is held to its signature too.
        try net.folder.replace("trustnet.json", served)
        try client.home.flip("trustnets/\(net.key)/trustnet/1.json")
        let damaged = try client.run("check")
        #expect(
            damaged.status == 1 && damaged.errors.contains("was changed on this machine"), "\(damaged.said)")
    }

    @Test func aKeyThatIsNotTheirs() throws {
        let net = try TrustnetSite(sites)
        let outcome = try client.run("trust", "use", net.url, "--key", sites[0].publicKey)
        #expect(outcome.status == 4 && outcome.output.isEmpty)
        #expect(
            outcome.errors.contains(
                "is signed by the key \(net.key), not by the bootstrap key \(sites[0].publicKey)"))
        #expect(outcome.errors.contains("is this the key"))
        #expect(try client.trusted().trustnets.isEmpty)
        let spoilt = try TrustnetSite(sites)
        try spoilt.folder.flip("trustnet/1.json.sig")
        #expect(try client.run("trust", "use", spoilt.url, "--key", spoilt.key).status == 4)
        #expect(try client.run("trust", "use", spoilt.url, "--key", "02").status == 64)
    }

    /// Two keys were replaced while the client was away, and for one that comes later too.
    @Test func aReplacedBootstrapKey() throws {
        let net = try TrustnetSite(sites)
        try client.use(net)
        let second = try net.replaceKey("bootstrap.pem", by: "second.pem")
        #expect(
            try client.succeed("trust", "update").output
                == "example: version 2, was 1, with a new bootstrap key, \(second)\n")
        try net.sign("--expires", "900", key: "second.pem")
        let third = try net.replaceKey("second.pem", by: "third.pem")
        let fourth = try net.replaceKey("third.pem", by: "fourth.pem")
        try net.sign("--expires", "900", key: "fourth.pem")
        #expect(try client.check().status == 0)
        #expect(try client.trusted().trustnets[0].bootstrap == fourth)
        #expect(try client.trusted().trustnets[0].version == 6)
        for key in [net.key, second, third, fourth] {
            let other = try Client()
            try other.succeed("trust", "use", net.url, "--key", key)
            #expect(try other.trusted().trustnets[0].bootstrap == fourth)
        }
        // A link that is missing leads nowhere.
        try net.folder.remove("trustnet/4.json.previous.sig")
        let other = try Client()
        let outcome = try other.run("trust", "use", net.url, "--key", net.key)
        #expect(outcome.errors.contains("trustnet/4.json: is signed by the key \(third)"), "\(outcome.said)")
        #expect(try other.trusted().trustnets.first?.bootstrap != fourth)
    }

    /// What the key signed from a height on does not count, for or against; what it signed before does.
    @Test func aWithdrawnKey() throws {
        let net = try TrustnetSite(sites)
        try net.run("retire", "charlie", "--from", "328")
        try net.sign()
        try client.use(net)
        try sites[2].lie(at: 330)
        let (status, answer) = try client.check()
        #expect(status == 0 && answer.verdicts == ["agrees", "agrees", "withdrawn"], "\(answer)")
        #expect(
            try client.run("check").output.contains("charlie: its key was withdrawn at that height or below"))
        #expect(try client.check("--height", "328").answer.verdicts == ["agrees", "agrees", "withdrawn"])
        #expect(try client.check("--height", "327").answer.verdicts == ["agrees", "agrees", "agrees"])
        #expect(try client.check("--height", "290").answer.verdicts == ["agrees", "agrees", "agrees"])
        #expect(try client.fetch().agreement.height == PublishedTree.tip)
        #expect(try client.utxos("raw(51)").authorities == ["alpha", "bravo"])
        #expect(try client.trusted().authorities.map(\.withdrawnFrom) == [nil, nil, 328])
        #expect(
            try client.succeed("trust", "list").output.contains(
                "(example; withdrawn: counts below height 328 only)"))
        try sites[2].lie(at: 320)
        let below = try client.check("--height", "320")
        #expect(below.status == 2 && below.answer.verdicts == ["agrees", "agrees", "dissents"])
    }

    @Test func notPastItsExpiry() throws {
        let net = try TrustnetSite(sites)
        try net.sign("--expires", "2100-01-01")
        client.now = "2099-12-31T23:59:59Z"
        try client.use(net)
        #expect(try client.check().status == 0)
        client.now = "2100-01-01T00:00:00Z"
        for command in [
            ["check"], ["fetch"], ["trust", "update"], ["audit", "--network", "regtest", "--datadir", "/"],
        ] {
            let outcome = try client.run(command)
            #expect(outcome.status == 3, "\(outcome.said)")
            #expect(
                outcome.errors.contains(
                    "error: version 2 of the trustnet `example` expired at 2100-01-01T00:00:00Z (this machine's clock says 2100-01-01T00:00:00Z), and no newer one"
                ))
        }
        #expect(!client.isInstalled)
        #expect(try client.trusted().trustnets[0].expired == true)
        #expect(
            try client.succeed("trust", "list").output.contains("version 2, EXPIRED 2100-01-01T00:00:00Z"))
        let other = try Client()
        other.now = client.now
        #expect(try other.run("trust", "use", net.url, "--key", net.key).status == 3)
        #expect(try other.trusted().trustnets.isEmpty)
        try net.sign("--expires", "2100-01-02")
        #expect(try client.check().status == 0)
        client.now = "soon"
        #expect(try client.run("check").status == 64)
    }

    /// Not even where the newer one has expired, or the trustnet was left in between.
    @Test func neverBackToAnOlderVersion() throws {
        let net = try TrustnetSite(sites)
        try net.run("remove", "charlie")
        try net.sign("--expires", "2100-01-01")
        try client.use(net)
        try net.serve(1)
        let outcome = try client.run("check")
        #expect(outcome.status == 0 && outcome.output.contains("agreed by 2 of 2"))
        #expect(
            outcome.errors.contains(
                "warning: \(net.url)/trustnet.json: is version 1, and version 2 is held: never back"))
        try client.succeed("trust", "drop", "example")
        #expect(try client.trusted().authorities.isEmpty)
        #expect(try client.run("trust", "drop", "example").status == 1)
        let again = try client.succeed("trust", "use", net.url, "--key", net.key)
        #expect(again.output.hasPrefix("using example, version 2, "))
        client.now = "2100-01-01T00:00:00Z"
        #expect(try client.run("check").status == 3)
    }

    /// Both are kept, and openssl accepts both; of the version that is held, and of one before.
    @Test(arguments: [1, 2]) func twoDocumentsUnderOneNumber(version: Int) throws {
        let net = try TrustnetSite(sites)
        try client.use(net)
        try client.fetch("--height", "320")
        let installed = try client.set.text("agreed.json")
        try net.sign("--expires", "900")
        #expect(try client.check().status == 0)
        try net.forge(version) { $0.members.removeLast() }
        for command in ["check", "fetch"] {
            let outcome = try client.run(command)
            #expect(outcome.status == 2, "\(outcome.said)")
            #expect(outcome.errors.contains("has signed two documents under one number, version \(version)"))
        }
        #expect(try client.set.text("agreed.json") == installed)
        let evidence = PlainTree(client.home.path("evidence/trustnet-example-\(version)"))
        let documents = evidence.files().filter { $0.hasSuffix(".json") }
        #expect(documents.count == 2)
        let proof = try Client().run("evidence", evidence.root)
        #expect(
            proof.isSuccess
                && proof.output.contains(
                    "the key \(net.key) signed two documents of a trustnet that calls itself \"example\""),
            "\(proof.said)")
        for document in documents {
            let verified = try Program.installed("openssl").run(
                "dgst", "-sha256", "-verify", evidence.path("\(net.key).pem"), "-signature",
                evidence.path(document + ".sig"), evidence.path(document))
            #expect(verified.output == "Verified OK\n", "\(verified.said)")
        }
        let account = try evidence.text("account.txt")
        #expect(documents.allSatisfy { account.contains($0) } && account.contains("served at \(net.url)"))
        #expect(try client.trusted().trustnets[0].version == 2)
    }

    /// An authority in two trustnets counts once, under all its URLs, and one's own stand beside them.
    @Test func severalTrustnetsAndOnesOwn() throws {
        let mirror = try Site(try PublishedTree.atTip.get()[1])
        let one = try TrustnetSite(Array(sites[..<2]), name: "one")
        let two = try TrustnetSite([mirror], name: "two", minimum: 1)
        for net in [one, two] { try client.use(net) }
        try client.trust(sites[1])
        try client.trust(sites[2])
        let (status, answer) = try client.check()
        #expect(status == 0 && answer.authorities.map(\.name) == ["alpha", "bravo", "charlie"])
        #expect(answer.verdicts == ["agrees", "agrees", "agrees"] && answer.minimum == 2)
        let trusted = try client.trusted()
        #expect(trusted.authorities.map(\.trustnets) == [["one"], ["one", "two"], []])
        #expect(trusted.authorities.map(\.own) == [false, true, true])
        #expect(trusted.authorities[1].urls == [sites[1].url, mirror.url])
        let list = try client.succeed("trust", "list").output
        #expect(list.contains("bravo  \(mirror.publicKey)  (one, two, own)\n"))
        #expect(list.contains("charlie  \(sites[2].publicKey)  (own)\n"))
        // Of two that disagree about a key, none can silence it.
        try one.run("retire", "bravo", "--from", "0", "--minimum", "1")
        try one.sign()
        try mirror.lie(at: 330)
        #expect(try client.check().status == 2)
        try client.succeed("trust", "drop", two.key)
        #expect(try client.trusted().trustnets.map(\.name) == ["one"])
    }

    /// Each refusal has its own words, and changes nothing.
    @Test func whatCannotBeCompared() throws {
        let net = try TrustnetSite(sites)
        try client.use(net)
        func refuse(_ words: String, _ arguments: String...) throws {
            let outcome = try client.run(arguments)
            #expect(outcome.status == 64 && outcome.errors.contains(words), "\(outcome.said)")
        }
        try refuse(
            "`alpha` and `alice` have the same key", "trust", "add", "alice", sites[0].publicKey, sites[0].url
        )
        try refuse(
            "`alpha` is the name of two authorities", "trust", "add", "alpha", UsageTests.key,
            "https://a.example")
        let renamed = try TrustnetSite([sites[0]], name: "renamed", minimum: 1)
        try renamed.run("remove", "alpha")
        try renamed.add(sites[0], as: "alice")
        try renamed.sign()
        try refuse("`alpha` and `alice` have the same key", "trust", "use", renamed.url, "--key", renamed.key)
        for other in [
            try TrustnetSite(sites, name: "other", network: "signet"),
            try TrustnetSite(sites, name: "other", epoch: 77),
        ] {
            try refuse("they can never agree", "trust", "use", other.url, "--key", other.key)
        }
        let same = try TrustnetSite(sites)
        try refuse("a trustnet «example» is in use already", "trust", "use", same.url, "--key", same.key)
        let trusted = try client.trusted()
        #expect(trusted.trustnets.count == 1 && trusted.authorities.count == 3)
        #expect(trusted.authorities.allSatisfy { !$0.own })

        // Brought in by a newer version, the same ends every command.
        let late = try TrustnetSite([sites[0]], name: "late", minimum: 1)
        try client.use(late)
        try late.run("remove", "alpha")
        try late.add(sites[0], as: "alice")
        try late.sign()
        let outcome = try client.run("check")
        #expect(outcome.status == 3 && outcome.errors.contains("`alpha` and `alice` have the same key"))
        #expect(try client.trusted().problem?.contains("have the same key") == true)
        #expect(try client.succeed("trust", "list").output.contains("alice  \(sites[0].publicKey)  (late)"))
    }

    /// A trustnet of one network whose authorities attest another.
    @Test func anAuthorityOfAnotherNetwork() throws {
        let net = try TrustnetSite(sites, minimum: 1, network: "signet")
        try client.use(net)
        let outcome = try client.run("check")
        #expect(outcome.status == 3, "\(outcome.said)")
        #expect(
            outcome.output.contains(
                "attests regtest with 16 shards and epochs of 50 blocks, not signet with")
                && outcome.output.contains("evidence/other-tree-alpha"), "\(outcome.said)")
        #expect(client.home.files(under: "evidence").count { $0.contains("other-tree-alpha-") } == 3)
    }

    @Test func neverFewerThanTheMinimum() throws {
        let net = try TrustnetSite(sites, minimum: 3)
        try client.use(net)
        #expect(try client.check().answer.minimum == 3)
        #expect(try client.check("--minimum", "3").status == 0)
        for (minimum, words) in [
            ("2", "a minimum of 2 is below the 3 that the trustnet `example` asks for"),
            ("4", "only 3 authorities count, and at least 4 must agree"), ("0", "--minimum is 1 or more"),
        ] {
            for command in ["check", "fetch"] {
                let outcome = try client.run(command, "--minimum", minimum)
                #expect(outcome.status == 64 && outcome.errors.contains(words), "\(outcome.said)")
            }
        }
        sites[0].server.stop()
        let (status, answer) = try client.check()
        #expect(status == 3 && answer.reason == "2 of 3 authorities can be counted, at least 3 are needed")
        let own = try Client(trusting: Array(sites[1...]))
        #expect(try own.check("--minimum", "1").answer.minimum == 1)
    }

    @Test func howOldIsTooOld() throws {
        let client = try Client(trusting: sites)
        #expect(try client.check("--max-age", "10").status == 0)
        client.now = "2100-01-01T00:00:00Z"
        #expect(try client.check().status == 0)
        let (status, answer) = try client.check("--max-age", "10")
        #expect(status == 3 && answer.verdicts == ["stale", "stale", "stale"])
        #expect(try client.run("fetch", "--max-age", "10").status == 3)
        #expect(try client.check("--max-age", "999999").status == 0)
        #expect(try client.run("check", "--max-age", "0").status == 64)
    }
}
