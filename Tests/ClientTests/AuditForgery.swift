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
    /// Publishes another shard in the snapshot of a height, and all that follows from it.
    func forgeSnapshot(_ height: Int, shard: Int, _ change: (inout [TestCoin]) throws -> Void) throws {
        let (manifest, _) = try tree.replace(shard: shard, ofSnapshot: height, change)
        try tree.resign(from: height, with: try SigningKey(readingFrom: keyFile)) {
            $0.statement.snapshotRoot = manifest.root
        }
    }

    /// Adds a satoshi to the first coin that a block creates, and publishes that. Gives the coin as it was.
    func forgePatch(_ height: Int) throws -> (shard: Int, coin: TestCoin) {
        let path =
            "patches/" + (try tree.attestation(height).split(separator: "/", maxSplits: 1)[1].dropLast(4))
            + ".zst"
        var sections = try patchSections(
            try Program.installed("zstd").print("-dcq", tree.path(path)), shards: 16)
        for (shard, section) in sections.enumerated() {
            // In a section that spends nothing the coins begin behind the zero.
            guard section.count > 1, section[0] == 0 else { continue }
            var coins = try TestCoin.all(inShard: Array(section.dropFirst()))
            let coin = coins[0]
            coins[0].amount += 1
            sections[shard] = [0] + TestCoin.encode(coins)
            let root = try tree.replace(patch: path, sections, try tree.said(height).parameters)
            try tree.resign(from: height, with: try SigningKey(readingFrom: keyFile)) {
                $0.statement.patchRoot = root
            }
            return (shard, coin)
        }
        throw TestError("no section of \(path) creates coins alone")
    }
}
