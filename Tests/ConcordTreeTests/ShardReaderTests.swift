import TestSupport
import Testing

@testable import Concord
@testable import ConcordFiles
@testable import ConcordTree

@Suite struct ShardReaderTests {
    let scratch: Scratch

    init() throws {
        scratch = try Scratch()
    }

    static func line(_ bytes: [UInt8], coins: Int) -> ShardContents {
        ShardContents(coins: UInt64(coins), bytes: UInt64(bytes.count), digest: SHA256.hash(bytes))
    }

    func read(_ packed: [UInt8], _ line: ShardContents) throws -> [TestCoin] {
        var reader = try ShardReader(try scratch.write(packed, to: "shard.zst"), expected: line)
        var coins: [TestCoin] = []
        var script = ByteBuffer()
        while let coin = try reader.next() {
            #expect(ScriptCompression.decompress(coin.script, into: &script))
            let outpoint = Outpoint(txid: reader.txid, index: coin.index)
            coins.append(
                TestCoin(
                    outpoint: outpoint, code: coin.code, amount: coin.amount, script: [UInt8](script.bytes)))
        }
        // At the end it stays at the end.
        let more = try reader.next()?.index
        #expect(more == nil)
        return coins
    }

    func refusal(of packed: [UInt8], _ line: ShardContents) -> String? {
        #expect(throws: FileError.self) { try read(packed, line) }?.message
    }

    /// Several windows' worth of coins.
    @Test func allCoinsInOrder() throws {
        var random = SeededRandom()
        for count in [1, 10, 1000] {
            let coins = TestCoin.some(count, using: &random)
            let bytes = TestCoin.encode(coins)
            let line = Self.line(bytes, coins: count)
            #expect(try read(Zstd.frame(bytes), line) == coins, "seed \(random.seed)")
            let half = bytes.count / 2
            let frames =
                Zstd.frame(Array(bytes[..<half])) + Zstd.skippable([1]) + Zstd.frame(Array(bytes[half...]))
            #expect(try read(frames, line) == coins, "seed \(random.seed)")
        }
    }

    /// A whole number of windows: the end is seen only when nothing more comes.
    @Test func aShardThatFillsItsLastWindow() throws {
        let window = 256 << 10
        let txid = Digest(every: 9)
        // 33 or 35 bytes for the group; then coins of 10 bytes, and one that fills up.
        var coins: [TestCoin] = []
        var size = 32 + 3
        var index: UInt32 = 300
        while size + 14 + 300 < window {
            coins.append(
                TestCoin(
                    outpoint: Outpoint(txid: txid, index: index), code: 2, amount: 1, script: [0x51, 0x52]))
            size += 3 + coins[coins.count - 1].body.count
            index += 1
        }
        let rest = window - size
        coins.append(
            TestCoin(
                outpoint: Outpoint(txid: txid, index: index), code: 2, amount: 1,
                script: [UInt8](repeating: 0x51, count: rest - 3 - 1 - 1 - 2)))
        let bytes = TestCoin.encode(coins)
        #expect(bytes.count == window)
        #expect(try read(Zstd.frame(bytes), Self.line(bytes, coins: coins.count)) == coins)
    }

    @Test func aShardWithoutCoins() throws {
        let line = ShardContents(coins: 0, bytes: 0, digest: SHA256.hash([]))
        #expect(try read(Zstd.frame([]), line) == [])
        #expect(refusal(of: [], line)?.hasPrefix("ends inside") == true)
        #expect(
            refusal(of: Zstd.frame([]), ShardContents(coins: 0, bytes: 0, digest: .zero))?.contains("digest")
                == true)
        #expect(refusal(of: Zstd.frame([0]), line)?.contains("unpacks to more than the 0 bytes") == true)
    }

    @Test func aWrongLineOfTheManifestIsNoticed() {
        var random = SeededRandom()
        let coins = TestCoin.some(300, using: &random)
        let bytes = TestCoin.encode(coins)
        let good = Self.line(bytes, coins: 300)
        let packed = Zstd.frame(bytes)
        var line = good
        line.digest = .zero
        #expect(refusal(of: packed, line) == "does not have the digest that the manifest says")
        line = good
        line.coins = 299
        #expect(refusal(of: packed, line) == "holds 300 coins, the manifest says 299")
        line.coins = 301
        #expect(refusal(of: packed, line) == "holds 300 coins, the manifest says 301")
        line = good
        line.bytes += 1
        #expect(
            refusal(of: packed, line)
                == "unpacks to \(bytes.count) bytes, the manifest says \(bytes.count + 1)")
        line.bytes = good.bytes - 1
        #expect(
            refusal(of: packed, line)?.hasPrefix("unpacks to more than the \(bytes.count - 1) bytes") == true)
    }

    @Test func truncationAtEachByteIsRefused() throws {
        let coin = TestCoin(
            outpoint: Outpoint(txid: Digest(every: 3), index: 1), code: 2, amount: 5, script: [0x51])
        let bytes = TestCoin.encode([coin])
        let line = Self.line(bytes, coins: 1)
        let packed = Zstd.frame(bytes)
        #expect(try read(packed, line) == [coin])
        for count in packed.indices {
            #expect(refusal(of: Array(packed[..<count]), line) != nil, "\(count) bytes")
        }
        for count in bytes.indices {
            #expect(refusal(of: Zstd.frame(Array(bytes[..<count])), line) != nil, "\(count) bytes")
        }
    }

    /// The digest is right, the coins are not in order: whoever signed this published no shard.
    @Test func wrongCoinsWithTheRightDigestAreRefused() {
        let coin = { (index: UInt32) in
            TestCoin(
                outpoint: Outpoint(txid: Digest(every: 3), index: index), code: 2, amount: 5, script: [0x51])
        }
        let twice = TestCoin.encode([coin(1)]) + TestCoin.encode([coin(2)])
        #expect(
            refusal(of: Zstd.frame(twice), Self.line(twice, coins: 2))?.contains("out of order or twice")
                == true)
        let short = Array(TestCoin.encode([coin(1)]).dropLast())
        #expect(
            refusal(of: Zstd.frame(short), Self.line(short, coins: 1))?.contains("ends too early") == true)
        let long = TestCoin.encode([coin(1)]) + [0]
        #expect(refusal(of: Zstd.frame(long), Self.line(long, coins: 1))?.contains("ends too early") == true)
    }

    /// It stops at the length of the manifest, and does not first unpack the rest.
    @Test func aBombIsRefused() {
        let bomb = Zstd.frame([UInt8](repeating: 0, count: 100 << 20))
        let line = ShardContents(coins: 1, bytes: 50, digest: .zero)
        #expect(refusal(of: bomb, line)?.hasPrefix("unpacks to more than the 50 bytes") == true)
    }

    @Test func checkReadsToTheEnd() throws {
        var random = SeededRandom()
        let coins = TestCoin.some(200, using: &random)
        let bytes = TestCoin.encode(coins)
        let path = try scratch.write(Zstd.frame(bytes), to: "shard.zst")
        var good = try ShardReader(path, expected: Self.line(bytes, coins: 200))
        try good.check()
        let wrong = ShardContents(coins: 200, bytes: UInt64(bytes.count), digest: .zero)
        #expect(throws: FileError.self) {
            var reader = try ShardReader(path, expected: wrong)
            try reader.check()
        }
    }
}
