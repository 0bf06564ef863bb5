import Concord
import Foundation
import TestSupport
import Testing

/// `concord mirror`: a copy that anybody may serve.
@Suite struct MirrorTests {
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
        #expect(mirrored.files == 331 + 7 * 17 && mirrored.key == site.publicKey)
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
        #expect(grown.height == 330 && grown.attestations == 5 && grown.files == 5)
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
            !path.hasSuffix(".torrent") && !path.hasSuffix(".magnet")
                && (!path.hasPrefix("patches") && !path.hasPrefix("snapshots")
                    || path.contains("/00002") && path.dropFirst(path.hasPrefix("p") ? 8 : 10) >= "0000250"
                    || path.contains("/00003"))
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
                try site.forge(140) { $0.statement.history = Site.oneDigitChanged($0.statement.history) }
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
        try site.tree.replace("authority.txt", text.replacing("first: 0", with: "first: 50"))
        let other = try client.run("mirror", site.url, mirror.root)
        #expect(other.status == 1 && other.errors.contains("begins elsewhere"), "\(other.said)")
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
        let mixed = try client.run("mirror", other.url, mirror.root)
        #expect(mixed.status == 1 && mixed.errors.contains("give another folder"), "\(mixed.said)")
    }

    /// Other people's tools make a mirror too.
    @Test func wgetAndRclone() throws {
        let listed = try Site(try PublishedTree.atTip.get()[0], directives: "autoindex on; index none;")
        let scratch = try Scratch()
        let copy = PlainTree(scratch.path("wget"))
        _ = try Program.installed("wget").run(
            [
                "-q", "-m", "-np", "-nH", "-e", "robots=off", "-R", "index.html*", "-P", copy.root,
                listed.url + "/",
            ])
        let verified = try client.run("verify", copy.root, "--key", site.publicKey)
        #expect(verified.isSuccess && !verified.output.contains("unsigned  "), "\(verified.said)")

        let cloned = PlainTree(scratch.path("rclone"))
        let outcome = try Program.installed("rclone").run(
            ["copy", ":http:", cloned.root, "--http-url", listed.url + "/", "--config", "/dev/null"])
        #expect(outcome.isSuccess, "\(outcome.said)")
        #expect(try client.run("verify", cloned.root, "--key", site.publicKey).isSuccess)
    }
}
