import Concord
import Foundation
import TestSupport
import Testing

/// `concord mirror`: a copy that anybody may serve.
@Suite(.waits) struct MirrorTests {
    let site: Site
    let client: Client
    let mirror: PlainTree

    init() throws {
        site = try Site(try PublishedTree.atTip.get()[0])
        client = try Client()
        mirror = PlainTree(client.scratch.path("mirror"))
    }

    struct Mirrored: Decodable {
        let name, network, key, block: String
        let height, attestations, files, bytes: Int
        let dataFrom: Int?
    }

    func run(_ more: String...) throws -> Mirrored {
        try client.succeed(["mirror", site.url, mirror.root, "--json", "--key", site.publicKey] + more).json()
    }

    func verify(_ tree: PlainTree) throws -> Program.Outcome {
        try client.run("verify", tree.root, "--key", site.publicKey, "--deep")
    }

    /// Nothing of a tree but its pages is missing, and each file is the authority's, byte for byte.
    func expectSame(_ paths: (String) -> Bool = { _ in true }) throws {
        let pages = ["FORMAT.md", "index.html", "audit.sh"]
        let theirs = site.tree.files().filter { !pages.contains($0) && paths($0) }
        #expect(mirror.files() == theirs)
        for path in theirs { #expect(try mirror.read(path) == site.tree.read(path), "\(path)") }
    }

    @Test func aWholeTree() throws {
        let mirrored = try run()
        #expect(mirrored.height == 330 && mirrored.attestations == 331 && mirrored.dataFrom == 0)
        #expect(mirrored.files == 2 * 331 + 33 + 7 * 33 && mirrored.key == site.publicKey)
        try expectSame { !$0.hasSuffix(".torrent") && !$0.hasSuffix(".magnet") }
        #expect(try verify(mirror).isSuccess)
        let before = try mirror.look()
        let again = try run()
        #expect(again.attestations == 0 && again.files == 0 && again.bytes < 4096)
        #expect(try mirror.look().files == before.files)
    }

    /// A client fetches from it as from the tree itself.
    @Test func aClientFetchesFromIt() throws {
        _ = try run()
        let other = try Client()
        try other.trust(site.name, site.publicKey, "file://\(mirror.root)")
        #expect(try other.fetch().agreement.height == 330)
    }

    /// It grows with the tree, and is never taken back.
    @Test func itIsKeptCurrent() throws {
        try site.serve(try PublishedTree.fiveBlocksBefore.get()[0])
        #expect(try run().height == 325)
        try site.serve(try PublishedTree.atTip.get()[0])
        let grown = try run()
        #expect(grown.height == 330 && grown.attestations == 5 && grown.files == 2 * 5 + 1)
        #expect(try verify(mirror).isSuccess)
        let before = try mirror.look()
        try site.serve(try PublishedTree.fiveBlocksBefore.get()[0])
        let outcome = try client.run("mirror", site.url, mirror.root)
        #expect(outcome.status == 4 && outcome.errors.contains("the host is behind"), "\(outcome.said)")
        #expect(try mirror.look() == before)
    }

    @Test func theNewestEpochsOnly() throws {
        let mirrored = try run("--snapshots", "2")
        #expect(mirrored.attestations == 331 && mirrored.dataFrom == 250)
        try expectSame { path in
            if path.hasSuffix(".torrent") || path.hasSuffix(".magnet") { return false }
            let data = ["muhashes/", "patches/", "deltas/", "snapshots/"].first { path.hasPrefix($0) }
            return data.map { path.dropFirst($0.count) >= "0000250" } ?? true
        }
        let verified = try verify(mirror)
        #expect(verified.isSuccess && verified.output.contains("data from height 250 on"), "\(verified.said)")
        // More is wanted, then less.
        #expect(try run("--snapshots", "4").dataFrom == 150)
        #expect(try verify(mirror).isSuccess)
        #expect(try run().dataFrom == 0)
        #expect(try verify(mirror).output.contains("data from") == false)
        #expect(try run("--snapshots", "3").dataFrom == 200)
        #expect(try verify(mirror).output.contains("data from height 200 on"))
    }

    @Test func attestationsOnly() throws {
        let mirrored = try run("--attestations-only")
        #expect(mirrored.attestations == 331 && mirrored.files == 0 && mirrored.dataFrom == nil)
        #expect(!mirror.files().contains { $0.hasSuffix(".zst") })
        #expect(try verify(mirror).isSuccess)
    }

    /// Killed wherever it was, what there is has been checked, and the next run goes on.
    @Test func killed() throws {
        // Which never has it all.
        let slow = try Site(
            try PublishedTree.atTip.get()[0],
            directives: "limit_rate 20k; location /patches/0000300/ { limit_rate 1; }")
        for wait in [0.1, 0.4, 0.8] {
            let running = try client.start("mirror", slow.url, mirror.root)
            usleep(useconds_t(wait * 1e6))
            running.send(SIGKILL)
            _ = try running.wait()
            #expect(!mirror.files().contains("latest.txt"))
        }
        _ = try run()
        #expect(try verify(mirror).isSuccess)
        try expectSame { !$0.hasSuffix(".torrent") && !$0.hasSuffix(".magnet") }
    }

    enum Fault: String, CaseIterable {
        case patch, shard, manifest, attestation, signature, headers, otherKey, noLatest, history

        func spoil(_ site: Site) throws {
            let tree = site.tree
            switch self {
            case .patch: try tree.flip(tree.paths("patches", containing: "0000277-")[0])
            case .shard: try tree.flip(tree.paths("snapshots", containing: "0000250-")[5])
            case .manifest: try tree.flip(tree.paths("snapshots/", containing: "manifest.txt")[3])
            case .attestation: try tree.flip(try tree.attestation(123))
            case .signature: try tree.flip(try tree.attestation(123) + ".sig")
            case .headers: try tree.flip("headers/0000100.bin")
            case .otherKey: try site.serve(try PublishedTree.atTip.get()[1])
            case .noLatest: try tree.remove("latest.txt")
            case .history:
                try site.forge(140) {
                    $0.statement.history[0] = Site.oneDigitChanged($0.statement.history[0])
                }
            }
        }
    }

    /// Nothing wrong gets a name, and what points to it is not there.
    @Test(arguments: Fault.allCases) func aHostThatLies(_ fault: Fault) throws {
        _ = site.tree
        try fault.spoil(site)
        let outcome = try client.run("mirror", site.url, mirror.root, "--key", site.publicKey)
        #expect(outcome.status == 4 && outcome.errors.contains(site.url), "\(outcome.said)")
        #expect(!mirror.files().contains("latest.txt"))
        let good = try PublishedTree.atTip.get()[0].tree
        for path in mirror.files() where fault != .history {
            #expect(try mirror.read(path) == good.read(path), "\(path)")
        }
    }

    /// What nobody signs cannot break a mirror, and no date ahead can freeze it.
    @Test func aFalseBeginningAndAFalseDate() throws {
        let text = try site.tree.text("authority.txt")
        for first in ["350", "400", "9999950"] {
            try site.tree.replace("authority.txt", text.replacing("first: 0", with: "first: \(first)"))
            let outcome = try client.run("mirror", site.url, mirror.root)
            #expect(
                outcome.status == 4 && outcome.errors.contains("says that the tree begins"), "\(outcome.said)"
            )
            #expect(mirror.files().isEmpty)
        }
        try site.tree.replace("authority.txt", text)
        let newest = try site.tree.attestation(330)
        let signed = try ["", ".sig"].map { ($0, try site.tree.read(newest + $0)) }
        try site.forge(330) { $0.time += 365 * 86_400 }
        let ahead = try client.run("mirror", site.url, mirror.root)
        #expect(ahead.status == 4 && ahead.errors.contains("ahead of this machine's clock"), "\(ahead.said)")
        for (suffix, bytes) in signed { try site.tree.replace(newest + suffix, bytes) }
        #expect(try run().height == 330)
        // Where a tree begins is nobody's word: a mirror has it from wherever it once had it.
        try site.tree.replace("authority.txt", text.replacing("first: 0", with: "first: 50"))
        #expect(try run().attestations == 0)
        #expect(try mirror.text("authority.txt") == text)
        let young = PlainTree(client.scratch.path("young"))
        let arguments = ["mirror", site.url, young.root, "--json", "--key", site.publicKey]
        try client.succeed(arguments)
        #expect(young.attestations().keys.min() == 50)
        try site.tree.replace("authority.txt", text.replacing("name: alpha", with: "name: satoshi"))
        try client.succeed(arguments)
        #expect(young.attestations().keys.min() == 0)
        #expect(try young.text("authority.txt") == text)
        #expect(try verify(young).isSuccess)
    }

