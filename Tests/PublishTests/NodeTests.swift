import Concord
import Foundation
import TestSupport
import Testing

@Suite("Publishing from a running node", .waits)
struct NodeTests {
    /// A publication of a node's chain, from the node unless told otherwise.
    private static func publication(_ node: TestNode, _ source: [String]? = nil, key: String? = nil) throws
        -> Publication
    {
        var publication = try Publication(.regtestRich, datadir: node.folder, key: key)
        publication.source = source ?? ["--node", node.base, "--cookie", node.cookieFile]
        return publication
    }

    /// A node that is up to date.
    private static func node(_ blocks: Int) throws -> TestNode {
        let node = try TestNode(mining: blocks)
        try node.set(.initialBlockDownload(false))
        return node
    }

    /// The bytes of every file but those that tell the time.
    private static func bytes(_ tree: PlainTree) throws -> [String: [UInt8]] {
        var all: [String: [UInt8]] = [:]
        for path in tree.files() where !path.hasSuffix(".sig") {
            let hasTime = path.hasPrefix("attestations/") || path == "index.html"
            all[path] = try hasTime ? Array(timeless(tree.text(path)).utf8) : tree.read(path)
        }
        return all
    }

    @Test("By REST, by RPC alone and with a folder: the same tree, byte for byte")
    func sameTree() throws {
        let node = try Self.node(160)
        let copy = try Scratch()
        try FileManager.default.copyItem(atPath: "\(node.folder)/blocks", toPath: copy.path("blocks"))
        try node.mine(15)
        let reference = try Self.publication(node, ["--datadir", node.folder])
        try reference.publish("--level", "1")
        let expected = try Self.bytes(reference.tree)
        #expect(expected.keys.contains { $0.hasPrefix("snapshots/") })
        for (rest, more) in [(true, []), (false, []), (true, ["--datadir", copy.folder])] {
            try node.set(.rest(rest))
            var publication = try Self.publication(node, key: reference.key)
            publication.source? += more
            try publication.publish("--level", "1")
            #expect(try Self.bytes(publication.tree) == expected)
        }
    }

    @Test("The main network's first blocks, from a node and from the folder", .needsMainnet)
    func mainnet() throws {
        let folder = try Publication(.mainnet4312)
        let node = try TestNode(chain: "main", importing: "\(folder.datadir)/blocks")
        var publication = try Publication(.mainnet4312, datadir: node.folder, key: folder.key)
        publication.source = ["--node", node.base, "--cookie", node.cookieFile, "--allow-behind"]
        for one in [folder, publication] {
            let outcome = try Publication.program().run(one.arguments(["--to", "200"]), timeout: 600)
            #expect(outcome.isSuccess, "\(outcome.errors)")
        }
        #expect(try Self.bytes(publication.tree) == Self.bytes(folder.tree))
        #expect(publication.tree.attestations().count == 201)
    }

