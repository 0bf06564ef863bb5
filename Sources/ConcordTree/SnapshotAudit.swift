import Concord
import ConcordFiles

/// Recomputes what statements and manifests say from the coins themselves.
public struct SnapshotAudit: Sendable {
    /// What a set of coins adds up to.
    public struct Totals: Sendable {
        public var coins: UInt64 = 0
        /// In satoshi.
        public var amount: UInt64 = 0
        public var muhash = MuHash()

        /// Adds a coin. Throws, naming `path`, where its script does not decompress or belongs to another shard, or where the
        /// sum becomes more than there can be.
        mutating func add(
            _ coin: EncodedCoin, at outpoint: Outpoint, shard: Int, of parameters: TreeParameters,
            script: inout ByteBuffer, for path: String
        ) throws(FileError) {
            guard ScriptCompression.decompress(coin.script, into: &script) else {
                throw FileError(path, "names a public key that is no point of the curve, for \(outpoint)")
            }
            guard parameters.shard(of: script.bytes) == shard else {
                throw FileError(path, "holds \(outpoint), which belongs to another shard")
            }
            coins += 1
            amount += coin.amount
            guard amount <= Amount.most else {
                throw FileError(path, "holds more than 21 million bitcoin up to \(outpoint)")
            }
            muhash.insert(Num3072(coin: outpoint, code: coin.code, amount: coin.amount, script: script.bytes))
        }

        fileprivate static func sum(of parts: [Totals]) -> Totals {
            var all = Totals()
            for part in parts {
                all.coins += part.coins
                all.amount += part.amount
                all.muhash.merge(part.muhash)
            }
            return all
        }
    }

    let tree: Tree
    let parameters: TreeParameters

    public init(tree: Tree, parameters: TreeParameters) {
        self.tree = tree
        self.parameters = parameters
    }

    /// Coins, amount and MuHash of a snapshot, from its shards.
    public func totals(_ block: BlockID, _ manifest: Manifest) throws -> Totals {
        try Self.totals(manifest, parameters) { tree.path(TreePath.shard($0, of: block)) }
    }

    /// The same from files that need not be in their places; `file` gives the path of each shard's.
    public static func totals(
        _ manifest: Manifest, _ parameters: TreeParameters, file: @Sendable (_ shard: Int) -> String
    ) throws -> Totals {
        let parts = try Parallel.map(manifest.shards.count, tools: { ByteBuffer() }) { shard, script in
            let path = file(shard)
            var reader = try ShardReader(path, expected: manifest.shards[shard])
            var totals = Totals()
            while let coin = try reader.next() {
                try totals.add(
                    coin, at: Outpoint(txid: reader.txid, index: coin.index), shard: shard, of: parameters,
                    script: &script, for: path)
            }
            return totals
        }
        return .sum(of: parts)
    }

    /// The same of the set that a snapshot becomes with the patches since. `path` is the file that says what it is, for
    /// errors.
    public func totals(
        after before: SnapshotMerge.Before?, patches: [SnapshotMerge.Patch], for path: String
    ) throws -> Totals {
        let merge = SnapshotMerge(root: tree.root, parameters: parameters, before: before, patches: patches)
        return .sum(
            of: try merge.map(tools: { ByteBuffer() }) { shard, merge, script in
                var totals = Totals()
                while let body = try merge.next() {
                    try totals.add(
                        try EncodedCoin(index: merge.outpoint.index, body: body), at: merge.outpoint,
                        shard: shard, of: parameters, script: &script, for: path)
                }
                return totals
            })
    }

    /// The manifest of the set that a snapshot becomes with the patches since: byte for byte the next one.
    public func manifest(after before: SnapshotMerge.Before?, patches: [SnapshotMerge.Patch]) throws
        -> Manifest
    {
        let merge = SnapshotMerge(root: tree.root, parameters: parameters, before: before, patches: patches)
        let lines = try merge.map(tools: { ByteBuffer(capacity: 512 << 10) }) { _, merge, canonical in
            var groups = GroupEncoder()
            var sha = SHA256()
            var bytes: UInt64 = 0
            canonical.removeAll()
            while let body = try merge.next() {
                groups.add(txid: merge.outpoint.txid, index: merge.outpoint.index, body: body, to: &canonical)
                if canonical.count < 256 << 10 { continue }
                sha.update(canonical.bytes)
                bytes += UInt64(canonical.count)
                canonical.removeAll()
            }
            groups.finishGroup(to: &canonical)
            sha.update(canonical.bytes)
            bytes += UInt64(canonical.count)
            return Manifest.Shard(coins: groups.total, bytes: bytes, digest: sha.finish())
        }
        return Manifest(lines)
    }
}
