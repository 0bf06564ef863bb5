import Concord
import ConcordBuild
import ConcordChain
import ConcordFiles
import ConcordPublish
import ConcordTree
import Foundation
import TestSupport
import Testing

/// The fixture has three branches that once were the best chain and were left again. Here they are the best chain
/// once more: the data directory is cut off behind each in turn, then whole.
@Suite(.waits) struct ReorganisationTests {
    struct Branch: Sendable {
        let tip: String
        let height: Int
        /// The blocks that only this branch has.
        let own: [CoreFiles.Block]
    }

    static func branches(_ files: CoreFiles, best: Set<String>) throws -> [Branch] {
        let stale = files.blocks.filter { !best.contains($0.hash) }
        let parents = Set(stale.map(\.parent))
        return stale.filter { !parents.contains($0.hash) }.map { tip in
            var own: [CoreFiles.Block] = []
            var at = tip.hash
            while let block = stale.first(where: { $0.hash == at }) {
                own.append(block)
                at = block.parent
            }
            return Branch(tip: tip.hash, height: tip.height, own: own)
        }
    }

    /// Epochs of 51 blocks put a snapshot on the tip of the first branch, of 17 on the root of the third as well.
    @Test(arguments: [(50, nil), (51, 1 << 20), (17, nil)])
    func theBestChainIsFollowedAndStaleFilesStay(epoch: Int, padding: Int?) throws {
        let answers = try ChainFixture.regtestRich.answers()
        var publication = try Publication(.regtestRich)
        publication.epoch = epoch
        let files = try publication.coreFiles()
        let branches = try Self.branches(files, best: Set(answers.map(\.block)))
        #expect(branches.map(\.height) == [153, 181, 223] && branches.map(\.own.count) == [3, 1, 3])

        var staleFiles: [String: [UInt8]] = [:]
        for (i, branch) in branches.enumerated() {
            try FileManager.default.removeItem(atPath: publication.datadir)
            try publication.fixture.unpack(into: publication.datadir)
            try files.rewind(to: branch.tip, paddingTo: padding)
            let outcome = try publication.publish()
            #expect(try publication.tree.text("latest.txt") == "\(branch.height) \(branch.tip)\n")
            #expect(outcome.output.contains("\nblock   \(branch.tip)\n"))
            try expectLeft(i == 0 ? nil : branches[i - 1], outcome)
            for block in branch.own {
                let (folder, name) = (
                    digits(block.height - block.height % epoch), "\(digits(block.height))-\(block.hash)"
                )
                let files = ["attestations", "muhashes", "patches", "deltas"].flatMap {
                    publication.tree.files(under: "\($0)/\(folder)")
                }
                for path in files.filter({ $0.contains(name) })
                    + publication.tree.files(under: "snapshots/\(name)")
                {
                    staleFiles[path] = try publication.tree.read(path)
                }
            }
            try expectHeaders(publication.tree, files, tip: branch.tip, epoch: epoch)
        }
        // Four files of each of seven blocks, none of which ends a delta, and the stale snapshots.
        let snapshots = epoch == 50 ? 0 : epoch == 51 ? 1 : 2
        #expect(staleFiles.count == 7 * 4 + snapshots * (2 * publication.shards + 3))

        try FileManager.default.removeItem(atPath: publication.datadir)
        try publication.fixture.unpack(into: publication.datadir)
        try expectLeft(branches[2], try publication.publish())
        try expectHeaders(publication.tree, files, tip: answers[330].block, epoch: epoch)

        for (path, bytes) in staleFiles {
            #expect(try publication.tree.read(path) == bytes, "\(path)")
        }
        // Besides them, the tree is what it had been without any of this.
        var straight = try Publication(.regtestRich, key: publication.key)
        straight.epoch = epoch
        try straight.publish()
        #expect(publication.tree.files() == (straight.tree.files() + staleFiles.keys).sorted())
        for path in straight.tree.files() where !path.hasSuffix(".sig") {
            let hasTime = path.hasPrefix("attestations/") || path == "index.html"
            let texts = try [publication, straight].map { try $0.tree.text(path) }
            #expect(
                hasTime ? timeless(texts[0]) == timeless(texts[1]) : texts[0] == texts[1], "\(path)")
        }

        let journal = try publication.journal.files().map { try publication.journal.text($0) }.joined()
        let noted = Set(
            journal.split(separator: "\n").map { $0.split(separator: " ").prefix(2).joined(separator: " ") })
        #expect(noted == Set(files.blocks.map { "\($0.height) \($0.hash)" }))

