import Concord
import ConcordFiles
import ConcordTree

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The coins that the blocks before made, as far as a fixed memory goes, so that a coin that is spent again soon can be
/// held to what it is at once. Where there is no more room, the oldest of those it competes with is forgotten: what is
/// not here is not checked here.
///
/// A table of buckets with four places each, one bucket a cache line. Workers own ranges of buckets.
public final class RecentCoins: @unchecked Sendable {
    /// Bytes; 4 million coins.
    public static let defaultMemory = 64 << 20

    private static let places = 4
    private let memory: UnsafeMutableRawPointer
    private let slots: UnsafeMutablePointer<CoinMark>
    private let buckets: Int
    private let shift: UInt64
    /// The block that was followed last.
    private var newest: BlockID?
    private var isEmpty = true

    /// - Parameter memory: bytes, a power of two from 128 on.
    public init(memory bytes: Int = defaultMemory) {
        precondition(bytes >= 128 && bytes & (bytes - 1) == 0)
        buckets = bytes / (Self.places * MemoryLayout<CoinMark>.stride)
        shift = UInt64(64 - buckets.trailingZeroBitCount)
        // From the system, which gives zeros, and only when they are touched.
        guard let room = calloc(1, bytes + 64) else { fatalError("no memory for \(bytes) bytes") }
        memory = room
        slots = room.alignedUp(toMultipleOf: 64).bindMemory(
            to: CoinMark.self, capacity: buckets * Self.places)
    }

    deinit {
        free(memory)
    }

    /// Whether it knows the coins up to this block; if not, it knows none from now on.
    func goesOn(from block: BlockID?) -> Bool {
        if newest == block { return true }
        forget()
        return false
    }

    func forget() {
        newest = nil
        if !isEmpty { memset(slots, 0, buckets * Self.places * MemoryLayout<CoinMark>.stride) }
        isEmpty = true
    }

    /// A spent coin that is another one than was made.
    struct Alarm: Sendable {
        /// The place of the block in the list.
        let block: Int
        /// Stands for the outpoint, as in `CoinMark`.
        let outpoint: UInt64
    }

    /// Takes in the next blocks, in order, on all cores.
    func follow(_ blocks: [CoinMarks], newest: BlockID) throws -> [Alarm] {
        self.newest = newest
        isEmpty = false
        let parts = min(Parallel.cores, buckets)
        return try Parallel.map(parts) { part in
            let own = buckets * part / parts..<buckets * (part + 1) / parts
            var alarms: [Alarm] = []
            for (i, block) in blocks.enumerated() {
                for coin in block.spent {
                    let bucket = Int(coin.outpoint >> shift)
                    guard own.contains(bucket), let known = take(coin.outpoint, from: bucket) else {
                        continue
                    }
                    if known != coin.coin { alarms.append(Alarm(block: i, outpoint: coin.outpoint)) }
                }
                for coin in block.created {
                    let bucket = Int(coin.outpoint >> shift)
                    if own.contains(bucket) { put(coin, into: bucket) }
                }
            }
            return alarms
        }.flatMap(\.self).sorted { $0.block < $1.block }
    }

    /// What was known of a coin, which is known no more.
    @inline(__always)
    private func take(_ outpoint: UInt64, from bucket: Int) -> UInt64? {
        let place = slots + bucket * Self.places
        for i in 0..<Self.places where place[i].outpoint == outpoint {
            let coin = place[i].coin
            for j in i..<Self.places - 1 { place[j] = place[j + 1] }
            place[Self.places - 1] = CoinMark.none
            return coin
        }
        return nil
    }

    @inline(__always)
    private func put(_ coin: CoinMark, into bucket: Int) {
        let place = slots + bucket * Self.places
        for i in 0..<Self.places where place[i].outpoint == coin.outpoint || place[i].outpoint == 0 {
            place[i] = coin
            return
        }
        for j in 0..<Self.places - 1 { place[j] = place[j + 1] }
        place[Self.places - 1] = coin
    }

    /// Takes in what the blocks since the last snapshot made, of an earlier run; a file that cannot be read is left out,
    /// for whoever needs it says why.
    func remember(_ files: [ChangeFile], in folder: Folder, _ parameters: TreeParameters) throws {
        for start in stride(from: 0, to: files.count, by: 64) {
            let some = files[start..<min(start + 64, files.count)]
            let marks = try Parallel.map(some.count, tools: { Tools() }) { i, tools in
                (try? tools.created(some[start + i], in: folder, parameters)) ?? CoinMarks()
            }
            _ = try follow(marks, newest: some[some.endIndex - 1].block)
        }
    }

    private struct Tools: ~Copyable {
        var reading = PatchReader.Tools()
        var patch = ByteBuffer(capacity: 1 << 20)
        var script = ByteBuffer()

        mutating func created(
            _ file: ChangeFile, in folder: Folder, _ parameters: TreeParameters
        ) throws -> CoinMarks {
            var marks = CoinMarks()
            let index = try PatchFile.read(
                folder.path(file.path(parameters)), file, parameters, &reading, into: &patch)
            for shard in 0..<parameters.shards {
                var section = try PatchSection(
                    UnsafeRawBufferPointer(rebasing: patch.bytes[index.range(of: shard)]))
                while try section.nextSpent() != nil {}
                while let (outpoint, coin) = try section.nextCreated() {
                    guard ScriptCompression.decompress(coin.script, into: &script) else { continue }
                    let hash = SHA256.hash(
                        coin: outpoint, code: coin.code, amount: coin.amount, script: script.bytes)
                    marks.created.append(CoinMark(outpoint, hash: hash))
                }
            }
            return marks
        }
    }
}
