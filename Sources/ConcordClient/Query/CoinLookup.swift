import Concord
import ConcordFiles
import ConcordTree
import Synchronization

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
    /// Shards, patches and their roots are checked again on the way: a disk that lost a bit is an error, not a balance. All
    /// cores work, each on a shard at a time.
    ///
    /// - Parameter progress: told by any thread how many shards were searched, and of how many.
    public func coins(
        of scripts: [[UInt8]], progress: @Sendable (Int, Int) -> Void = { _, _ in }
    ) throws -> [[Coin]] {
        let parameters = set.statement.parameters
        let byShard = Dictionary(grouping: scripts.indices) { scripts[$0].withBytes(parameters.shard(of:)) }
        let wanted = byShard.mapValues { places in
            WantedScripts(places.map { (place: $0, script: scripts[$0]) })
        }
        let merge = SnapshotMerge(
            root: set.folder.root, parameters: parameters, before: set.before, files: set.files)
        let searched = Atomic(0)
        let found = try set.reading {
            try merge.map(byShard.keys.sorted(), tools: {}) { shard, merge, _ in
                var found: [(place: Int, coin: Coin)] = []
                if let wanted = wanted[shard] { try Self.search(&merge, for: wanted, into: &found) }
                progress(searched.add(1, ordering: .relaxed).newValue, byShard.count)
                return found
            }
        }
        var coins = [[Coin]](repeating: [], count: scripts.count)
        for (place, coin) in found.joined() { coins[place].append(coin) }
        return coins
    }

    private static func search(
        _ merge: inout ShardMerge, for wanted: WantedScripts, into found: inout [(place: Int, coin: Coin)]
    ) throws {
        while let body = try merge.next() {
            for (place, script) in wanted.candidates(body) {
                guard body.count > script.count,
                    UnsafeRawBufferPointer(rebasing: body.suffix(script.count)).elementsEqual(script)
                else { continue }
                let coin = try EncodedCoin(index: merge.outpoint.index, body: body)
                guard coin.scriptBytes == script.count else { continue }
                let one = Coin(
                    outpoint: merge.outpoint, height: coin.height, isCoinbase: coin.isCoinbase,
                    amount: coin.amount)
                found.append((place, one))
            }
        }
    }
}

/// The scripts that are looked for in a shard, by the last two bytes of their compressed forms: few coins of the many have a
/// script with such an end. A script has one compressed form, so that comparing it is comparing scripts.
private struct WantedScripts: Sendable {
    typealias Entry = (place: Int, script: [UInt8])

    /// Of the empty script, which is compressed to one byte.
    private var short: [Entry] = []
    private var byEnd: [UInt16: [Entry]] = [:]
    /// For each end whether a script has it.
    private var ends = [Bool](repeating: false, count: 1 << 16)

    init(_ scripts: [Entry]) {
        for (place, script) in scripts {
            var compressed = ByteBuffer()
            script.withBytes { ScriptCompression.append($0, to: &compressed) }
            let entry = (place, [UInt8](compressed.bytes))
            if let end = Self.end(compressed.bytes) {
                byEnd[end, default: []].append(entry)
                ends[Int(end)] = true
            } else {
                short.append(entry)
            }
        }
    }

    /// Those that a coin's bytes may end with.
    func candidates(_ body: UnsafeRawBufferPointer) -> [Entry] {
        guard let end = Self.end(body), ends[Int(end)] else { return short }
        return short + byEnd[end, default: []]
    }

    private static func end(_ bytes: UnsafeRawBufferPointer) -> UInt16? {
        bytes.count < 2 ? nil : bytes.loadUnaligned(fromByteOffset: bytes.count - 2, as: UInt16.self)
    }
}
