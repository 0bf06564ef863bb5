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
        let parameters = set.statement.parameters
        // A script has one compressed form, so that comparing it is comparing scripts.
        let wanted = scripts.map { script in
            var compressed = ByteBuffer()
            script.withBytes { ScriptCompression.append($0, to: &compressed) }
            return [UInt8](compressed.bytes)
        }
        let byShard = Dictionary(grouping: scripts.indices) { scripts[$0].withBytes(parameters.shard(of:)) }
        var found = [[Coin]](repeating: [], count: scripts.count)
        var here: (shard: Int, places: [Int]) = (-1, [])
        try walk(byShard.keys.sorted()) { shard, outpoint, body in
            if shard != here.shard { here = (shard, byShard[shard, default: []]) }
            for place in here.places where body.count > wanted[place].count {
                let bytes = wanted[place]
                guard UnsafeRawBufferPointer(rebasing: body.suffix(bytes.count)).elementsEqual(bytes) else {
                    continue
                }
                let coin = try EncodedCoin(index: outpoint.index, body: body)
                guard coin.scriptBytes == bytes.count else { continue }
                found[place].append(Coin(outpoint, coin))
            }
        }
        return found
    }

    /// The coins whose script has this SHA-256, in the order of its bytes, ordered by outpoint: what Esplora calls a script
    /// hash. (Electrum's is the same with the bytes reversed.) Its shard must be there; each of the shard's scripts is hashed.
    public func coins(ofScriptHash hash: Digest) throws -> [Coin] {
        var found: [Coin] = []
        var script = ByteBuffer()
        try walk([set.statement.parameters.shard(ofScriptHash: hash)]) { _, outpoint, body in
            let coin = try EncodedCoin(index: outpoint.index, body: body)
            guard ScriptCompression.decompress(coin.script, into: &script), SHA256.hash(script.bytes) == hash
            else { return }
            found.append(Coin(outpoint, coin))
        }
        return found
    }

    /// Goes over all coins of some shards, in ascending order.
    private func walk(
        _ shards: [Int], _ visit: (_ shard: Int, Outpoint, _ body: UnsafeRawBufferPointer) throws -> Void
    ) throws {
        try set.reading {
            let parameters = set.statement.parameters
            let sections = try PatchSections(
                root: set.folder.root, parameters: parameters, files: set.files
            )
            .load(shards)
            for (i, shard) in shards.enumerated() {
                var changes = ShardChanges()
                try sections.add(i, to: &changes)
                changes.sort()
                let path = set.folder.path(TreePath.shard(shard, of: set.snapshot))
                var merge = ShardMerge(
                    before: try ShardReader(path, expected: set.manifest.shards[shard].contents),
                    changes: changes)
                while let body = try merge.next() { try visit(shard, merge.outpoint, body) }
            }
            withExtendedLifetime(sections) {}
        }
    }
}

extension CoinLookup.Coin {
    fileprivate init(_ outpoint: Outpoint, _ coin: EncodedCoin) {
        self.init(
            outpoint: outpoint, height: coin.height, isCoinbase: coin.isCoinbase, amount: coin.amount)
    }
}
