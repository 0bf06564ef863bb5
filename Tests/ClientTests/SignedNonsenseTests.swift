import Concord
import ConcordPublish
import Foundation
import TestSupport
import Testing

/// A key can sign anything: what the bytes of patches say is checked besides their digests.
@Suite(.waits) struct SignedNonsenseTests {
    enum Change: String, CaseIterable {
        case noSection, otherHeight, otherShard, outOfOrder
        // What only the coins tell.
        case spendOfNothing, otherAmount

        /// Whether it shows in the patch alone.
        var isInPatch: Bool { ![.spendOfNothing, .otherAmount].contains(self) }

        func apply(_ sections: inout [[UInt8]]) throws {
            // Sections that create coins and spend none: the coins begin behind the zero.
            let creating = sections.indices.filter { sections[$0].count > 1 && sections[$0][0] == 0 }
            let shard = try #require(creating.first)
            var coins = try TestCoin.all(inShard: Array(sections[shard].dropFirst()))
            switch self {
            case .noSection: sections[shard] = [1, 2, 3]
            case .otherHeight:
                coins[0].code -= 2
                sections[shard] = section(created: coins)
            case .otherShard:
                let other = try #require(
                    sections.indices.first { $0 != shard && sections[$0] != sections[shard] })
                sections.swapAt(shard, other)
            case .outOfOrder: sections[shard] += sections[shard].dropFirst()
            case .spendOfNothing:
                sections[shard] = section(
                    spent: [Outpoint(txid: Digest(every: 7), index: 7)], created: coins)
            case .otherAmount:
                coins[0].amount += 1
                sections[shard] = section(created: coins)
            }
        }
    }

    static let height = 311

    @Test(arguments: Change.allCases) func isFound(change: Change) throws {
        let copy = try VerifyTests.Copy(try PublishedTree.atTip.get()[0])
        let path = try copy.resignPatch(Self.height) { try change.apply(&$0) }
        let latest = try copy.tree.text("latest.txt")
        let plain = try copy.verify()
        #expect(plain.status == (change.isInPatch ? 4 : 0), "\(plain.said)")
        let deep = try copy.verify("--deep")
        let named = change == .otherAmount ? try copy.tree.attestation(PublishedTree.tip) : path
        #expect(deep.status == 4 && deep.wrong.count == 1, "\(deep.said)")
        #expect(deep.wrong.first?.hasPrefix("WRONG  \(copy.tree.path(named)): ") == true, "\(deep.said)")

        // A hint that nobody signed does not lead past it.
        let start = try copy.tree.attestation(300).split(separator: "/").last?.dropLast(4).split(
            separator: "-")
        try copy.tree.replace("latest.txt", "300 \(try #require(start?.last))\n")
        #expect(try copy.verify("--deep").status == 4)
        try copy.tree.replace("latest.txt", latest)

        // A client takes no such patch, where a patch alone shows it.
        let client = try Client()
        try client.trust("alpha", copy.published.publicKey, "file://\(copy.tree.root)")
        let fetched = try client.run("fetch")
        #expect(fetched.status == (change.isInPatch ? 4 : 0), "\(fetched.said)")
        if change.isInPatch {
            #expect(fetched.errors.contains(path) && !client.isInstalled, "\(fetched.said)")
        } else if change == .spendOfNothing {
            let exported = try client.run("export", client.scratch.path("out"))
            #expect(
                exported.status == 1 && exported.errors.contains(path)
                    && exported.errors.contains("what was signed is wrong: tell alpha"), "\(exported.said)")
        }
    }

    /// The script reads digests, and says that it reads no more.
    @Test func whatAShellCannotTell() throws {
        let copy = try VerifyTests.Copy(try PublishedTree.atTip.get()[0])
        _ = try copy.resignPatch(Self.height) { try Change.noSection.apply(&$0) }
        let outcome = try HandAudit.dash.run([copy.tree.root, "--shard", "3"])
        #expect(outcome.status == 0, "\(outcome.said)")
        #expect(outcome.output.contains("Out of reach of a shell: what the bytes of patches and shards say"))
    }
}

extension VerifyTests.Copy {
    /// Publishes another patch of a height, and all that follows from it in its epoch, signed. Gives its path.
    func resignPatch(_ height: Int, _ change: (inout [[UInt8]]) throws -> Void) throws -> String {
        let key = try SigningKey(readingFrom: published.keyFile)
        let path = tree.paths("patches", containing: "/\(String(format: "%07d", height))-")[0]
        var sections = try patchSections(
            try Program.installed("zstd").print("-dcq", tree.path(path)), shards: 16)
        try change(&sections)
        let bytes = patch(sections)
        try tree.replace(path, try Program.installed("zstd").print("-cq", input: bytes))
        let root = try bytes.withBytes { try PatchIndex(checking: $0, shards: 16).root }

        var history = try Attestation(parsing: try tree.read(tree.attestation(height - 1))).statement.history
        for next in height...(tree.attestations().keys.max() ?? height) {
            let path = try tree.attestation(next)
            var attestation = try Attestation(parsing: try tree.read(path))
            if next == height { attestation.statement.patchRoot = root }
            history = Statement.history(
                after: history, block: attestation.statement.block, patchRoot: attestation.statement.patchRoot
            )
            attestation.statement.history = history
            try tree.replace(path, attestation.text)
            try tree.replace("\(path).sig", try key.sign(attestation.digest))
        }
        return path
    }
}
