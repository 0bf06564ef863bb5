import Testing

@testable import Concord

@Suite struct MuHashTests {
    /// The set of one 32-byte string whose first byte is `value`, as muhash_tests of Bitcoin Core's crypto_tests.cpp
    /// has it.
    static func element(_ value: UInt8) -> Num3072 {
        Num3072(hashing: SHA256.hash([value] + [UInt8](repeating: 0, count: 31)))
    }

    @Test func theEmptySet() {
        #expect(
            MuHash().digest().reversedHex
                == "dd5ad2a105c2d29495f577245c357409002329b9f4d6182c0af3dc2f462555c8")
    }

    /// Bitcoin Core's vector: 0 and 1 inserted, 2 removed, in any order and in parts.
    @Test func insertionAndRemoval() {
        let expected = "10d312b100cbd32ada024a6646e40d3482fcff103668d2625f10002a607d5863"
        var set = MuHash()
        set.insert(Self.element(0))
        set.insert(Self.element(1))
        set.remove(Self.element(2))
        #expect(set.digest().reversedHex == expected)

        var first = MuHash()
        first.remove(Self.element(2))
        first.insert(Self.element(1))
        var second = MuHash()
        second.insert(Self.element(0))
        first.merge(second)
        #expect(first.digest() == set.digest())

        // What was inserted and is removed leaves nothing behind.
        set.insert(Self.element(2))
        set.remove(Self.element(1))
        set.remove(Self.element(0))
        #expect(set.digest() == MuHash().digest())
        #expect(set.quotient() == .one)
    }

    /// Bitcoin Core's serialization of the product of 1 and 2, by the SHA-256 of its first 384 bytes, and its number
    /// 2^3072 - 1, which it keeps above p.
    @Test func encodingAndOverflow() {
        var set = MuHash()
        set.insert(Self.element(1))
        set.insert(Self.element(2))
        #expect(
            set.numerator.digest.hex == "29829ecd6c4cc40ba01e3556694e5af4bac5428effc67e65d6471cd8152b8652")
        #expect(set.denominator == .one)

        let full = Num3072 { for i in 0..<48 { $0[i] = .max } }
        #expect(
            MuHash(numerator: full, denominator: .one).digest().hex
                == "3a31e6903aff0de9f62f9a9f7f8b861de76ce2cda09822b90014319ae5dc2271")
    }

    /// The main network after block 1, as `gettxoutsetinfo muhash 1` shows it: the genesis block's coin is not in the
    /// set.
    @Test func theFirstCoin() throws {
        let script = try #require(
            [UInt8](
                hex: "410496b538e853519c726a2c91e61ec11600ae1390813a627c66fb8be7947be63c52da7589379515d4e0"
                    + "a604f8141781e62294721166bf621e73a82cbf2342c858eeac"))
        let txid = try #require(
            Digest(reversedHex: "0e3e2357e806b6cdb1f70b54c3a3a17b6714ee1f0e68bebb44a74b1efd512098"))
        let coin = script.withUnsafeBytes {
            Num3072(coin: Outpoint(txid: txid, index: 0), code: 3, amount: 5_000_000_000, script: $0)
        }
        var set = MuHash()
        set.insert(coin)
        let expected = "1bd372a3f225dc6f8ce0e10ead6f8b0b00e65a2ff4a4c9ccaa615a69fbeeb2f2"
        #expect(set.digest().reversedHex == expected)

        // Spent once too often on one side, made once too often on the other.
        set.insert(coin)
        set.remove(coin)
        #expect(set.digest().reversedHex == expected)
    }

    /// The preimage written out at length, with scripts at the edges of CompactSize.
    @Test(arguments: [0, 1, 252, 253, 10_000, 0xffff, 0x10000])
    func preimage(scriptLength: Int) {
        let txid = SHA256.hash("txid")
        let script = (0..<scriptLength).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        for isCoinbase in [false, true] {
            var buffer = ByteBuffer()
            buffer.append(txid)
            buffer.append(0xfedc_ba98 as UInt32)
            buffer.append(UInt32(840_000 * 2 + (isCoinbase ? 1 : 0)))
            buffer.append(2_099_999_997_690_000 as UInt64)
            buffer.appendCompactSize(UInt64(scriptLength))
            buffer.append(script)
            let coin = script.withUnsafeBytes {
                Num3072(
                    coin: Outpoint(txid: txid, index: 0xfedc_ba98), code: 840_000 * 2 + (isCoinbase ? 1 : 0),
                    amount: 2_099_999_997_690_000, script: $0)
            }
            #expect(coin == Num3072(hashing: SHA256.hash(buffer.bytes)))
        }
    }
}
