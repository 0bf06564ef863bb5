/// How a tree is partitioned: the same for all authorities of a trustnet.
public struct TreeParameters: Hashable, Sendable {
    /// A power of two from 1 to 4096.
    public let shards: Int
    /// Blocks from one snapshot to the next.
    public let epoch: Int

    public static let maxShards = 4096
    public static let maxEpoch = 100_000

    /// For values known to be good; traps on others. Use `init(checking:epoch:)` for what comes from outside.
    public init(shards: Int, epoch: Int) {
        precondition(Self.areValid(shards: shards, epoch: epoch))
        self.shards = shards
        self.epoch = epoch
    }

    public init?(checking shards: Int, epoch: Int) {
        guard Self.areValid(shards: shards, epoch: epoch) else { return nil }
        self.shards = shards
        self.epoch = epoch
    }

    private static func areValid(shards: Int, epoch: Int) -> Bool {
        (1...maxShards).contains(shards) && shards.nonzeroBitCount == 1 && (1...maxEpoch).contains(epoch)
    }

    /// The first height of the epoch that `height` lies in.
    public func epochStart(of height: Int) -> Int { height - height % epoch }

    // MARK: spans

    /// The numbers of blocks whose changes are published together as one delta, ascending (FORMAT.md, «Conventions»).
    public var spans: [Int] { [10, 100].filter { $0 < epoch && epoch % $0 == 0 } }

    /// The spans of the deltas that end with the block at a height, ascending.
    public func deltaSpans(at height: Int) -> [Int] {
        height == 0 ? [] : spans.filter { height % $0 == 0 }
    }

    /// How many blocks below one at a height the ancestors lie whose statements its own names, ascending; none at an
    /// epoch height.
    public func historySpans(at height: Int) -> [Int] {
        height == epochStart(of: height) ? [] : [1] + deltaSpans(at: height)
    }

    /// A patch or delta on the way from one height to another.
    public struct Step: Hashable, Sendable {
        /// The block it ends with.
        public let height: Int
        /// Its number of blocks: 1 is a patch.
        public let span: Int

        public init(height: Int, span: Int) {
            (self.height, self.span) = (height, span)
        }
    }

    /// The fewest patches and deltas that lead from the set at one height to that at another, in order.
    ///
    /// Each is as long as fits; for the spans divide each other, no other choice is shorter. Inside an epoch they are
    /// what `history` leads down by, from the highest.
    public func steps(from base: Int, to target: Int) -> [Step] {
        var steps: [Step] = []
        var height = base
        while height < target {
            let span = spans.last { height % $0 == 0 && height + $0 <= target } ?? 1
            height += span
            steps.append(Step(height: height, span: span))
        }
        return steps
    }

    // MARK: ranges

    /// The number of ranges that the shards are divided into, 2^⌊log2(shards)/2⌋ (FORMAT.md, «Ranges of shards»).
    public var ranges: Int { 1 << (shards.trailingZeroBitCount / 2) }

    /// Shards in each range.
    public var shardsPerRange: Int { shards / ranges }

    /// The shards of a range.
    public func shards(ofRange range: Int) -> Range<Int> {
        range * shardsPerRange..<(range + 1) * shardsPerRange
    }

    /// The range that a shard lies in.
    public func range(ofShard shard: Int) -> Int { shard / shardsPerRange }

    // MARK: scripts

    /// The number of the shard for a script: SHA256(SHA256(scriptPubKey)) as a little-endian integer, modulo the
    /// number of shards (FORMAT.md, «Shards»).
    public func shard(of script: UnsafeRawBufferPointer) -> Int {
        Int(truncatingIfNeeded: SHA256.double(script).lowWord) & (shards - 1)
    }

    /// The number of the shard for the script with this SHA-256, in the order of its bytes: the script itself is not needed.
    public func shard(ofScriptHash hash: Digest) -> Int {
        Int(truncatingIfNeeded: hash.withBytes { SHA256.hash($0) }.lowWord) & (shards - 1)
    }
}
