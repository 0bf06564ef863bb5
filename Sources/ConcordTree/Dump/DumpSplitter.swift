import Concord
import ConcordFiles

/// Cuts a `dumptxoutset` file into the shards of a snapshot, in memory that does not grow with the set.
///
/// Coins are read in batches; their shards are found on all cores; what comes together for each shard is packed, on all
/// cores again, as one zstd frame more of the shard's file.
public struct DumpSplitter: ~Copyable {
    private struct Coin {
        let index: UInt32
        var shard: Int32 = 0
        /// Where the body is in the batch, and the compressed script at its end.
        let start, bodyBytes, scriptBytes: Int32
    }

    /// Some whole transactions.
    private struct Batch: ~Copyable {
        var coins: [Coin] = []
        /// The transactions, and where in `coins` each ends.
        var groups: [(txid: Digest, end: Int)] = []
        var bodies = ByteBuffer()

        mutating func removeAll() {
            coins.removeAll(keepingCapacity: true)
            groups.removeAll(keepingCapacity: true)
            bodies.removeAll()
        }

        func body(_ coin: Coin) -> UnsafeRawBufferPointer {
            UnsafeRawBufferPointer(rebasing: bodies.bytes[Int(coin.start)..<Int(coin.start + coin.bodyBytes)])
        }
    }

    /// A shard that is being written. Only one thread has it at a time.
    private final class Shard: @unchecked Sendable {
        let file: Folder.Staged
        var waiting = ByteBuffer()
        var sha = SHA256()
        var coins: UInt64 = 0
        var bytes: UInt64 = 0

        init(_ file: Folder.Staged) {
            self.file = file
        }

        /// Packs what is waiting, and gives its memory back: what one shard once needed must not add up.
        func flush(_ compressor: borrowing ZstdCompressor, _ packed: inout ByteBuffer) throws(FileError) {
            sha.update(waiting.bytes)
            bytes += UInt64(waiting.count)
            packed.removeAll()
            _ = compressor.appendFrame(waiting.bytes, to: &packed)
            waiting = ByteBuffer()
            try File(appending: file.temporary).write(packed.bytes)
        }
    }

    private struct Packer: ~Copyable {
        let compressor: ZstdCompressor
        var packed = ByteBuffer()
    }

    /// What is told while it goes on: coins read, coins in all. What it throws ends the work.
    public typealias Progress = (_ done: UInt64, _ all: UInt64) throws -> Void

    private static let batchBytes = 16 << 20

    private let path: String
    private var reader: DumpReader
    private var batch = Batch()

    /// Opens a dump and reads its header; `network` is the one that it must be of, any if nil.
    public init(_ path: String, network: Network? = nil) throws(FileError) {
        self.path = path
        reader = try DumpReader(path, network: network)
    }

    public var header: DumpHeader { reader.header }

    /// Reads the coins and writes the shards aside; nothing is in its place before the caller installs them. A set that Bitcoin Core's source pins is held to that.
    ///
    /// - Parameters:
    ///   - height: of the block that the header names. Coins of later blocks are refused.
    ///   - level: of zstd, 1 to 22.
    ///   - memory: bytes that wait for all shards together before they are packed.
    public consuming func split(
        into folder: Folder, height: Int, parameters: TreeParameters, level: Int, memory: Int = 128 << 20,
        progress: Progress = { _, _ in }
    ) throws -> BuiltShards {
        let pin = PinnedSet.pin(
            network: header.network, block: BlockID(height: height, hash: header.block))
        return try split(
            into: folder, height: height, parameters: parameters, level: level, memory: memory, pin: pin,
            progress: progress)
    }

    consuming func split(
        into folder: Folder, height: Int, parameters: TreeParameters, level: Int, memory: Int,
        pin: PinnedSet?, progress: Progress
    ) throws -> BuiltShards {
        let block = BlockID(height: height, hash: header.block)
        var hash = SerializedHash()
        var shards: [Shard] = []
        do {
            for shard in 0..<parameters.shards {
                let file = try File(creating: try folder.temporaryPath())
                shards.append(
                    Shard(Folder.Staged(temporary: file.path, path: TreePath.shard(shard, of: block))))
            }
            var waiting = 0
            var done: UInt64 = 0
            while try fill(height: height) {
                try findShards(parameters)
                if pin != nil { try add(to: &hash) }
                waiting += deal(to: shards)
                done += UInt64(batch.coins.count)
                if waiting >= memory {
                    try Self.flush(shards.filter { $0.waiting.count > 0 }, level: level)
                    waiting = 0
                }
                try progress(done, header.coins)
            }
            if let pin {
                let hash = hash.finish()
                guard pin.agrees(block: block, hash: hash) else {
                    throw FileError(
                        path,
                        "is of block \(block.hash.reversedHex) and has the hash_serialized_3 \(hash.reversedHex), but "
                            + "Bitcoin Core pins \(pin.hash) of block \(pin.block) for height \(pin.height): it is not "
                            + "that set")
                }
            }
            // A shard without coins is one frame without bytes.
            try Self.flush(shards.filter { $0.waiting.count > 0 || $0.bytes == 0 }, level: level)
        } catch {
            for shard in shards { folder.discard(shard.file) }
            throw error
        }
        return BuiltShards(
            contents: shards.map { ShardContents(coins: $0.coins, bytes: $0.bytes, digest: $0.sha.finish()) },
            files: shards.map(\.file))
    }

