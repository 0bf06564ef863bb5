import Concord

/// A coin as the tests have it: nothing folded.
public struct TestCoin: Equatable, Sendable {
    public var outpoint: Outpoint
    public var code: UInt32
    public var amount: UInt64
    public var script: [UInt8]

    public init(outpoint: Outpoint, code: UInt32, amount: UInt64, script: [UInt8]) {
        self.outpoint = outpoint
        self.code = code
        self.amount = amount
        self.script = script
    }

    /// Everything behind the index.
    public var body: [UInt8] {
        bytes { out in
            out.appendVarInt(UInt64(code))
            out.appendVarInt(Amount.compress(amount))
            script.withBytes { ScriptCompression.append($0, to: &out) }
        }
    }

    /// In order, some to a transaction, with indexes and scripts of every length of encoding.
    public static func some(_ count: Int, using random: inout SeededRandom) -> [TestCoin] {
        var outpoints: Set<Outpoint> = []
        var txid = Digest(random.bytes(32)) ?? .zero
        while outpoints.count < count {
            if Int.random(in: 0..<3, using: &random) == 0 { txid = Digest(random.bytes(32)) ?? .zero }
            let most = [3, 300, 70_000, .max].randomElement(using: &random) ?? 3 as UInt32
            outpoints.insert(Outpoint(txid: txid, index: .random(in: 0...most, using: &random)))
        }
        return outpoints.sorted().map { outpoint in
            let length = [0, 1, 22, 34, 121, 122, 300, 10_000].randomElement(using: &random) ?? 0
            var script = random.bytes(length)
            if script.first == 0x6a { script[0] = 0x51 }
            if length == 22 { script = [0x76, 0xa9, 20] + script.prefix(20) + [0x88, 0xac] }
            return TestCoin(
                outpoint: outpoint, code: .random(in: 0...2_000_000, using: &random),
                amount: .random(in: 0...Amount.most, using: &random), script: script)
        }
    }

    /// The coins in shard form, straight from the words of FORMAT.md.
    public static func encode(_ coins: [TestCoin]) -> [UInt8] {
        bytes { out in
            for txid in Set(coins.map(\.outpoint.txid)).sorted() {
                let group = coins.filter { $0.outpoint.txid == txid }.sorted {
                    $0.outpoint.index < $1.outpoint.index
                }
                out.append(txid)
                out.appendCompactSize(UInt64(group.count))
                for coin in group {
                    out.appendCompactSize(UInt64(coin.outpoint.index))
                    out.append(coin.body)
                }
            }
        }
    }
}

/// A section of a patch, straight from the words of FORMAT.md.
public func section(spent: [Outpoint] = [], created: [TestCoin] = []) -> [UInt8] {
    bytes { out in
        let txids = Set(spent.map(\.txid)).sorted()
        out.appendCompactSize(UInt64(txids.count))
        for txid in txids {
            let indexes = spent.filter { $0.txid == txid }.map(\.index).sorted()
            out.append(txid)
            out.appendCompactSize(UInt64(indexes.count))
            for index in indexes { out.appendCompactSize(UInt64(index)) }
        }
        out.append(TestCoin.encode(created))
    }
}

/// A patch of these sections, straight from the words of FORMAT.md.
public func patch(_ sections: [[UInt8]]) -> [UInt8] {
    bytes { out in
        for section in sections {
            out.append(UInt32(section.count))
            out.append(SHA256.hash(section))
        }
        for section in sections { out.append(section) }
    }
}