        let tree = try publication.tree.look()
        #expect(try publication.publish().output.hasPrefix("nothing new: "))
        #expect(try publication.tree.look() == tree)
    }

    /// A node that is being reindexed, or whose newest file is lost, has less of the same chain: that is no
    /// reorganisation, and the tree stays where it is.
    @Test(arguments: ["rev", "blk"])
    func aNodeThatIsBehindTakesNothingBack(lost: String) throws {
        let publication = try Publication(.regtestRich)
        try publication.publish()
        let tree = try publication.tree.look()
        let files = try publication.coreFiles()
        let moved = publication.scratch.path("moved")
        try FileManager.default.moveItem(atPath: files.path(lost, 19), toPath: moved)
        let outcome = try publication.run()
        #expect(!outcome.output.contains("reorganisation"), "\(outcome.output)")
        if lost == "rev" {
            #expect(outcome.isSuccess)
            #expect(outcome.errors == "note: the node's chain ends at height 321, below the tree's 330\n")
        } else {
            #expect(outcome.status == 1)
            #expect(
                outcome.errors.contains("published at height 330: the node is behind the tree"),
                "\(outcome.errors)")
        }
        #expect(try publication.tree.look() == tree)
        try FileManager.default.moveItem(atPath: moved, toPath: files.path(lost, 19))
        #expect(try publication.publish().output.hasPrefix("nothing new: "))
        #expect(try publication.tree.look() == tree)
    }

    /// One that was synced since, or another, never had a block that the chain left in the meantime. A chain that ends far
    /// above it says so.
    @Test func aNodeThatNeverHadTheBlock() throws {
        let node = try TestNode(mining: 105)
        var publication = try Publication(.regtestRich, datadir: node.folder)
        try publication.publish()
        let left: String = try node.result("getbestblockhash")
        let other = try Publication(.regtestRich)
        publication.source = ["--datadir", other.datadir]
        let outcome = try withExtendedLifetime(other) { try publication.publish() }
        #expect(outcome.output.contains(left), "\(outcome.output)")
        #expect(try publication.tree.text("latest.txt").hasPrefix("330 "))
        let verified = try Program.built("concord").run("verify", publication.tree.root, "--deep")
        #expect(verified.isSuccess, "\(verified.output)")
    }

    /// To another branch, across an epoch height, and back again to the first one, which is published up to there: the
    /// headers of the epoch before are those of the first once more.
    @Test func comingBackToABranchBringsItsHeadersBack() throws {
        let node = try TestNode(mining: 105)
        var publication = try Publication(.regtestRich, datadir: node.folder)
        publication.epoch = 50
        try publication.publish()
        let hash = try (0...105).map { try node.result("getblockhash", $0) as String }
        let other = try node.mine(10, on: hash[97])
        try publication.publish()
        #expect(try publication.tree.text("latest.txt") == "107 \(other[9])\n")
        let last = try #require(try node.mine(5, on: hash[105]).last)
        try publication.publish()
        #expect(try publication.tree.text("latest.txt") == "110 \(last)\n")
        let verified = try Program.built("concord").run("verify", publication.tree.root, "--deep")
        #expect(verified.isSuccess, "\(verified.output)")
    }

    /// The node leaves a branch for one that is lower, as it does where blocks are declared invalid, or where few blocks
    /// have more work than many. Hint and headers are those of the new one, also where one process goes on.
    @Test(arguments: [false, true]) func aLowerBranchIsPointedTo(inOneProcess: Bool) throws {
        let node = try TestNode(mining: 97)
        let fork: String = try node.result("getbestblockhash")
        let lower = try node.mine(10)
        let before = try Scratch()
        try FileManager.default.copyItem(atPath: "\(node.folder)/blocks", toPath: before.path("blocks"))
        let left = try node.mine(23, on: fork)
        let scratch = try Scratch()
        var reached: SetBuilder.Position?
        func publish(_ folder: String, _ key: SigningKey) throws -> Publisher.Report? {
            let state = try Folder(scratch.path("state"))
            let tree = try Folder(scratch.path("tree"))
            let parameters = TreeParameters(shards: 16, epoch: 20)
            let chain = try BestChain.scan(
                BlockFolder(folder, network: .regtest), cache: Folder(scratch.path("cache")))
            guard let name = AuthorityName("alice") else { throw TestError("alice is no name") }
            try TreeMetadata(
                folder: tree,
                authority: AuthorityFile(
                    name: name, network: .regtest, key: key.publicKey, parameters: parameters, first: 0)
            ).write()
            var publisher = Publisher(
                SetBuilder(
                    source: NodeThatKnowsAll(chain: chain), data: tree, parameters: parameters, level: 1,
                    isFixed: { block throws(FileError) in
                        try tree.contains(TreePath.attestation(block, parameters))
                    }),
                tree: tree, state: state, reached: reached,
                signer: Publisher.Signer(key: key, name: name, software: Software.name, note: nil))
            let report = try publisher.run(
                to: chain.tip, now: { Int64(Date().timeIntervalSince1970) }, tell: { _ in })
            #expect(publisher.reached?.statement?.height == chain.tip)
            if inOneProcess { reached = publisher.reached }
            return report
        }
        let tree = PlainTree(scratch.path("tree"))
        let key = SigningKey.generate()
        #expect(try publish(node.folder, key)?.statement.height == 120)
        #expect(try tree.text("latest.txt") == "120 \(left[22])\n")
        let report = try #require(try publish(before.folder, key))
        #expect(report.statement.height == 107 && report.leftBehind?.description == "120 \(left[22])")
        // That was said.
        #expect(try publish(before.folder, key)?.leftBehind == nil)
        #expect(try tree.text("latest.txt") == "107 \(lower[9])\n")
        #expect(tree.files(under: "headers").last == "headers/0000100.bin")
        var verified = try Program.built("concord").run("verify", tree.root, "--deep")
        #expect(verified.isSuccess, "\(verified.output)")
        // And back.
        #expect(try publish(node.folder, key)?.leftBehind?.description == "107 \(lower[9])")
        #expect(try tree.text("latest.txt") == "120 \(left[22])\n")
        verified = try Program.built("concord").run("verify", tree.root, "--deep")
        #expect(verified.isSuccess, "\(verified.output)")
        // The branch that was left is attested too, also by hand.
        for shell in HandAudit.allCases {
            let audit = try shell.run([tree.root])
            #expect(audit.isSuccess && !audit.output.contains("unsigned"), "\(audit.output)")
        }
        // A hint beside the headers is seen.
        try "107 \(lower[9])\n".write(toFile: tree.path("latest.txt"), atomically: true, encoding: .utf8)
        verified = try Program.built("concord").run("verify", tree.root)
        let audit = try HandAudit.dash.run([tree.root])
        #expect(audit.status == 4)
        for outcome in [verified, audit] {
            #expect(
                outcome.output.contains("names a block that the headers do not lead to"), "\(outcome.output)")
        }
    }

    private func expectLeft(_ branch: Branch?, _ outcome: Program.Outcome) throws {
        let line = branch.map {
            "reorganisation: the best chain has left block \($0.tip) at height \($0.height)\n"
        }
        if let line {
            #expect(outcome.output.hasPrefix(line), "\(outcome.output)")
        } else {
            #expect(!outcome.output.contains("reorganisation"))
        }
    }

    /// The headers files hold the best chain and nothing else.
    private func expectHeaders(_ tree: PlainTree, _ files: CoreFiles, tip: String, epoch: Int) throws {
        var headers: [[UInt8]] = []
        var at = tip
        let byHash = Dictionary(uniqueKeysWithValues: files.blocks.map { ($0.hash, $0) })
        while let block = byHash[at] {
            headers.append(Array(block.record.bytes.prefix(80)))
            at = block.parent
        }
        headers.reverse()
        for start in stride(from: 0, to: headers.count, by: epoch) {
            let expected = Array(headers[start...].prefix(epoch).joined())
            #expect(try tree.read("headers/\(digits(start)).bin") == expected, "\(start)")
        }
    }

    /// The node is in the middle of writing a block: a header is there, the rest is zeros, or not there at all.
    @Test(arguments: [nil, 1 << 20])
    func aBlockThatIsHalfWrittenIsNotThere(padding: Int?) throws {
        let publication = try Publication(.regtestRich)
        let files = try publication.coreFiles()
        let tip = try ChainFixture.regtestRich.answers()[330].block
        let before = try files.block(at: 199, below: tip)
        let next = try files.block(at: 200, below: tip)
        try #require(before.record.file == next.record.file)
        try files.rewind(to: before.hash, paddingTo: padding)
        let whole = FileManager.default.contents(atPath: files.path("blk", next.record.file)).map {
            [UInt8]($0)
        }
        let bytes = try #require(whole)
        #expect(bytes.count == padding ?? (next.record.offset - 8))
        // Magic, length, header and some transactions.
        let part =
            files.magic + withUnsafeBytes(of: UInt32(next.record.count).littleEndian, Array.init)
            + next.record.bytes.prefix(next.record.count / 2)
        if padding == nil { try Self.append(part.count, to: files.path("blk", next.record.file)) }
        try files.write(part, "blk", next.record.file, at: next.record.offset - 8)
        try publication.publish()
        #expect(try publication.tree.text("latest.txt") == "199 \(before.hash)\n")

        try FileManager.default.removeItem(atPath: publication.datadir)
        try publication.fixture.unpack(into: publication.datadir)
        try publication.publish()
        #expect(try publication.tree.text("latest.txt") == "330 \(tip)\n")
    }

    private static func append(_ count: Int, to path: String) throws {
        let file = try #require(FileHandle(forWritingAtPath: path))
        try file.seekToEnd()
        try file.write(contentsOf: Data(count: count))
        try file.close()
    }
}

/// A folder's chain, of a node that keeps the blocks it has left.
private struct NodeThatKnowsAll: ChainSource {
    let chain: BestChain

    var network: Network { chain.network }
    var name: String { chain.name }
    var tip: Int { chain.tip }
    func blockID(at height: Int) -> BlockID { chain.blockID(at: height) }
    func header(at height: Int) throws -> [UInt8] { try chain.header(at: height) }
    func knows(_ block: BlockID) -> Bool { true }
    func batch(from height: Int) -> Int { chain.batch(from: height) }
    func blocks(_ heights: Range<Int>) -> any BlockReader { chain.blocks(heights) }
}
