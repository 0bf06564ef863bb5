/// The list of a snapshot's shards (FORMAT.md, «Snapshots»): a line each,
/// `SSS COINS BYTES SHA256 FILTERBYTES FILTERSHA256`.
public struct Manifest: Hashable, Sendable {
    public struct Shard: Hashable, Sendable {
        public var contents: ShardContents
        public var filter: Filter

        public init(_ contents: ShardContents, filter: Filter) {
            (self.contents, self.filter) = (contents, filter)
        }
    }

    /// The file of a shard's filter.
    public struct Filter: Hashable, Sendable {
        public var bytes: UInt64
        public var digest: Digest

        public init(bytes: UInt64, digest: Digest) {
            (self.bytes, self.digest) = (bytes, digest)
        }

        public init(_ filter: UnsafeRawBufferPointer) {
            self.init(bytes: UInt64(filter.count), digest: SHA256.hash(filter))
        }
    }

    public let shards: [Shard]

    public init(_ shards: [Shard]) {
        self.shards = shards
    }

    public var coins: UInt64 { shards.reduce(0) { $0 + $1.contents.coins } }

    /// What each shard holds.
    public var contents: [ShardContents] { shards.map(\.contents) }

    public var text: String {
        shards.indices.map { line($0) + "\n" }.joined()
    }

    private func line(_ i: Int) -> String {
        "\(TreePath.shardDigits(i)) \(shards[i].contents.text) \(shards[i].filter.bytes) \(shards[i].filter.digest.hex)"
    }

    /// The snapshot root: the Merkle tree hash over the lines without their LF.
    public var root: Digest {
        MerkleTree.root(
            ofLeaves: shards.indices.map { line($0).utf8.span.bytes.withUnsafeBytes(MerkleTree.leaf) })
    }

    /// No manifest of this many shards is longer.
    public static func maxBytes(shards: Int) -> Int { shards * maxLineBytes }

    /// A line with its LF: coins and bytes are at most 2^48, and so have at most 15 digits, as has what a filter may have.
    public static let maxLineBytes = 3 + 1 + 15 + 1 + 15 + 1 + 64 + 1 + 15 + 1 + 64 + 1

    public init(parsing bytes: [UInt8], shards count: Int) throws(ParseError) {
        var lines = FieldLines(bytes)
        var shards: [Shard] = []
        shards.reserveCapacity(count)
        for i in 0..<count {
            let start = lines.offset
            let words = try lines.line().split(separator: " ", omittingEmptySubsequences: false).map(
                String.init)
            guard words.count == 6, words[0] == TreePath.shardDigits(i),
                let contents = ShardContents(words[1...3]),
                let filterBytes = FieldLines.decimal(
                    words[4], atMost: ShardFilter.maxBytes(coins: contents.coins)),
                filterBytes > 0, let filterDigest = Digest(hex: words[5])
            else {
                throw ParseError(
                    .malformed("has a wrong line for shard \(TreePath.shardDigits(i))"), at: start)
            }
            shards.append(Shard(contents, filter: Filter(bytes: filterBytes, digest: filterDigest)))
        }
        try lines.finish()
        self.init(shards)
    }
}