    /// Of another authority, or no mirror at all: nothing is added, even where a first run got no further.
    @Test func aFolderOfSomethingElse() throws {
        let other = try Site(try PublishedTree.atTip.get()[1])
        try other.tree.flip(try other.tree.attestation(330))
        try other.tree.flip(try other.tree.attestation(320))
        try other.tree.replace("latest.txt", "325 \(try ChainFixture.regtestRich.answers()[325].block)\n")
        #expect(try client.run("mirror", other.url, mirror.root).status == 4)
        #expect(!mirror.files().contains("latest.txt") && mirror.attestations().keys.max() == 299)
        let before = try mirror.look()
        let mixed = try client.run("mirror", site.url, mirror.root, "--key", site.publicKey)
        #expect(mixed.status == 1 && mixed.errors.contains("give another folder"), "\(mixed.said)")
        #expect(try mirror.look() == before)

        let home = PlainTree(client.scratch.path("home"))
        try home.replace("letters/1.txt", "Dear Alice")
        try home.replace(".tmp/1", "mine")
        let refused = try client.run("mirror", site.url, home.root)
        #expect(refused.status == 1 && refused.errors.contains("is no mirror"), "\(refused.said)")
        #expect(home.files() == [".tmp/1", "letters/1.txt"])
    }

    /// The host removes old data while the mirror is away: there is no gap, at no time.
    @Test func aHostThatRemovesOldData() throws {
        let publication = try Publication(.regtestRich, key: site.keyFile)
        let host = try WebServer(serving: URL(fileURLWithPath: publication.tree.root))
        let part = PlainTree(client.scratch.path("part"))
        func mirrors() throws {
            for (tree, options) in [(mirror, []), (part, ["--snapshots", "3"])] {
                try client.succeed(["mirror", host.base, tree.root, "--key", site.publicKey] + options)
                let verified = try verify(tree)
                #expect(verified.isSuccess, "\(verified.said)")
            }
        }
        try publication.publish("--level", "1", "--to", "170")
        try mirrors()
        try publication.publish("--level", "1", "--to", "255", "--keep", "2")
        try mirrors()
        #expect(try verify(mirror).output.contains("data from height 200 on"))
        // From here on it holds more than the host, as far as it reaches without a gap.
        try publication.publish("--level", "1", "--to", "305", "--keep", "2")
        try mirrors()
        #expect(try verify(mirror).output.contains("data from height 200 on"))
        #expect(try verify(part).output.contains("data from height 200 on"))
    }

