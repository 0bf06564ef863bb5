import Concord
import ConcordTree

/// The coins of scripts in an installed set: each script's shard, merged with the patches since its snapshot.
public struct CoinLookup: Sendable {
    public struct Coin: Sendable, Hashable {
        public let outpoint: Outpoint
        public let height: Int
        public let isCoinbase: Bool
        /// In satoshi.
        public let amount: UInt64
    }

    private let set: InstalledSet

    public init(_ set: InstalledSet) {
        self.set = set
    }

    /// The coins with exactly this script, ordered by outpoint. The shard must be there.
    ///
    /// Shard, patches and their roots are checked again on the way: a disk that lost a bit is an error, not a balance.
    public func coins(of script: [UInt8]) throws -> [Coin] {
        let parameters = set.statement.parameters
        let shard = script.withBytes(parameters.shard(of:))
        var wanted = ByteBuffer()
        script.withBytes { ScriptCompression.append($0, to: &wanted) }

        let sections = try PatchSections(root: set.folder.root, parameters: parameters, patches: set.patches)
            .load(shard..<shard + 1)
        var changes = ShardChanges()
        try sections.add(shard: shard, to: &changes)
        changes.sort()
        let path = set.folder.path(TreePath.shard(shard, of: set.snapshot))
        var merge = ShardMerge(
            before: try ShardReader(path, expected: set.manifest.shards[shard]), changes: changes)
        var coins: [Coin] = []
        while let body = try merge.next() {
            // A compressed script has one form only, and ends the coin.
            guard body.count > wanted.count, body.suffix(wanted.count).elementsEqual(wanted.bytes) else { continue }
            let coin = try EncodedCoin(index: merge.outpoint.index, body: body)
            guard coin.scriptBytes == wanted.count else { continue }
            coins.append(
                Coin(
                    outpoint: merge.outpoint, height: coin.height, isCoinbase: coin.isCoinbase, amount: coin.amount))
        }
        return withExtendedLifetime(sections) { coins }
    }
}
