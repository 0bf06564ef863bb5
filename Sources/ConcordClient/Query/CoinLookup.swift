import Concord
import ConcordFiles
import ConcordTree
import Synchronization

/// The coins of scripts in an installed set: each script's shard, merged with the patches since its snapshot; or where the
/// shard is followed only, what its base and the sections since say.
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
    /// Shards, patches and their roots are checked again on the way: a disk that lost a bit is an error, not a balance. All
    /// cores work, each on a shard at a time.
    ///
    /// - Parameter progress: told by any thread how many shards were searched, and of how many.
    public func coins(
        of scripts: [[UInt8]], progress: @Sendable (Int, Int) -> Void = { _, _ in }
    ) throws -> [[Coin]] {
        let parameters = set.statement.parameters
        let byShard = Dictionary(grouping: scripts.indices) { scripts[$0].withBytes(parameters.shard(of:)) }
        let searched = Atomic(0)
        @Sendable func tell() { progress(searched.add(1, ordering: .relaxed).newValue, byShard.count) }
        let (followed, held) = byShard.keys.sorted().reduce(into: ([Int](), [Int]())) { shards, shard in
            if set.bases[shard] != nil { shards.0.append(shard) } else { shards.1.append(shard) }
        }
        let merge = SnapshotMerge(
            root: set.folder.root, parameters: parameters, before: set.before, files: files)
        let found = try set.reading {
            let merged = try merge.map(held, tools: {}) { shard, merge, _ in
                let places = byShard[shard, default: []]
                let found = try Self.search(&merge, for: places.map { scripts[$0] })
                tell()
                return found.map { (place: places[$0.place], coin: $0.coin) }
            }
            return try merged + follow(followed, byShard, scripts, tell)
        }
        var coins = [[Coin]](repeating: [], count: scripts.count)
        for (place, coin) in found.joined() { coins[place].append(coin) }
        return coins
    }

    private typealias Found = [(place: Int, coin: Coin)]

    private func follow(
        _ shards: [Int], _ byShard: [Int: [Int]], _ scripts: [[UInt8]], _ tell: @Sendable () -> Void
    ) throws -> [Found] {
        if shards.isEmpty { return [] }
        let sections = try PatchSections(
            root: set.folder.root, parameters: set.statement.parameters, files: files
        ).load(shards)
        let followed = FollowedCoins(sections: sections, files: files)
        return try Parallel.map(shards.count) { i in
            guard let base = set.bases[shards[i]] else { return [] }
            let coins = Dictionary(grouping: try followed.coins(from: base, at: i).values, by: \.script)
            tell()
            return byShard[shards[i], default: []].flatMap { place in
                coins[scripts[place], default: []].map { (place: place, coin: $0.coin) }
                    .sorted { $0.coin.outpoint < $1.coin.outpoint }
            }
        }
    }

    /// Places are those of the scripts.
    private static func search(_ merge: inout ShardMerge, for scripts: [[UInt8]]) throws -> Found {
        let table = ScriptTable(scripts)
        var found: Found = []
        while let body = try merge.next() {
            guard table.mayHave(body) else { continue }
            let coin = try EncodedCoin(index: merge.outpoint.index, body: body)
            table.find(coin.compressedScript) { found.append(($0, Coin(merge.outpoint, coin))) }
        }
        return found
    }

    /// The coins whose script has this SHA-256, in the order of its bytes, ordered by outpoint: what Esplora calls a script
    /// hash. (Electrum's is the same with the bytes reversed.) Its shard must be there, or be followed for this script; each of
    /// the shard's scripts is hashed.
    public func coins(ofScriptHash hash: Digest) throws -> [Coin] {
        let parameters = set.statement.parameters
        let shard = parameters.shard(ofScriptHash: hash)
        if let base = set.bases[shard] {
            let scripts = base.scripts.compactMap { [UInt8](hex: $0) }.filter { SHA256.hash($0) == hash }
            return try coins(of: scripts).flatMap(\.self)
        }
        let merge = SnapshotMerge(
            root: set.folder.root, parameters: parameters, before: set.before, files: files)
        return try set.reading {
            try merge.map([shard], tools: { ByteBuffer() }) { _, merge, script in
                var found: [Coin] = []
                while let body = try merge.next() {
                    let coin = try EncodedCoin(index: merge.outpoint.index, body: body)
                    guard ScriptCompression.decompress(coin.script, into: &script),
                        SHA256.hash(script.bytes) == hash
                    else { continue }
                    found.append(Coin(merge.outpoint, coin))
                }
                return found
            }
        }.flatMap(\.self)
    }
}

extension FoundCoin {
    fileprivate init(_ outpoint: Outpoint, _ coin: EncodedCoin) {
        self.init(
            outpoint: outpoint, height: coin.height, isCoinbase: coin.isCoinbase, amount: coin.amount)
    }
}
