import TestSupport
import Testing

@testable import Concord

@Suite struct CoinEncodingTests {
    static func parse(_ bytes: [UInt8]) throws(ParseError) -> (
        index: UInt32, code: UInt32, amount: UInt64, body: [UInt8]
    ) {
        try bytes.withBytes { raw throws(ParseError) in
            var cursor = ByteCursor(raw)
            let coin = try EncodedCoin(parsing: &cursor, in: raw)
            try cursor.finish()
            return (coin.index, coin.code, coin.amount, [UInt8](coin.body))
        }
    }

    /// Bitcoin Core's coins_tests.cpp, `coin_serialization`, behind an index.
    @Test(arguments: [
        (
            "97f23c835800816115944e077fe7c803cfa57f29b36bf87c1d35", 203_998, false, 60_000_000_000,
            "76a914816115944e077fe7c803cfa57f29b36bf87c1d3588ac"
        ),
        (
            "8ddf77bbd123008c988f1a4a4de2161e0f50aac7f17e7f9555caa4", 120_891, true, 110_397,
            "76a9148c988f1a4a4de2161e0f50aac7f17e7f9555caa488ac"
        ),
    ])
    func bitcoinCoresVectors(body: String, height: Int, isCoinbase: Bool, amount: UInt64, script: String)
        throws
    {
        let encoded = bytes { out in
            hex(script).withBytes {
                out.appendCoin(
                    index: 300, code: UInt32(height) << 1 | (isCoinbase ? 1 : 0), amount: amount, script: $0)
            }
        }
        #expect(encoded.hex == "fd2c01" + body)
        let coin = try Self.parse(encoded)
        #expect((coin.index, Int(coin.code >> 1), coin.code & 1 == 1) == (300, height, isCoinbase))
        #expect(coin.amount == amount)
        #expect(coin.body.hex == body)
    }

    @Test func heightAndCoinbaseComeFromTheCode() throws {
        let encoded = hex("0009010751")
        try encoded.withBytes { raw in
            var cursor = ByteCursor(raw)
            let coin = try EncodedCoin(parsing: &cursor, in: raw)
            #expect(coin.height == 4 && coin.isCoinbase && coin.amount == 1)
            #expect([UInt8](coin.script.payload) == [0x51])
        }
    }

    @Test func theLongestCoinFitsTheWindowThatIsPromised() throws {
        let script = [UInt8](repeating: 0x51, count: 10_000)
        let encoded = bytes { out in
            script.withBytes { out.appendCoin(index: .max, code: .max, amount: Amount.most - 1, script: $0) }
        }
        #expect(encoded.count <= EncodedCoin.maxBytes)
        #expect(try Self.parse(encoded).code == .max)
    }

    @Test(
        arguments: [
            // An index over 32 bits; one not in its shortest form.
            ("ff0000000001000000" + "0200" + "06", ParseError(.outOfRange("an output index"), at: 0)),
            ("fd0100" + "0200" + "06", ParseError(.notCanonical, at: 0)),
            // height · 2 + coinbase over 32 bits (2^32), and over 64.
            ("00" + "8efefeff00" + "00" + "06", ParseError(.outOfRange("a height"), at: 1)),
            ("00" + "80fefefefefefefeff00" + "00" + "06", ParseError(.notCanonical, at: 1)),
            // 21 million bitcoin and a satoshi; 2^64 - 1.
            ("00" + "02" + "a0c8adb1d183ff01" + "06", ParseError(.outOfRange("an amount"), at: 2)),
            ("00" + "02" + "80fefefefefefefefe7f" + "06", ParseError(.outOfRange("an amount"), at: 2)),
            // A script of 10,001 bytes.
            ("00" + "02" + "00" + "cd17", ParseError(.outOfRange("a script's length"), at: 3)),
        ] as [(String, ParseError)])
    func whatIsOutOfRangeIsRefused(coin: String, error: ParseError) {
        #expect(throws: error) { try Self.parse(hex(coin)) }
    }

    /// The vector above is what it says.
    @Test func overTwentyOneMillionBitcoin() {
        #expect(bytes { $0.appendVarInt(Amount.compress(Amount.most + 1)) }.hex == "a0c8adb1d183ff01")
    }

    @Test func truncationAtEachByteIsRefused() {
        let coin = hex("fd2c01" + "8ddf77" + "bbd123" + "008c988f1a4a4de2161e0f50aac7f17e7f9555caa4")
        for count in coin.indices {
            let error = #expect(throws: ParseError.self) { try Self.parse(Array(coin[..<count])) }
            #expect(error?.reason == .truncated, "\(count) bytes")
        }
        #expect(throws: ParseError(.trailingBytes, at: coin.count)) { try Self.parse(coin + [0]) }
    }
}
