/// A chain of checked headers as it leaves the *trunk*, another chain, which its owner keeps.
public struct HeaderBranch: Sendable {
    /// The height of the last block that it shares with the trunk; that below the first header if there is none.
    public let fork: Int
    /// From `fork + 1` on, 80 bytes each. None if the chain ends on the trunk.
    public let headers: [UInt8]
    public let tip: BlockID
    /// Of the whole chain from the genesis block on (`HeaderFollower.work`).
    public internal(set) var work: UInt128
    /// `HeaderFollower.latestTime`, the trunk's part included.
    public let latestTime: UInt32

    /// Goes on where `fork`, which followed the trunk, stands; the first header is not the trunk's next.
    public init(from fork: HeaderFollower, following headers: [UInt8]) throws(HeaderFault) {
        var follower = fork
        try headers.withBytes { raw throws(HeaderFault) in try follower.follow(raw) }
        try self.init(leaving: fork.height, headers, follower)
    }

    /// A chain that shares nothing with the trunk: from `start.base` over the pinned block, and on by the rules.
    public init(
        _ network: Network, from start: PinnedStart, following headers: [UInt8]
    ) throws(HeaderFault) {
        let pinned = min(start.count * BlockHeader.size, headers.count)
        let follower = try headers.withBytes { raw throws(HeaderFault) in
            var follower = try HeaderFollower(network, at: start, above: .init(rebasing: raw[..<pinned]))
            try follower.follow(.init(rebasing: raw[pinned...]))
            return follower
        }
        try self.init(leaving: start.base - 1, headers, follower)
    }

    private init(leaving fork: Int, _ headers: [UInt8], _ follower: HeaderFollower) throws(HeaderFault) {
        guard let tip = follower.tip else { throw HeaderFault(.truncated, height: 0) }
        self.fork = fork
        self.headers = headers
        self.tip = tip
        work = follower.work
        latestTime = follower.latestTime
    }

    /// The tip, or a block between it and the fork; nil for other heights.
    public func block(at height: Int) -> BlockID? {
        guard height > fork, height < tip.height else { return height == tip.height ? tip : nil }
        // The next header names it.
        let hash = headers.withBytes {
            $0.loadUnaligned(fromByteOffset: offset(height + 1) + 4, as: Digest.self)
        }
        return BlockID(height: height, hash: hash)
    }

    /// The height of the last block that two branches of one trunk share.
    func lastCommon(with other: HeaderBranch) -> Int {
        guard fork == other.fork else { return min(fork, other.fork) }
        // Equal headers mean equal blocks, and different ones different blocks.
        let same = zip(headers, other.headers).prefix { $0 == $1 }.count
        return fork + same / BlockHeader.size
    }

    private func offset(_ height: Int) -> Int { (height - fork - 1) * BlockHeader.size }
}
