import Concord
import ConcordPublish
import ConcordTree
import Foundation
import TestSupport

/// Signed trees that are changed so that everything still follows from what was changed.
extension PlainTree {
    /// Signs statements again from a height on, to the end of its epoch: each names those before it as they are now.
    ///
    /// - Parameter change: of the attestation of the first one.
    func resign(
        from start: Int, with key: SigningKey, _ change: (inout Attestation) -> Void = { _ in }
    ) throws {
        let said = try said(start)
        var digests: [Int: Digest] = [:]
        for height in said.epochStart..<said.epochStart + said.parameters.epoch {
            guard let path = try? attestation(height) else { continue }
            var attestation = try Attestation(parsing: try read(path))
            if height >= start {
                if height == start { change(&attestation) }
                let spans = attestation.statement.parameters.historySpans(at: height)
                attestation.statement.history = spans.map { digests[height - $0] ?? .zero }
                try replace(path, attestation.text)
                try replace("\(path).sig", try key.sign(attestation.digest))
            }
            digests[height] = attestation.statement.digest
        }
    }

    /// The statement of a height.
    func said(_ height: Int) throws -> Statement {
        try Attestation(parsing: try read(try attestation(height))).statement
    }

    /// The file of a patch that consists of these sections; gives its root.
    func replace(patch path: String, _ sections: [[UInt8]], _ parameters: TreeParameters) throws -> Digest {
        let bytes = patch(sections)
        var out = ByteBuffer()
        let root = try bytes.withBytes { raw in
            let index = try PatchIndex(checking: raw, shards: parameters.shards)
            try PatchPacker(parameters).packOnAllCores(raw, index, into: &out)
            return index.root
        }
        try replace(path, [UInt8](out.bytes))
        return root
    }

    /// Publishes another shard in the snapshot of a height, and its filter and manifest. Gives what the statement has to say
    /// of the set, its root among it.
    func replace(
        shard: Int, ofSnapshot height: Int, _ change: (inout [TestCoin]) throws -> Void
    ) throws -> (manifest: Manifest, totals: SetTotals) {
        let statement = try said(height)
        let (block, parameters) = (statement.blockID, statement.parameters)
        let path = TreePath.shard(shard, of: block)
        var coins = try TestCoin.all(inShard: try Program.installed("zstd").print("-dcq", self.path(path)))
        try change(&coins)
        let bytes = TestCoin.encode(coins)
        try replace(path, try Program.installed("zstd").print("-cq", input: bytes))
        let lines = try Manifest(parsing: try read(TreePath.manifest(block)), shards: parameters.shards)
            .shards
        var contents = lines.map(\.contents)
        contents[shard] = ShardContents(
            coins: UInt64(coins.count), bytes: UInt64(bytes.count), digest: SHA256.hash(bytes))
        let (totals, filters) = try SnapshotCount(of: block, parameters).run(
            contents, file: { self.path(TreePath.shard($0, of: block)) }
        ) { [UInt8]($1) }
        for (shard, filter) in filters.enumerated() { try replace(TreePath.filter(shard, of: block), filter) }
        let manifest = Manifest(
            zip(contents, filters).map { contents, filter in
                Manifest.Shard(contents, filter: filter.withBytes(Manifest.Filter.init))
            })
        try replace(TreePath.manifest(block), manifest.text)
        try replace(
            TreePath.muhashes(block, parameters),
            TestSupport.bytes { totals.muhashes(parameters).append(to: &$0) })
        return (manifest, totals)
    }
}

extension Statement {
    /// Says of the set what its coins come to.
    mutating func say(_ totals: SetTotals, _ manifest: Manifest) {
        (coins, amount, muhash) = (totals.coins, totals.amount, totals.number.digest)
        (muhashes, snapshotRoot) = (totals.muhashes(parameters).root, manifest.root)
    }
}
