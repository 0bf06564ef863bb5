import Concord
import ConcordFiles
import ConcordTree

/// The coins of scripts in an installed set: each script's shard, merged with the patches since its snapshot.
public struct CoinLookup: Sendable {
    public typealias Coin = FoundCoin

    private let set: InstalledSet
    /// Patches and deltas up to the height that is asked about.
    private let files: [ChangeFile]

    /// - Parameter height: one of those that the set can say something of (`InstalledSet.heights`); the installed one if nil.
    public init(_ set: InstalledSet, height: Int? = nil) {
        self.set = set
        files = set.files.filter { $0.block.height <= height ?? set.block.height }
    }

    /// The coins with exactly these scripts, script by script, ordered by outpoint. What the set knows of them must be there
    /// (`InstalledSet.knows`).
    ///
    /// Shards, patches and their roots are checked again on the way: a disk that lost a bit is an error, not a balance.
    public func coins(of scripts: [[UInt8]]) throws -> [[Coin]] {
        try set.reading {
            let parameters = set.statement.parameters
            let byShard = Dictionary(grouping: scripts.indices) {
                scripts[$0].withBytes(parameters.shard(of:))
            }
            let shards = byShard.keys.sorted()
            let sections = try PatchSections(root: set.folder.root, parameters: parameters, files: files)
                .load(shards)
            var found = [[Coin]](repeating: [], count: scripts.count)
            for (i, shard) in shards.enumerated() {
                let places = byShard[shard, default: []]
                if let base = set.bases[shard] {
                    try follow(base, sections, at: i, for: places.map { (scripts[$0], $0) }, into: &found)
                } else {
                    try search(shard, sections, at: i, for: places.map { (scripts[$0], $0) }, into: &found)
                }
            }
            return found
        }
    }

    private func follow(
        _ base: ShardBase, _ sections: PatchSections.Loaded, at i: Int, for scripts: [([UInt8], place: Int)],
        into found: inout [[Coin]]
    ) throws {
        let coins = try FollowedCoins(sections: sections, files: files).coins(from: base, at: i).values
        let byScript = Dictionary(grouping: coins, by: \.script)
        for (script, place) in scripts {
            found[place] = byScript[script, default: []].map(\.coin).sorted { $0.outpoint < $1.outpoint }
        }
    }

    private func search(
        _ shard: Int, _ sections: PatchSections.Loaded, at i: Int, for scripts: [([UInt8], place: Int)],
        into found: inout [[Coin]]
    ) throws {
        let table = ScriptTable(scripts.map(\.0))
        var changes = ShardChanges()
        try sections.add(i, to: &changes)
        changes.sort()
        let path = set.folder.path(TreePath.shard(shard, of: set.snapshot))
        var merge = ShardMerge(
            before: try ShardReader(path, expected: set.manifest.shards[shard].contents), changes: changes)
        while let body = try merge.next() {
            guard table.mayHave(body) else { continue }
            let coin = try EncodedCoin(index: merge.outpoint.index, body: body)
            table.find(coin.compressedScript) { place in
                found[scripts[place].place].append(
                    Coin(
                        outpoint: merge.outpoint, height: coin.height, isCoinbase: coin.isCoinbase,
                        amount: coin.amount))
            }
        }
        withExtendedLifetime(sections) {}
    }
}
