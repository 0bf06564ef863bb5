import Concord
import ConcordPublish
import TestSupport

extension TestCoin {
    /// The coins of a shard, in order.
    static func all(inShard bytes: [UInt8]) throws -> [TestCoin] {
        try bytes.withBytes { raw in
            var cursor = GroupCursor()
            var offset = 0
            var script = ByteBuffer()
            var coins: [TestCoin] = []
            while let coin = try cursor.next(in: raw, at: &offset, isLast: true) {
                let outpoint = Outpoint(txid: cursor.txid, index: coin.index)
                guard ScriptCompression.decompress(coin.script, into: &script) else {
                    throw TestError("\(outpoint): no point")
                }
                coins.append(
                    TestCoin(
                        outpoint: outpoint, code: coin.code, amount: coin.amount,
                        script: [UInt8](script.bytes)))
            }
            return coins
        }
    }
}

/// Trees that are consistent in themselves, signed by their authority, and wrong.
extension Site {
    private func unpacked(_ path: String) throws -> [UInt8] {
        try Program.installed("zstd").print("-dcq", tree.path(path))
    }

    private func replacePacked(_ path: String, _ bytes: [UInt8]) throws {
        try tree.replace(path, try Program.installed("zstd").print("-cq", input: bytes))
    }

    /// Signs the histories that follow from a height on, up to the end of its epoch.
    private func signHistories(from start: Int, _ change: (inout Statement) -> Void) throws {
        var history = Digest.zero
        for height in start..<start / 50 * 50 + 50 {
            guard (try? tree.attestation(height)) != nil else { break }
            if height == start, height % 50 != 0 {
                history = try Attestation(parsing: tree.read(tree.attestation(height - 1))).statement.history
            }
            try forge(height) { attestation in
                if height == start { change(&attestation.statement) }
                history =
                    attestation.statement.snapshotRoot
                    ?? Statement.history(
                        after: history, block: attestation.statement.block,
                        patchRoot: attestation.statement.patchRoot)
                attestation.statement.history = history
            }
        }
    }

    /// Publishes another shard in the snapshot of a height, and all that follows from it.
    func forgeSnapshot(_ height: Int, shard: Int, _ change: (inout [TestCoin]) throws -> Void) throws {
        let folder = "snapshots/\(try tree.attestation(height).split(separator: "/")[2].dropLast(4))"
        let path = "\(folder)/shards/\(TreePath.shardDigits(shard)).zst"
        var coins = try TestCoin.all(inShard: try unpacked(path))
        try change(&coins)
        let bytes = TestCoin.encode(coins)
        try replacePacked(path, bytes)
        var shards = try Manifest(parsing: try tree.read("\(folder)/manifest.txt"), shards: 16).shards
        shards[shard] = Manifest.Shard(
            coins: UInt64(coins.count), bytes: UInt64(bytes.count), digest: SHA256.hash(bytes))
        let manifest = Manifest(shards)
        try tree.replace("\(folder)/manifest.txt", manifest.text)
        try signHistories(from: height) { $0.snapshotRoot = manifest.root }
    }

    /// Adds a satoshi to the first coin that a block creates, and publishes that. Gives the coin as it was.
    func forgePatch(_ height: Int) throws -> (shard: Int, coin: TestCoin) {
        let path =
            "patches/" + (try tree.attestation(height).split(separator: "/", maxSplits: 1)[1].dropLast(4))
            + ".zst"
        var sections = try patchSections(try unpacked(path), shards: 16)
        for (shard, section) in sections.enumerated() {
            // In a section that spends nothing the coins begin behind the zero.
            guard section.count > 1, section[0] == 0 else { continue }
            var coins = try TestCoin.all(inShard: Array(section.dropFirst()))
            let coin = coins[0]
            coins[0].amount += 1
            sections[shard] = [0] + TestCoin.encode(coins)
            let bytes = patch(sections)
            let root = try bytes.withBytes { try PatchIndex(checking: $0, shards: 16).root }
            try replacePacked(path, bytes)
            try signHistories(from: height) { $0.patchRoot = root }
            return (shard, coin)
        }
        throw TestError("no section of \(path) creates coins alone")
    }
}