    /// Data comes from the top down where attestations are there already, so that what there is has no gap.
    @Test func dataUnderAttestations() throws {
        _ = try run("--attestations-only")
        // Of the newest epoch nothing can be told before all of it is there; what is above a gap stays.
        for (block, from) in [("0000305", nil), ("0000177", 200)] {
            let spoilt = site.tree.paths("patches", containing: "\(block)-")[0]
            let patch = try site.tree.read(spoilt)
            try site.tree.flip(spoilt)
            #expect(try client.run("mirror", site.url, mirror.root).status == 4)
            let verified = try verify(mirror)
            let words = from.map { "data from height \($0) on" } ?? "0 patches, 0 deltas, 0 snapshots"
            #expect(verified.isSuccess && verified.output.contains(words), "\(verified.said)")
            try site.tree.replace(spoilt, patch)
        }
        #expect(try run().dataFrom == 0)
        #expect(try verify(mirror).output.contains("data from") == false)
        try expectSame { !$0.hasSuffix(".torrent") && !$0.hasSuffix(".magnet") }
        // And away again, in one go.
        #expect(try run("--attestations-only").dataFrom == nil)
        #expect(!mirror.files().contains { $0.hasSuffix(".zst") || $0.hasSuffix("manifest.txt") })
    }

    /// A host cannot talk a mirror out of its data.
    @Test(arguments: [[], ["--snapshots", "2"]]) func aHostWithoutItsNewestSnapshot(options: [String]) throws
    {
        try site.serve(try PublishedTree.fiveBlocksBefore.get()[0])
        #expect(try run().height == 325)
        let before = try mirror.look()
        try site.serve(try PublishedTree.atTip.get()[0])
        try site.tree.remove(site.tree.paths("snapshots/", containing: "manifest.txt")[6])
        let outcome = try client.run(
            ["mirror", site.url, mirror.root, "--key", site.publicKey] + options)
        #expect(outcome.status == 4, "\(outcome.said)")
        #expect(try mirror.look() == before)
    }

