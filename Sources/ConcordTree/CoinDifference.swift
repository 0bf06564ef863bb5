import Concord
import ConcordFiles

/// The first coin of a shard that two sides have otherwise, in the order of shards, and what each has there.
public struct CoinDifference: Equatable, Sendable {
    /// What an outpoint stands for.
    public struct Coin: Equatable, Sendable {
        public let height: Int
        public let isCoinbase: Bool
        /// In satoshi.
        public let amount: UInt64
        /// The scriptPubKey; nil where its short form names no point of the curve.
        public let script: [UInt8]?

        init(_ coin: EncodedCoin) {
            height = coin.height
            isCoinbase = coin.isCoinbase
            amount = coin.amount
            var script = ByteBuffer()
            self.script =
                ScriptCompression.decompress(coin.script, into: &script) ? [UInt8](script.bytes) : nil
        }
    }

    /// What one side has under the outpoint.
    public struct Side: Equatable, Sendable {
        /// Whether its patch spends the outpoint; a snapshot spends nothing.
        public var isSpent = false
        /// The coin in its snapshot, or the one that its patch creates.
        public var coin: Coin?
    }

    public let shard: Int
    public let outpoint: Outpoint
    public let own: Side
    public let other: Side
}

extension CoinDifference {
    /// Of the same shard in two snapshots, read side by side. Nil if they hold the same coins.
    public init?(
        shard: Int, _ own: consuming ShardReader, _ other: consuming ShardReader
    ) throws(FileError) {
        while true {
            let (mine, theirs) = (try own.next(), try other.next())
            let ownOutpoint = mine.map { Outpoint(txid: own.txid, index: $0.index) }
            let otherOutpoint = theirs.map { Outpoint(txid: other.txid, index: $0.index) }
            guard let first = Self.lower(ownOutpoint, otherOutpoint) else { return nil }
            if let mine, let theirs, ownOutpoint == otherOutpoint, mine.body.elementsEqual(theirs.body) {
                continue
            }
            self.shard = shard
            outpoint = first
            self.own = Side(coin: ownOutpoint == first ? mine.map(Coin.init) : nil)
            self.other = Side(coin: otherOutpoint == first ? theirs.map(Coin.init) : nil)
            return
        }
    }

    /// Of the same shard's sections in two patches of a block. Nil if they do the same.
    public init?(
        shard: Int, own: UnsafeRawBufferPointer, other: UnsafeRawBufferPointer
    ) throws(ParseError) {
        guard let first = try Self.firstDifference(own, other) else { return nil }
        self.shard = shard
        outpoint = first
        self.own = try Self.side(of: first, in: own)
        self.other = try Self.side(of: first, in: other)
    }

    private static func lower(_ a: Outpoint?, _ b: Outpoint?) -> Outpoint? {
        guard let a, let b else { return a ?? b }
        return min(a, b)
    }

    /// The lowest outpoint that one section spends and the other does not, or that they do not create alike.
    private static func firstDifference(
        _ own: UnsafeRawBufferPointer, _ other: UnsafeRawBufferPointer
    ) throws(ParseError) -> Outpoint? {
        var (one, two) = (try PatchSection(own), try PatchSection(other))
        var spent: Outpoint?
        while true {
            let (a, b) = (try one.nextSpent(), try two.nextSpent())
            if a == nil, b == nil { break }
            if a != b, spent == nil { spent = lower(a, b) }
        }
        while true {
            let (a, b) = (try one.nextCreated(), try two.nextCreated())
            guard let outpoint = lower(a?.outpoint, b?.outpoint) else { return spent }
            if let a, let b, a.outpoint == b.outpoint, a.coin.body.elementsEqual(b.coin.body) { continue }
            return lower(spent, outpoint)
        }
    }

    private static func side(
        of outpoint: Outpoint, in section: UnsafeRawBufferPointer
    ) throws(ParseError) -> Side {
        var section = try PatchSection(section)
        var side = Side()
        while let spent = try section.nextSpent() { side.isSpent = side.isSpent || spent == outpoint }
        while let (created, coin) = try section.nextCreated(), created <= outpoint {
            if created == outpoint { side.coin = Coin(coin) }
        }
        return side
    }
}
