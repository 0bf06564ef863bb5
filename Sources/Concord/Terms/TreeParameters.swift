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

    /// The number of the shard for a script: SHA256(SHA256(scriptPubKey)) as a little-endian integer, modulo the
    /// number of shards (FORMAT.md, «Conventions»).
    public func shard(of script: UnsafeRawBufferPointer) -> Int {
        Int(truncatingIfNeeded: SHA256.double(script).lowWord) & (shards - 1)
    }
}
