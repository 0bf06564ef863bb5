import TestSupport
import Testing

@testable import Concord

@Suite struct GroupCursorTests {
    /// Reads all coins, `step` bytes more at a time whenever the cursor asks.
    static func read(_ all: [UInt8], step: Int) throws(ParseError) -> [TestCoin] {
        try all.withBytes { raw throws(ParseError) in
            var cursor = GroupCursor()
            var coins: [TestCoin] = []
            var script = ByteBuffer()
            var start = 0
            var end = 0
            while true {
                var offset = 0
                let window = UnsafeRawBufferPointer(rebasing: raw[start..<end])
                while let coin = try cursor.next(in: window, at: &offset, isLast: end == raw.count) {
                    guard ScriptCompression.decompress(coin.script, into: &script) else { break }
                    coins.append(
                        TestCoin(
                            outpoint: Outpoint(txid: cursor.txid, index: coin.index), code: coin.code,
                            amount: coin.amount, script: [UInt8](script.bytes)))
                }
                cursor.advance(by: offset)
                start += offset
                #expect(cursor.base == start)
                if end == raw.count { return coins }
                #expect(end - start < GroupCursor.lookahead)
                end = min(end + step, raw.count)
            }
        }
    }

    static func read(_ digits: String) throws(ParseError) -> [TestCoin] {
        try read(hex(digits), step: .max / 2)
    }

    @Test func windowsOfAnySizeGiveTheSameCoins() throws {
        var random = SeededRandom()
        let coins = TestCoin.some(60, using: &random)
        let bytes = TestCoin.encode(coins)
        for step in [
            1, 2, 3, 33, 100, 1000, GroupCursor.lookahead - 1, GroupCursor.lookahead,
            GroupCursor.lookahead + 1, 1 << 16,
            bytes.count - 1, bytes.count, bytes.count + 1,
        ] {
            #expect(try Self.read(bytes, step: step) == coins, "step \(step), seed \(random.seed)")
        }
        for _ in 0..<20 {
            let step = Int.random(in: 1...20_000, using: &random)
            #expect(try Self.read(bytes, step: step) == coins, "step \(step), seed \(random.seed)")
        }
    }

    @Test func noBytesAreNoCoins() throws {
        #expect(try Self.read([], step: 1).isEmpty)
    }

    @Test func aWindowThatIsNotTheLastWaitsForAWholeCoin() throws {
        let bytes = [UInt8](repeating: 0, count: GroupCursor.lookahead - 1)
        try bytes.withBytes { raw throws(ParseError) in
            var cursor = GroupCursor()
            var offset = 0
            let coin = try cursor.next(in: raw, at: &offset, isLast: false)
            #expect(coin == nil && offset == 0)
        }
    }

    static let a = String(repeating: "0a", count: 32)
    static let b = String(repeating: "0b", count: 32)
    static let coin = "02010751"

    @Test(
        arguments: [
            // A group of no coins, and of more than outputs can have numbers.
            (a + "00", ParseError(.outOfRange("the number of coins of a transaction"), at: 32)),
            (
                a + "01" + "00" + coin + b + "00",
                ParseError(.outOfRange("the number of coins of a transaction"), at: 70)
            ),
            (
                a + "ff0000000001000000",
                ParseError(.outOfRange("the number of coins of a transaction"), at: 32)
            ),
            (a + "fd0100" + "00" + coin, ParseError(.notCanonical, at: 32)),
            // The same index twice, and a smaller one.
            (a + "02" + "05" + coin + "05" + coin, ParseError(.outOfOrder, at: 38)),
            (a + "02" + "05" + coin + "04" + coin, ParseError(.outOfOrder, at: 38)),
            // The same txid twice, and a smaller one.
            (a + "01" + "00" + coin + a + "01" + "01" + coin, ParseError(.outOfOrder, at: 38)),
            (b + "01" + "00" + coin + a + "01" + "00" + coin, ParseError(.outOfOrder, at: 38)),
            // An index over 32 bits; an amount over 21 million bitcoin.
            (a + "01" + "ff0000000001000000" + coin, ParseError(.outOfRange("an output index"), at: 33)),
            (
                a + "01" + "00" + "02" + "a0c8adb1d183ff01" + "06",
                ParseError(.outOfRange("an amount"), at: 35)
            ),
            // Fewer coins than the group says, and bytes that begin no group.
            (a + "02" + "00" + coin, ParseError(.truncated, at: 38)),
            (a + "01" + "00" + coin + "00", ParseError(.truncated, at: 38)),
        ] as [(String, ParseError)])
    func whatTheFormatForbidsIsRefused(shard: String, error: ParseError) {
        #expect(throws: error) { try Self.read(shard) }
        // The offset counts from the start of the input, whatever the windows.
        #expect(throws: error) { try Self.read(hex(shard), step: 1) }
    }

    @Test func indexesAreOrderedAsNumbers() throws {
        // 255 is fd ff 00 and 256 fd 00 01: their bytes are ordered the other way.
        let coins = try Self.read(
            Self.a + "03" + "fc" + Self.coin + "fdff00" + Self.coin + "fd0001" + Self.coin)
        #expect(coins.map(\.outpoint.index) == [252, 255, 256])
    }

    /// Behind whole groups the bytes are a shorter shard; which one is right says its digest.
    @Test func truncationAtEachByteIsRefused() throws {
        let shard =
            hex(Self.a + "02" + "00" + Self.coin + "fd2c01" + Self.coin)
            + hex(Self.b + "01" + "00" + Self.coin)
        let boundaries = [0, 45, 83]
        #expect(shard.count == 83)
        for count in 0...shard.count {
            let bytes = Array(shard[..<count])
            if boundaries.contains(count) {
                #expect(
                    try Self.read(bytes, step: 1).count == [0, 2, 3][boundaries.firstIndex(of: count) ?? 0])
            } else {
                let error = #expect(throws: ParseError.self) { try Self.read(bytes, step: 1) }
                #expect(error?.reason == .truncated, "\(count) bytes")
            }
        }
    }
}
