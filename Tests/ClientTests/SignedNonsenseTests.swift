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
        let named = change == .otherAmount ? try copy.tree.attestation(Self.height) : path
        // Where the patch says something, and the delta above it something else, that is two.
        #expect(deep.status == 4 && deep.wrong.count == (change.isInPatch ? 1 : 2), "\(deep.said)")
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
        // By way of the delta it is not met; at its own height it is.
        #expect(fetched.status == 0, "\(fetched.said)")
        let other = try Client()
        try other.trust("alpha", copy.published.publicKey, "file://\(copy.tree.root)")
        let met = try other.run("fetch", "--height", "\(Self.height)")
        #expect(met.status == (change.isInPatch ? 4 : 2) && !other.isInstalled, "\(met.said)")
        #expect(
            met.errors.contains(change.isInPatch ? path : "what the authorities agree on contradicts itself"),
            "\(met.said)")
    }

    /// The script reads digests, and says that it reads no more.
    @Test func whatAShellCannotTell() throws {
        let copy = try VerifyTests.Copy(try PublishedTree.atTip.get()[0])
        _ = try copy.resignPatch(Self.height) { try Change.noSection.apply(&$0) }
        let outcome = try HandAudit.dash.run([copy.tree.root, "--shard", "3"])
        #expect(outcome.status == 0, "\(outcome.said)")
        #expect(
            outcome.output.contains(
                "Out of reach of a shell: what the bytes of patches, deltas, shards and filters say"))
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
        let root = try tree.replace(patch: path, sections, try tree.said(height).parameters)
        try tree.resign(from: height, with: key) { $0.statement.patchRoot = root }
        return path
    }
}
