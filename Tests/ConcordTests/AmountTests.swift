import TestSupport
import Testing

@testable import Concord

@Suite struct AmountTests {
    /// Bitcoin Core's compress_tests.cpp.
    @Test(
        arguments: [
            (0, 0), (1, 1), (1_000_000, 7), (100_000_000, 9), (50 * 100_000_000, 0x32),
            (21_000_000 * 100_000_000, 0x140_6f40),
        ] as [(UInt64, UInt64)])
    func bitcoinCoresVectors(amount: UInt64, compressed: UInt64) {
        #expect(Amount.compress(amount) == compressed)
        #expect(Amount.decompress(compressed) == amount)
    }

    @Test(
        arguments: [
            (0, "0.00000000"), (1, "0.00000001"), (100_000_000, "1.00000000"),
            (123_456_789_012, "1234.56789012"), (Amount.most, "21000000.00000000"),
            (UInt64.max, "184467440737.09551615"),
        ] as [(UInt64, String)])
    func asPeopleReadThem(satoshi: UInt64, bitcoin: String) {
        #expect(Amount.bitcoin(satoshi) == bitcoin)
    }

    /// The loops of Bitcoin Core's compress_tests.cpp.
    @Test func everyAmountComesBack() {
        for i in 0...100_000 as ClosedRange<UInt64> {
            #expect(Amount.decompress(Amount.compress(i)) == i)
            #expect(Amount.decompress(i).map(Amount.compress) == i)
            for unit in [1_000_000, 100_000_000, 5_000_000_000] as [UInt64] where i <= 10_000 {
                #expect(Amount.decompress(Amount.compress(i * unit)) == i * unit)
            }
        }
        var random = SeededRandom()
        for _ in 0..<100_000 {
            let amount = UInt64.random(in: 0...Amount.most, using: &random)
            #expect(Amount.decompress(Amount.compress(amount)) == amount, "seed \(random.seed)")
        }
    }

    @Test func theMostIsTwentyOneMillionBitcoin() {
        for below in 0..<1000 as Range<UInt64> {
            #expect(Amount.decompress(Amount.compress(Amount.most - below)) == Amount.most - below)
            #expect(Amount.decompress(Amount.compress(Amount.most + 1 + below)) == nil)
        }
        for more in [2_100_000_100_000_000, 3_000_000_000_000_000, 10_000_000_000_000_000] as [UInt64] {
            #expect(Amount.decompress(Amount.compress(more)) == nil)
        }
    }

    /// A number that `DecompressAmount` would carry beyond 64 bits comes back as a small amount in a careless reader.
    @Test func overflowIsForbidden() {
        for compressed in [
            .max, .max - 1, 1 << 63, 1 << 60, Amount.most * 10, Amount.most * 10 + 1,
            // (2^64 + 10^9) / 10^9 · 10^9, less 2^64: a little over three bitcoin.
            1 + (18_446_744_074 + 1) * 10 + 9,
        ] as [UInt64] {
            #expect(Amount.decompress(compressed) == nil, "\(compressed)")
        }
    }

    /// One amount, one form: numbers that follow one another mean different amounts.
    @Test func noTwoNumbersMeanTheSameAmount() {
        var random = SeededRandom()
        for _ in 0..<100_000 {
            let compressed = UInt64.random(in: 0...Amount.compress(Amount.most - 1), using: &random)
            guard let amount = Amount.decompress(compressed) else { continue }
            #expect(Amount.compress(amount) == compressed, "seed \(random.seed)")
        }
    }
}