    /// Reads some whole transactions; false at the end.
    private mutating func fill(height: Int) throws(FileError) -> Bool {
        batch.removeAll()
        while let coin = try reader.next() {
            guard coin.height <= height else {
                throw FileError(
                    path,
                    "holds \(Outpoint(txid: reader.txid, index: coin.index)) of height \(coin.height), "
                        + "but is to be the set after height \(height)")
            }
            batch.coins.append(
                Coin(
                    index: coin.index, start: Int32(batch.bodies.count), bodyBytes: Int32(coin.body.count),
                    scriptBytes: Int32(coin.scriptBytes)))
            batch.bodies.append(coin.body)
            if reader.isEndOfGroup {
                batch.groups.append((reader.txid, batch.coins.count))
                if batch.bodies.count >= Self.batchBytes { break }
            }
        }
        return !batch.coins.isEmpty
    }

    /// Finds the shard of every coin of the batch.
    private mutating func findShards(_ parameters: TreeParameters) throws {
        let pieces = 4 * Parallel.cores
        let (coins, groups) = (batch.coins, batch.groups)
        nonisolated(unsafe) let bodies = batch.bodies.bytes
        let path = path
        let found = try Parallel.map(pieces, tools: { ByteBuffer() }) { piece, script in
            try (coins.count * piece / pieces..<coins.count * (piece + 1) / pieces).map { i in
                let end = Int(coins[i].start + coins[i].bodyBytes)
                var cursor = ByteCursor(
                    UnsafeRawBufferPointer(rebasing: bodies[end - Int(coins[i].scriptBytes)..<end]))
                guard ScriptCompression.decompress(try ScriptCompression.read(from: &cursor), into: &script)
                else {
                    let txid = groups.first { i < $0.end }?.txid ?? .zero
                    let outpoint = Outpoint(txid: txid, index: coins[i].index)
                    throw FileError(path, "names a public key that is no point of the curve, for \(outpoint)")
                }
                return Int32(parameters.shard(of: script.bytes))
            }
        }
        var i = 0
        for shard in found.joined() {
            batch.coins[i].shard = shard
            i += 1
        }
    }

    /// Adds the coins of the batch, whose scripts were decompressed once, to the hash of the set.
    private mutating func add(to hash: inout SerializedHash) throws(ParseError) {
        var group = CoinGroup()
        var start = 0
        for (txid, end) in batch.groups {
            group.begin(txid)
            for coin in batch.coins[start..<end] {
                _ = group.add(try EncodedCoin(index: coin.index, body: batch.body(coin)))
            }
            _ = group.sort(by: .number)
            for i in 0..<group.count { _ = hash.add(group[i], of: txid) }
            start = end
        }
    }

    /// Adds the coins of the batch, in canonical form, to what waits for their shards; gives the number of bytes.
    private mutating func deal(to shards: [Shard]) -> Int {
        var start = 0
        var dealt = 0
        for (txid, end) in batch.groups {
            if end - start > 1 {
                batch.coins.withUnsafeMutableBufferPointer {
                    var group = UnsafeMutableBufferPointer(rebasing: $0[start..<end])
                    group.sort { ($0.shard, $0.index) < ($1.shard, $1.index) }
                }
            }
            while start < end {
                let shard = shards[Int(batch.coins[start].shard)]
                let last = batch.coins[start..<end].firstIndex { $0.shard != batch.coins[start].shard } ?? end
                let before = shard.waiting.count
                shard.waiting.append(txid)
                shard.waiting.appendCompactSize(UInt64(last - start))
                for coin in batch.coins[start..<last] {
                    shard.waiting.appendCompactSize(UInt64(coin.index))
                    shard.waiting.append(batch.body(coin))
                }
                shard.coins += UInt64(last - start)
                dealt += shard.waiting.count - before
                start = last
            }
        }
        return dealt
    }

    private static func flush(_ shards: [Shard], level: Int) throws {
        _ = try Parallel.map(
            shards.count, tools: { Packer(compressor: ZstdCompressor(level: level)) }
        ) { i, packer in
            try shards[i].flush(packer.compressor, &packer.packed)
        }
    }
}