    /// A second run that must fail, and sign nothing.
    private func expectRefused(
        _ publication: Publication, _ more: [String] = [], saying parts: [String],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let tree = try publication.tree.look()
        let journal = try publication.journal.look()
        let outcome = try Publication.program().run(publication.arguments(more))
        #expect(outcome.status == 1 && outcome.output.isEmpty, "\(outcome)", sourceLocation: sourceLocation)
        for part in parts {
            #expect(outcome.errors.contains(part), "\(outcome.errors)", sourceLocation: sourceLocation)
        }
        // Data is there before it is signed for.
        let changed = try publication.tree.look().differences(from: tree)
        #expect(
            changed.allSatisfy { path in ["muhashes/", "patches/", "deltas/"].contains { path.hasPrefix($0) }
            },
            "\(changed)", sourceLocation: sourceLocation)
        #expect(try publication.journal.look() == journal, sourceLocation: sourceLocation)
    }

    @Test("What a node cannot or will not say stops the run, and nothing is signed")
    func refusals() throws {
        let node = try Self.node(30)
        let publication = try Self.publication(node)
        try publication.publish("--to", "20")
        for (fault, method, parts) in [
            (.status(401), nil, ["getblockchaininfo", "status 401", node.cookieFile, "--cookie"]),
            (.status(403), nil, ["status 403", "rpcallowip", "rpcwhitelist"]),
            (.status(403), "getblock", ["getblock", "status 403"]),
            (.html, nil, ["RPC port of a Bitcoin Core node"]),
            (.wrongID, "getblock", ["getblock", "no answer to this"]),
            (.truncated, "getblock", ["getblock"]),
            // Which of the blocks is met first, and whether half of it still has a header, is chance: «try another
            // one», or «another block than was asked for».
            (.truncated, "rest/block", ["(height 2", "another "]),
            (.otherBlock, "rest/block", ["another block than was asked for", "(height 2"]),
            (.otherBlock, "getblock", ["another block than was asked for", "(height 2"]),
            (.endless(seconds: 0), "getblockchaininfo", ["longer than"]),
            (
                .error(code: -1, message: "Undo data not available (pruned data)"), "getblock",
                ["pruned", "prune=0"]
            ),
        ] as [(TestNode.Fault, String?, [String])] {
            try node.fail(fault, method: method)
            try expectRefused(publication, saying: [node.base] + parts)
            try node.clearFaults()
        }
        try publication.publish()
    }

    @Test("A node that lies about spent coins never gets a snapshot signed")
    func lies() throws {
        let node = try Self.node(155)
        func block(_ height: Int) throws -> String { try node.result("getblockhash", height) }
        let reference = try Self.publication(node)
        try reference.publish("--level", "1", "--to", "100")
        /// A copy of the tree up to height 100, gone on with.
        func run(_ bend: TestNode.Bend, signed: ClosedRange<Int>, saying parts: [String]) throws
            -> Publication
        {
            let publication = try Self.publication(node, key: reference.key)
            for name in ["tree", "tree.state"] {
                try FileManager.default.copyItem(
                    atPath: reference.scratch.path(name), toPath: publication.scratch.path(name))
            }
            try node.set(.bend(bend))
            let outcome = try publication.run("--level", "1")
            #expect(outcome.status == 1 && outcome.output.isEmpty, "\(outcome.errors)")
            for part in [node.base, bend.block, "another one"] + parts {
                #expect(outcome.errors.contains(part), "\(outcome.errors)")
            }
            #expect(publication.tree.attestations().keys.max().map(signed.contains) == true)
            #expect(!publication.tree.files(under: "snapshots").contains { $0.contains("/0000150-") })
            try node.set(.bend(nil))
            return publication
        }
        // A coin of the snapshot, a while before the epoch height and at it.
        var bend = TestNode.Bend(block: try block(120))
        // More than it had, so that fees do not tell.
        bend.value = 5_000_000_001
        let wrong = try run(
            bend, signed: 149...149, saying: ["has 5000000001 satoshi", "heights 120 to 149", "--from 120"])
        let after = try wrong.run("--level", "1")
        #expect(after.status == 1 && after.errors.contains("is wrong"), "\(after.errors)")
        bend = TestNode.Bend(block: try block(150))
        bend.height = 3
        bend.generated = false
        try run(bend, signed: 149...149, saying: ["height 3, no coinbase", "Nothing was signed of it"])
            .publish("--level", "1")
        // A coin of the block itself.
        bend = TestNode.Bend(block: try block(120))
        bend.transaction = 1
        bend.script = "52"
        try run(bend, signed: 100...119, saying: ["which the block itself makes and spends", "script 52"])
            .publish("--level", "1")
    }

    @Test(
        "What passes is waited for, in words",
        arguments: [
            (TestNode.Fault.warmup, "warming up"), (.status(503), "not ready"),
            (.close, "is the node running"),
            (.cut, "is the node running"),
        ])
    func passing(fault: TestNode.Fault, words: String) throws {
        let node = try Self.node(12)
        let publication = try Self.publication(node)
        try node.fail(fault, count: 3)
        try node.fail(fault, method: "getblock", count: 3)
        let outcome = try publication.run()
        #expect(outcome.isSuccess, "\(outcome.errors)")
        #expect(outcome.errors.contains(words) && outcome.errors.contains("trying again for up to 60 s"))
        #expect(publication.tree.attestations().count == 13)
    }

    @Test("A node that is behind is not signed for unless that is asked for")
    func behind() throws {
        let node = try TestNode(mining: 12)
        try node.set(.initialBlockDownload(true))
        let publication = try Self.publication(node)
        try expectRefused(
            publication,
            saying: ["initial block download", "height 12", "Nothing was signed", "--allow-behind"])
        #expect(publication.tree.files().isEmpty)
        let outcome = try publication.publish("--allow-behind")
        #expect(outcome.errors.contains("note: the node is behind: it is in initial block download"))
    }

    @Test("The node's own set at every height; one difference, and nothing of its batch is signed")
    func coinStats() throws {
        let node = try Self.node(30)
        let folder = try Self.publication(node, ["--datadir", node.folder])
        try folder.publish()
        var table = "height\tblock\tcoins\tamount\tmuhash\n"
        for height in 0...30 {
            let fields = try folder.tree.fields(#require(folder.tree.attestations()[height]?.first))
            table +=
                "\(height)\t"
                + ["block", "coins", "amount", "muhash"].map { fields[$0] ?? "" }.joined(separator: "\t")
                + "\n"
        }
        let file = try folder.scratch.write(table, to: "table")
        try node.set(.coinStats(file: file))
        let publication = try Self.publication(node)
        let outcome = try publication.publish("--to", "20")
        #expect(!outcome.errors.contains("coinstatsindex"))
        try node.set(.lie(height: 25))
        try expectRefused(
            publication,
            saying: ["gettxoutsetinfo", "after height 25 ", "muhash", "nothing of this was signed"])
        try node.set(.lie(height: nil))
        try publication.publish()
        #expect(try Self.bytes(publication.tree).filter { $0.key.hasPrefix("patches") }.count == 31)
    }

    @Test("Data that a refused run left behind, and nobody signed for, is replaced")
    func dataOfARefusedRun() throws {
        let node = try Self.node(120)
        let publication = try Self.publication(node, ["--datadir", node.folder])
        try publication.publish("--to", "99")
        let reference = try Self.publication(node, ["--datadir", node.folder], key: publication.key)
        try reference.publish()
        // What a node with damaged data would have made of heights 100 and 101: the patches of others.
        let patches = reference.tree.files(under: "patches/0000100")
        for (path, other) in zip(patches.prefix(2), patches.suffix(2)) {
            try FileManager.default.createDirectory(
                atPath: publication.tree.path("patches/0000100"), withIntermediateDirectories: true)
            try FileManager.default.copyItem(
                atPath: reference.tree.path(other), toPath: publication.tree.path(path))
        }
        let snapshot = try #require(
            reference.tree.files(under: "snapshots").last {
                $0.contains("/0000100-") && $0.hasSuffix("manifest.txt")
            })
        let old = try #require(
            reference.tree.files(under: "snapshots").first {
                $0.contains("/0000000-") && $0.hasSuffix("manifest.txt")
            })
        try FileManager.default.createDirectory(
            atPath: publication.tree.path(String(snapshot.dropLast("/manifest.txt".count))),
            withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            atPath: reference.tree.path(old), toPath: publication.tree.path(snapshot))
        try publication.publish()
        #expect(try Self.bytes(publication.tree) == Self.bytes(reference.tree))
    }

    @Test("A reorganisation, and a node that was started again, between two runs")
    func laterRuns() throws {
        let node = try Self.node(30)
        let publication = try Self.publication(node)
        try publication.publish()
        try node.reorganise(depth: 4)
        try node.stop()
        try node.start()
        try node.set(.initialBlockDownload(false))
        let outcome = try publication.publish()
        #expect(outcome.output.contains("reorganisation"))
        let tip: String = try node.result("getbestblockhash")
        #expect(try publication.tree.text("latest.txt") == "31 \(tip)\n")
    }

    @Test(
        "A tip that the operator has declared invalid: hint and headers go back with the node",
        arguments: [true, false])
    func invalidated(blockByBlock: Bool) throws {
        let node = try Self.node(45)
        var publication = try Self.publication(node)
        publication.epoch = 20
        for height in blockByBlock ? 38...45 : 45...45 { try publication.publish("--to", "\(height)") }
        let left: String = try node.result("getbestblockhash")
        try node.invalidate(from: 39)
        let tip: String = try node.result("getbestblockhash")
        // A node that is behind may come to the block again.
        try node.set(.initialBlockDownload(true))
        try publication.publish("--allow-behind")
        #expect(try publication.tree.text("latest.txt") == "45 \(left)\n")
        try node.set(.initialBlockDownload(false))
        let outcome = try publication.publish()
        #expect(
            outcome.output.hasPrefix("reorganisation: the best chain has left block \(left) at height 45\n"),
            "\(outcome.output)")
        #expect(try publication.tree.text("latest.txt") == "38 \(tip)\n")
        #expect(publication.tree.files(under: "headers").last == "headers/0000020.bin")
        let verified = try Program.built("concord").run("verify", publication.tree.root, "--deep")
        #expect(verified.isSuccess, "\(verified.output)")
        #expect(try publication.publish().output.hasPrefix("nothing new: "))
    }

    @Test("What cannot be meant")
    func usage() throws {
        let folder = try Scratch().folder
        for (source, says) in [
            ([], "give --datadir, --node or both"),
            (["--cookie", "x", "--datadir", folder], "are about --node"),
            (["--node", "http://bob:cret@127.0.0.1"], "--password-file"),
            (["--node", "ftp://x"], "no URL of a node"),
            (["--node", "/run/bitcoind.sock"], "is a path"), (["--node", "unix:/run/x"], "is a path"),
            (["--node", "x", "--user", "bob"], "belong together"),
            (["--node", "x", "--user", "bob", "--password-file", "p", "--cookie", "c"], "not both"),
            (["--node", "x", "--user", "b:c", "--password-file", "p"], "without «:»"),
        ] as [([String], String)] {
            let arguments = ["run"] + source + ["--tree", "\(folder)/t", "--key", "k", "--name", "a"]
            let outcome = try Publication.program().run(arguments)
            #expect(outcome.status == 64 && outcome.errors.contains(says), "\(outcome.errors)")
            #expect(!outcome.errors.contains("cret@"))
        }
    }
}