    /// Blocks that the chain left while only attestations were wanted.
    @Test func dataAfterABranchWasLeft() throws {
        let node = try TestNode(mining: 105)
        var publication = try Publication(.regtestRich, datadir: node.folder, key: site.keyFile)
        publication.epoch = 20
        publication.source = ["--node", node.base, "--cookie", node.cookieFile]
        let host = try WebServer(serving: URL(fileURLWithPath: publication.tree.root))
        func mirror(_ options: String...) throws {
            try client.succeed(
                ["mirror", host.base, self.mirror.root, "--key", site.publicKey] + options)
            let verified = try verify(self.mirror)
            #expect(verified.isSuccess, "\(verified.said)")
        }
        try publication.publish()
        try mirror("--attestations-only")
        try node.reorganise(depth: 7)
        try publication.publish()
        try mirror()
        // With data, the attestations of what is left stay, and so does their data.
        try node.reorganise(depth: 2)
        try publication.publish()
        try mirror()
        #expect(self.mirror.attestations()[106]?.count == 2)
    }

    @Test func usage() throws {
        #expect(try client.run("mirror", site.url).status == 64)
        #expect(try client.run("mirror", "alice.example", mirror.root).status == 64)
        #expect(try client.run("mirror", site.url, mirror.root, "--snapshots", "1").status == 64)
        #expect(
            try client.run("mirror", site.url, mirror.root, "--snapshots", "2", "--attestations-only").status
                == 64)
        // Without a key it is the tree's own, and said so; with a list it is the list's.
        let noted = try client.succeed("mirror", site.url + "/", mirror.root)
        #expect(noted.errors.contains("held to the key that the tree names itself, \(site.publicKey)"))
        try client.trust(site)
        #expect(try client.succeed("mirror", site.url, mirror.root).errors.isEmpty)
        let other = try Site(try PublishedTree.atTip.get()[1])
        try mirror.replace(".tmp/mine", "mine")
        let mixed = try client.run("mirror", other.url, mirror.root)
        #expect(mixed.status == 1 && mixed.errors.contains("give another folder"), "\(mixed.said)")
        // What another authority's mirror holds stays, and so does what is in a folder that nothing comes to.
        #expect(mirror.files().contains(".tmp/mine"))
        let foreign = PlainTree(client.scratch.path("foreign"))
        try foreign.replace(".tmp/mine", "mine")
        #expect(try client.run("mirror", site.url + "/nowhere", foreign.root).status == 4)
        #expect(foreign.files() == [".tmp/mine"])
    }

    /// Other people's tools make a mirror too.
    @Test func wgetAndRclone() throws {
        let published = try Site(try PublishedTree.atTip.get()[0], directives: "autoindex on;")
        let scratch = try Scratch()
        let copy = PlainTree(scratch.path("wget"))
        _ = try Program.installed("wget").run(
            [
                "-q", "-m", "-np", "-nH", "-R", "index.html*", "-P", copy.root,
            ]
                + [
                    "latest.txt", "authority.txt", "authority.pem", "headers/", "attestations/", "muhashes/",
                    "patches/", "deltas/", "snapshots/",
                ].map { "\(published.url)/\($0)" })
        let verified = try client.run("verify", copy.root, "--key", site.publicKey)
        #expect(verified.isSuccess && !verified.output.contains("unsigned  "), "\(verified.said)")

        // Over HTTP, unlike at other hosts, rclone needs a list of the uppermost folder too.
        let listed = try Site(try PublishedTree.atTip.get()[0], directives: "autoindex on; index none;")
        let cloned = PlainTree(scratch.path("rclone"))
        let outcome = try Program.installed("rclone").run(
            ["copy", ":http:", cloned.root, "--http-url", listed.url + "/", "--config", "/dev/null"])
        #expect(outcome.isSuccess, "\(outcome.said)")
        #expect(try client.run("verify", cloned.root, "--key", site.publicKey).isSuccess)
    }
}
