import Concord
import ConcordFiles

/// Goes over all coins of a snapshot once: what statements and manifests say of them is worked out anew.
public struct SnapshotCount: Sendable {
    let block: BlockID
    let parameters: TreeParameters

    public init(of block: BlockID, _ parameters: TreeParameters) {
        (self.block, self.parameters) = (block, parameters)
    }

    private struct Tools: ~Copyable {
        var script = ByteBuffer()
        var packed = ByteBuffer()
        var filter: ShardFilter.Builder

        init(_ block: Digest) {
            filter = ShardFilter.Builder(block: block)
        }
    }

    /// Counts shards, on all cores.
    ///
    /// - Parameters:
    ///   - contents: of all shards.
    ///   - file: gives the path of each shard's file, which need not be in its place.
    ///   - filter: is given each shard's filter.
    public func run<Result: Sendable>(
        _ contents: [ShardContents], file: @Sendable (_ shard: Int) -> String,
        filter: @Sendable (_ shard: Int, UnsafeRawBufferPointer) throws -> Result
    ) throws -> (totals: SetTotals, filters: [Result]) {
        let counted = try Parallel.map(contents.count, tools: { Tools(block.hash) }) { shard, tools in
            let path = file(shard)
            var reader = try ShardReader(path, expected: contents[shard])
            let totals = try reader.count(
                shard, of: parameters, script: &tools.script, into: &tools.filter, for: path)
            tools.packed.removeAll()
            tools.filter.finish(to: &tools.packed)
            return (totals, try filter(shard, tools.packed.bytes))
        }
        return (SetTotals(counted.map(\.0)), counted.map(\.1))
    }
}

extension ShardReader {
    /// Reads all coins of a shard: what they come to, and their scripts. Throws where a script cannot be decompressed or
    /// belongs to another shard.
    mutating func count(
        _ shard: Int, of parameters: TreeParameters, script: inout ByteBuffer,
        into filter: inout ShardFilter.Builder, for path: String
    ) throws(FileError) -> ShardTotals {
        try count(shard, of: parameters, script: &script, for: path) { filter.add($0) }
    }

    /// The same without the scripts.
    public mutating func count(
        _ shard: Int, of parameters: TreeParameters, for path: String
    ) throws(FileError) -> ShardTotals {
        var script = ByteBuffer()
        return try count(shard, of: parameters, script: &script, for: path) { _ in }
    }

    private mutating func count(
        _ shard: Int, of parameters: TreeParameters, script: inout ByteBuffer, for path: String,
        _ take: (UnsafeRawBufferPointer) -> Void
    ) throws(FileError) -> ShardTotals {
        var totals = ShardTotals()
        while let coin = try next() {
            let outpoint = Outpoint(txid: txid, index: coin.index)
            guard ScriptCompression.decompress(coin.script, into: &script) else {
                throw FileError(path, "names a public key that is no point of the curve, for \(outpoint)")
            }
            guard parameters.shard(of: script.bytes) == shard else {
                throw FileError(path, "holds \(outpoint), which belongs to another shard")
            }
            try totals.add(coin, at: outpoint, script: script.bytes, for: path)
            take(script.bytes)
        }
        return totals
    }
}

extension SnapshotMerge {
    /// What the shards of the set hold: what the next manifest says of them.
    public func contents() throws -> [ShardContents] {
        try map(tools: { ByteBuffer(capacity: 512 << 10) }) { _, merge, canonical in
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
            return ShardContents(coins: groups.total, bytes: bytes, digest: sha.finish())
        }
    }
}
