/// The list of a snapshot's shards (FORMAT.md, «Snapshots»): a line each, `SSS COINS BYTES SHA256`.
public struct Manifest: Hashable, Sendable {
    public struct Shard: Hashable, Sendable {
        public var coins: UInt64
        /// Length and SHA-256 of the canonical bytes.
        public var bytes: UInt64
        public var digest: Digest

        public init(coins: UInt64, bytes: UInt64, digest: Digest) {
            self.coins = coins
            self.bytes = bytes
            self.digest = digest
        }
    }

    public let shards: [Shard]

    public init(_ shards: [Shard]) {
        self.shards = shards
    }

    public var coins: UInt64 { shards.reduce(0) { $0 + $1.coins } }

    public var text: String {
        shards.indices.map { line($0) + "\n" }.joined()
    }

    private func line(_ i: Int) -> String {
        "\(TreePath.shardDigits(i)) \(shards[i].coins) \(shards[i].bytes) \(shards[i].digest.hex)"
    }

    /// The snapshot root: the Merkle tree hash over the lines without their LF.
    public var root: Digest {
        MerkleTree.root(
            ofLeaves: shards.indices.map { line($0).utf8.span.bytes.withUnsafeBytes(MerkleTree.leaf) })
    }

    /// No manifest of this many shards is longer.
    public static func maxBytes(shards: Int) -> Int { shards * (3 + 1 + 20 + 1 + 20 + 1 + 64 + 1) }

    public init(parsing bytes: [UInt8], shards count: Int) throws(ParseError) {
        var lines = FieldLines(bytes)
        var shards: [Shard] = []
        shards.reserveCapacity(count)
        for i in 0..<count {
            let start = lines.offset
            let words = try lines.line().split(separator: " ", omittingEmptySubsequences: false).map(
                String.init)
            guard words.count == 4, words[0] == TreePath.shardDigits(i),
                let coins = FieldLines.decimal(words[1]),
                let bytes = FieldLines.decimal(words[2], atMost: 1 << 48),
                coins <= bytes, let digest = Digest(hex: words[3])
            else {
                throw ParseError(
                    .malformed("has a wrong line for shard \(TreePath.shardDigits(i))"), at: start)
            }
            shards.append(Shard(coins: coins, bytes: bytes, digest: digest))
        }
        try lines.finish()
        self.init(shards)
    }
}
