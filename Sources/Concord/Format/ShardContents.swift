/// What a shard of a snapshot holds: the first columns of its line in a manifest, by which its file is read.
public struct ShardContents: Hashable, Sendable {
    public var coins: UInt64
    /// Length and SHA-256 of the canonical bytes.
    public var bytes: UInt64
    public var digest: Digest

    /// No shard has more canonical bytes.
    public static let maxBytes: UInt64 = 1 << 48

    public init(coins: UInt64, bytes: UInt64, digest: Digest) {
        self.coins = coins
        self.bytes = bytes
        self.digest = digest
    }

    /// `COINS BYTES SHA256`.
    public var text: String { "\(coins) \(bytes) \(digest.hex)" }

    /// Of the three words of a text; nil unless it prints as they are.
    public init?(_ words: some Collection<String>) {
        guard words.count == 3, let first = words.first, let coins = FieldLines.decimal(first),
            let bytes = FieldLines.decimal(
                words[words.index(after: words.startIndex)], atMost: Self.maxBytes),
            coins <= bytes, let digest = Digest(hex: words[words.index(words.startIndex, offsetBy: 2)])
        else { return nil }
        self.init(coins: coins, bytes: bytes, digest: digest)
    }
}

extension ShardContents {
    /// A line for each of all shards, in order: for folders of a publisher's own.
    public static func list(_ all: [ShardContents]) -> String { all.map { $0.text + "\n" }.joined() }

    public static func parse(list bytes: [UInt8], shards: Int) throws(ParseError) -> [ShardContents] {
        var lines = FieldLines(bytes)
        var all: [ShardContents] = []
        for _ in 0..<shards {
            let start = lines.offset
            let words = try lines.line().split(separator: " ").map(String.init)
            guard let contents = ShardContents(words) else {
                throw ParseError(.malformed("has a wrong line"), at: start)
            }
            all.append(contents)
        }
        try lines.finish()
        return all
    }
}
