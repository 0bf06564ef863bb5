import Concord
import ConcordFiles
import ConcordTree

/// What the patches and deltas of an installed set show of scripts: when each coin came, and when it went.
///
/// It begins with the coins at the set's snapshot. A coin that came and went inside one delta is not seen.
public struct CoinHistory: Sendable {
    /// A coin of a script.
    public struct Entry: Sendable, Hashable {
        public let coin: FoundCoin
        /// scriptPubKey.
        public let script: [UInt8]
        /// The blocks in one of which it was spent; nil where it is there.
        public let spent: ClosedRange<Int>?
    }

    private let set: InstalledSet

    public init(_ set: InstalledSet) { self.set = set }

    /// The height that it begins after.
    public var start: Int { self.set.snapshot.height }

    /// All coins that the scripts had at the snapshot or got since, in the order of heights and outpoints. What the set knows
    /// of the scripts must be there (`InstalledSet.knows`).
    public func entries(of scripts: [[UInt8]]) throws -> [Entry] {
        let parameters = set.statement.parameters
        let byShard = Dictionary(grouping: Set(scripts)) { $0.withBytes(parameters.shard(of:)) }
        let shards = byShard.keys.sorted()
        let bases = try shards.map { try base($0, byShard[$0] ?? []) }
        return try set.reading {
            let sections = try PatchSections(root: set.folder.root, parameters: parameters, files: set.files)
                .load(shards)
            let followed = FollowedCoins(sections: sections, files: set.files)
            var entries: [Entry] = []
            for (i, base) in bases.enumerated() {
                let there = try followed.coins(from: base, at: i) { event in
                    guard event.kind == .went else { return }
                    entries.append(Entry(coin: event.coin, script: event.script, spent: event.heights))
                }
                entries += there.values.map { Entry(coin: $0.coin, script: $0.script, spent: nil) }
            }
            let wanted = Set(scripts)
            return entries.filter { wanted.contains($0.script) }.sorted {
                ($0.coin.height, $0.coin.outpoint) < ($1.coin.height, $1.coin.outpoint)
            }
        }
    }

    /// The coins of scripts at the snapshot.
    private func base(_ shard: Int, _ scripts: [[UInt8]]) throws -> ShardBase {
        if let base = set.bases[shard] { return base }
        var base = ShardBase(shard)
        for script in scripts { base.cover(script) }
        let found = try CoinLookup(set, height: set.snapshot.height).coins(of: scripts)
        base.coins = zip(scripts, found).flatMap { script, coins in
            coins.map { ShardBase.Coin($0, script) }
        }
        return base
    }
}
