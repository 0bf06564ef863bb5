import Concord
import ConcordFiles
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

    /// The coins with exactly these scripts, script by script, ordered by outpoint. The shards must be there.
    ///
    /// Shards, patches and their roots are checked again on the way: a disk that lost a bit is an error, not a balance.
    public func coins(of scripts: [[UInt8]]) throws -> [[Coin]] {
        try set.reading {
            let parameters = set.statement.parameters
            let byShard = Dictionary(grouping: scripts.indices) {
                scripts[$0].withBytes(parameters.shard(of:))
            }
            let shards = byShard.keys.sorted()
            let sections = try PatchSections(
                root: set.folder.root, parameters: parameters, files: set.files
            )
            .load(shards)
            var found = [[Coin]](repeating: [], count: scripts.count)
            for (i, shard) in shards.enumerated() {
                let wanted = byShard[shard, default: []].map { (scripts[$0], place: $0) }
                try search(shard, sections, at: i, for: wanted, into: &found)
            }
            return found
        }
    }

    private func search(
        _ shard: Int, _ sections: PatchSections.Loaded, at i: Int, for scripts: [([UInt8], place: Int)],
        into found: inout [[Coin]]
    ) throws {
        // A script has one compressed form, so that comparing it is comparing scripts.
        let wanted = scripts.map { script, place in
            var compressed = ByteBuffer()
            script.withBytes { ScriptCompression.append($0, to: &compressed) }
            return (bytes: [UInt8](compressed.bytes), place)
        }
        var changes = ShardChanges()
        try sections.add(i, to: &changes)
        changes.sort()
        let path = set.folder.path(TreePath.shard(shard, of: set.snapshot))
        var merge = ShardMerge(
            before: try ShardReader(path, expected: set.manifest.shards[shard].contents), changes: changes)
        while let body = try merge.next() {
            for (bytes, place) in wanted where body.count > bytes.count {
                guard UnsafeRawBufferPointer(rebasing: body.suffix(bytes.count)).elementsEqual(bytes) else {
                    continue
                }
                let coin = try EncodedCoin(index: merge.outpoint.index, body: body)
                guard coin.scriptBytes == bytes.count else { continue }
                found[place].append(
                    Coin(
                        outpoint: merge.outpoint, height: coin.height, isCoinbase: coin.isCoinbase,
                        amount: coin.amount))
            }
        }
        withExtendedLifetime(sections) {}
    }
}
