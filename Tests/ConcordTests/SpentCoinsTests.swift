import TestSupport
import Testing

@testable import Concord

@Suite struct SpentCoinsTests {
    static let x = CurvePointTests.x
    static let hash = ScriptCompressionTests.hash

    /// A transaction that spends two coins and one that spends one.
    static let record = hex(
        """
        02 02 03 00 \(bytes { $0.appendVarInt(Amount.compress(5_000_000_000)) }.hex) 02\(x)
        828a00 00 07 00\(hash)
        01 02 00 01 0751
        """)

    struct Spent: Equatable {
        var code: UInt32
        var amount: UInt64
        var script: String
    }

    static func read(_ record: [UInt8], inputs: [Int] = [2, 1]) throws(ParseError) -> [Spent] {
        try record.withBytes { raw throws(ParseError) in
            var coins = try SpentCoins(raw, transactions: inputs.count + 1)
            var script = ByteBuffer()
            var spent: [Spent] = []
            for count in inputs {
                try coins.beginTransaction(inputs: count)
                for _ in 0..<count {
                    let coin = try coins.next()
                    guard ScriptCompression.decompress(coin.script, into: &script) else { break }
                    spent.append(Spent(code: coin.code, amount: coin.amount, script: script.bytes.hex))
                }
            }
            try coins.finish()
            return spent
        }
    }

    /// `TxInUndoFormatter`: behind a height other than 0 stands a number that once was the transaction's version.
    @Test func coinsComeInTheOrderOfTheInputs() throws {
        #expect(
            try Self.read(Self.record) == [
                Spent(code: 3, amount: 5_000_000_000, script: "2102\(Self.x)ac"),
                Spent(code: 50_560, amount: 1_000_000, script: "76a914\(Self.hash)88ac"),
                Spent(code: 2, amount: 1, script: "51"),
            ])
    }

    /// Older versions of Bitcoin Core wrote the version itself.
    @Test func anOldVersionNumberIsSkipped() throws {
        for version in ["01", "02", "8efefefe7f"] {
            #expect(
                try Self.read(hex("01 01 04 \(version) 01 0751"), inputs: [1]) == [
                    Spent(code: 4, amount: 1, script: "51")
                ])
        }
    }

    /// Bitcoin Core before 0.15 wrote a height with the last spent output of a transaction only.
    @Test(arguments: ["00", "01"])
    func aCoinWithoutItsHeightIsRefused(code: String) {
        let error = #expect(throws: ParseError.self) {
            try Self.read(hex("01 01 \(code) 01 0751"), inputs: [1])
        }
        #expect(error?.description.contains("before version 0.15") == true && error?.offset == 2)
    }

    @Test func aBlockWithItsCoinbaseAlone() throws {
        #expect(try Self.read([0], inputs: []) == [])
    }

    @Test func theRecordOfAnotherBlockIsRefused() {
        let other = ParseError.Reason.malformed("is the undo record of another block")
        for (inputs, offset) in [([2], 0), ([2, 1, 1], 0), ([1, 1], 1), ([3, 1], 1), ([2, 2], 60)] {
            let error = #expect(throws: ParseError.self) { try Self.read(Self.record, inputs: inputs) }
            #expect(error == ParseError(other, at: offset == 60 ? Self.record.count - 6 : offset))
        }
        #expect(throws: ParseError(other, at: 0)) { try Self.read([1], inputs: []) }
    }

    @Test func truncationAtEachByteIsRefused() {
        for count in Self.record.indices {
            let error = #expect(throws: ParseError.self) { try Self.read(Array(Self.record[..<count])) }
            #expect(error?.reason == .truncated, "\(count) bytes")
        }
        #expect(throws: ParseError.self) { try Self.read([], inputs: []) }
    }

    @Test func trailingBytesAreForbidden() {
        #expect(throws: ParseError(.trailingBytes, at: Self.record.count)) {
            try Self.read(Self.record + [0])
        }
    }

    @Test(
        arguments: [
            // A height of 32 bits, an amount over 21 million bitcoin, a script of 10,001 bytes, a number of 70 bits.
            ("01 01 8efefeff00 00 01 0751", ParseError(.outOfRange("a height"), at: 2)),
            ("01 01 02 00 a0c8adb1d183ff01 0751", ParseError(.outOfRange("an amount"), at: 4)),
            ("01 01 02 00 01 cd17", ParseError(.outOfRange("a script's length"), at: 5)),
            ("01 01 02 80fefefefefefefeff00 01 0751", ParseError(.notCanonical, at: 3)),
            ("fd0100 01 02 00 01 0751", ParseError(.notCanonical, at: 0)),
            ("01 fd0100 02 00 01 0751", ParseError(.notCanonical, at: 1)),
        ] as [(String, ParseError)])
    func whatIsOutOfRangeIsRefused(record: String, error: ParseError) {
        #expect(throws: error) { try Self.read(hex(record), inputs: [1]) }
    }
}
