import TestSupport
import Testing

@testable import Concord

@Suite struct BlockTransactionsTests {
    /// The main network's first block.
    static let genesis =
        BlockHeaderTests.genesis
        + hex(
            """
            01
            01000000 01 0000000000000000000000000000000000000000000000000000000000000000 ffffffff
            4d 04ffff001d0104455468652054696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e206272696e6b20
            6f66207365636f6e64206261696c6f757420666f722062616e6b73 ffffffff
            01 00f2052a01000000 43 4104678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f355
            04e51ec112de5c384df7ba0b8d578a4c702b6bf11d5fac 00000000
            """)

    /// The main network's block 170, with the first payment.
    static let block170 = hex(
        """
        0100000055bd840a78798ad0da853f68974f3d183e2bd1db6a842c1feecf222a00000000ff104ccb05421ab93e63f8c3ce5c2c2e
        9dbb37de2764b3a3175c8166562cac7d51b96a49ffff001d283e9e70020100000001000000000000000000000000000000000000
        0000000000000000000000000000ffffffff0704ffff001d0102ffffffff0100f2052a01000000434104d46c4968bde02899d2aa
        0963367c7a6ce34eec332b32e42e5f3407e052d64ac625da6f0718e7b302140434bd725706957c092db53805b821a85b23a7ac61
        725bac000000000100000001c997a5e56e104102fa209c6a852dd90660a20b2d9c352423edce25857fcd37040000000048473044
        02204e45e16932b8af514961a1d3a1a25fdf3f4f7732e9d624c6c61548ab5fb8cd410220181522ec8eca07de4860a4acdd12909d
        831cc56cbbac4622082221a8768d1d0901ffffffff0200ca9a3b00000000434104ae1a62fe09c5f51b13905f07f06b99a2f71
        59b2225f374cd378d71302fa28414e7aab37397f554a7df5f142c21c1b7303b8a0626f1baded5c72a704f7e6cd84cac00286bee00
        00000043410411db93e1dcdb8a016b49840f8c53bc1eb68a382e97b1482ecad7b148a6909a5cb2e0eaddfb84ccf9744464f82e16
        0bfa9b8b64f9d4c03f999b8643f656b412a3ac00000000
        """)

    /// The P2SH-P2WPKH example of BIP 143.
    static let witnessTransaction = hex(
        """
        01000000 0001 01 db6b1b20aa0fd7b23880be2ecbd4a98130974cf4748fb66092ac4d3ceb1a5477 01000000
        17 16001479091972186c449eb1ded22b78e40d009bdf0089 feffffff
        02 b8b4eb0b00000000 19 76a914a457b684d7f0d539a46a45bbc043f35b59d0d96388ac
        0008af2f00000000 19 76a914fd270b1ee6abcaea97fea7ad0402e8bd8ad6d77c88ac
        02 47 3044022047ac8e878352d3ebbde1c94ce3a10d057c24175747116f8288e5d794d12d482f0220217f36a485cae903c713331d
        877c1f64677e3622ad4010726870540656fe9dcb01 21 03ad1d8e89212f0b92c74d23bb710c00662ad1470198ac48c43f7d6f93a2a26873
        92040000
        """)
    static let witnessTxid = Digest(
        reversedHex: "ef48d9d0f595052e0f8cdcf825f7a5e50b6a388a81f206f3f4846e5ecd7a0c23")!

    /// The first block's coinbase, whose txid is its Merkle root.
    static let coinbase = Array(genesis[81...])
    static let coinbaseTxid = Digest(
        reversedHex: "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b")!

    static func double(_ bytes: [UInt8]) -> Digest { bytes.withBytes { SHA256.double($0) } }

    /// Bitcoin's own Merkle root, in the way that everybody explains it.
    static func slowMerkleRoot(_ txids: [Digest]) -> Digest {
        if txids.count == 1 { return txids[0] }
        let even = txids.count % 2 == 0 ? txids : txids + [txids[txids.count - 1]]
        return slowMerkleRoot(
            stride(from: 0, to: even.count, by: 2).map { double(even[$0].bytes + even[$0 + 1].bytes) })
    }

    /// A block of these transactions, with the header that belongs to the txids.
    static func block(_ transactions: [[UInt8]], txids: [Digest]) -> [UInt8] {
        bytes { out in
            out.append(Array(BlockHeaderTests.genesis[..<36]))
            out.append(slowMerkleRoot(txids))
            out.append(Array(BlockHeaderTests.genesis[68...]))
            out.appendCompactSize(UInt64(transactions.count))
            for transaction in transactions { out.append(transaction) }
        }
    }

    static let witnessBlock = block([coinbase, witnessTransaction], txids: [coinbaseTxid, witnessTxid])

    static func parse(_ block: [UInt8]) throws(ParseError) -> BlockTransactions {
        try block.withBytes { raw throws(ParseError) in
            var transactions = BlockTransactions()
            _ = try transactions.parse(raw)
            return transactions
        }
    }

    @Test func theMainNetworksFirstBlock() throws {
        #expect(Self.genesis.count == 285)
        let block = try Self.parse(Self.genesis)
        #expect(block.count == 1 && block.txids == [Self.coinbaseTxid])
        #expect(block.inputs.isEmpty && block.firstInput == [0, 0] && block.firstOutput == [0, 1])
        #expect(block.outputs[0].amount == 5_000_000_000 && block.outputs[0].scriptLength == 67)
        #expect(Self.genesis[block.outputs[0].scriptOffset] == 0x41)
    }

    @Test func theFirstPayment() throws {
        let block = try Self.parse(Self.block170)
        #expect(
            block.txids.map(\.reversedHex) == [
                "b1fea52486ce0c62bb442b530a3f0132b826c74e473d1f2c220bfa78111c5082",
                "f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16",
            ])
        #expect(block.firstInput == [0, 0, 1] && block.firstOutput == [0, 1, 3])
        #expect(
            block.inputs.map(\.description) == [
                "0437cd7f8525ceed2324359c2d0ba26006d92d856a9c20fa0241106ee5a597c9:0"
            ])
        #expect(block.outputs.map(\.amount) == [5_000_000_000, 1_000_000_000, 4_000_000_000])
    }

    @Test func txidsLeaveTheWitnessOut() throws {
        let block = try Self.parse(Self.witnessBlock)
        #expect(block.txids == [Self.coinbaseTxid, Self.witnessTxid])
        #expect(
            block.inputs.map(\.description) == [
                "77541aeb3c4dac9260b68f74f44c973081a9d4cb2ebe8038b2d70faa201b6bdb:1"
            ])
        #expect(block.outputs.map(\.amount) == [5_000_000_000, 199_996_600, 800_000_000])
        let output = block.outputs[1]
        #expect(
            Self.witnessBlock[output.scriptOffset..<output.scriptOffset + output.scriptLength].hex
                == "76a914a457b684d7f0d539a46a45bbc043f35b59d0d96388ac")
    }

    @Test func theSameValueParsesBlockAfterBlock() throws {
        var transactions = BlockTransactions()
        for block in [Self.block170, Self.genesis, Self.witnessBlock, Self.genesis] {
            _ = try block.withBytes { try transactions.parse($0) }
            let fresh = try Self.parse(block)
            #expect(transactions.txids == fresh.txids && transactions.inputs == fresh.inputs)
            #expect(
                transactions.firstInput == fresh.firstInput && transactions.firstOutput == fresh.firstOutput)
            #expect(transactions.outputs.count == fresh.outputs.count)
        }
    }

    @Test(arguments: [genesis, block170, witnessBlock])
    func truncationAtEachByteIsRefused(block: [UInt8]) {
        for count in block.indices {
            let error = #expect(throws: ParseError.self) { try Self.parse(Array(block[..<count])) }
            #expect(error?.reason == .truncated, "\(count) bytes")
        }
        // A record that was written in part has its length, and zeros at its end.
        for count in 81..<block.count where block[count...].contains(where: { $0 != 0 }) {
            #expect(throws: ParseError.self, "\(count) bytes") {
                try Self.parse(block[..<count] + [UInt8](repeating: 0, count: block.count - count))
            }
        }
    }

    @Test func trailingBytesAreForbidden() {
        #expect(throws: ParseError(.trailingBytes, at: 285)) { try Self.parse(Self.genesis + [0]) }
        #expect(throws: ParseError(.trailingBytes, at: 285)) { try Self.parse(Self.genesis + Self.coinbase) }
    }

    /// Every byte but those of the header that are not the root, and of the witness, is committed to.
    @Test func eachChangedByteIsRefused() {
        for i in Self.block170.indices where !(0..<36).contains(i) && !(68..<80).contains(i) {
            var block = Self.block170
            block[i] ^= 1
            #expect(throws: ParseError.self, "byte \(i)") { try Self.parse(block) }
        }
    }

    @Test func anotherMerkleRootIsRefused() {
        let wrong = ParseError(.malformed("has transactions that its header does not commit to"), at: 36)
        #expect(throws: wrong) {
            try Self.parse(Self.block([Self.coinbase, Self.witnessTransaction], txids: [Self.coinbaseTxid]))
        }
        // In another order.
        #expect(throws: wrong) {
            try Self.parse(
                Self.block(
                    [Self.witnessTransaction, Self.coinbase], txids: [Self.coinbaseTxid, Self.witnessTxid]))
        }
        // The root over the hashes that cover the witness too.
        #expect(throws: wrong) {
            try Self.parse(
                Self.block(
                    [Self.coinbase, Self.witnessTransaction],
                    txids: [Self.coinbaseTxid, Self.double(Self.witnessTransaction)]))
        }
    }

    /// CVE-2012-2459: transactions repeated at the end leave the root as it is. `CheckMerkleRoot` refuses them.
    @Test func repeatedTransactionsAreRefused() throws {
        let (a, b) = (Self.coinbase, Self.witnessTransaction)
        let (x, y) = (Self.coinbaseTxid, Self.witnessTxid)
        let other = Array(Self.block170[215...])
        let z = Self.double(other)
        let good = Self.block([a, b, other], txids: [x, y, z])
        #expect(throws: Never.self) { try Self.parse(good) }
        let bad = Self.block([a, b, other, other], txids: [x, y, z, z])
        #expect(good[36..<68] == bad[36..<68])
        let repeated = ParseError(.malformed("has transactions twice"), at: 36)
        #expect(throws: repeated) { try Self.parse(bad) }
        // Six of them: the last pair is repeated, a level higher.
        #expect(throws: Never.self) {
            try Self.parse(Self.block([a, b, a, other, b, a], txids: [x, y, x, z, y, x]))
        }
        #expect(throws: repeated) {
            try Self.parse(Self.block([a, b, a, other, b, a, b, a], txids: [x, y, x, z, y, x, y, x]))
        }
    }

    @Test func manyTransactionsHaveBitcoinsRoot() {
        var random = SeededRandom()
        for count in Array(1...40) + [255, 256, 257] {
            let txids = (0..<count).map { _ in Digest(random.bytes(32)) ?? .zero }
            #expect(
                BlockTransactions.merkleRoot(of: txids) == Self.slowMerkleRoot(txids),
                "\(count), seed \(random.seed)")
        }
    }

    @Test func aBlockHasTransactions() {
        #expect(throws: ParseError(.outOfRange("the number of transactions"), at: 80)) {
            try Self.parse(BlockHeaderTests.genesis + [0])
        }
        #expect(throws: ParseError(.truncated, at: 80)) {
            try Self.parse(BlockHeaderTests.genesis + hex("ffffffffffffffff7f"))
        }
    }

    static func transaction(_ digits: String) -> [UInt8] {
        let bytes = hex(digits)
        return block([coinbase, bytes], txids: [coinbaseTxid, double(bytes)])
    }

    static let input = String(repeating: "07", count: 32) + "00000000" + "00" + "ffffffff"

    @Test(arguments: [
        // Flags other than 1; a marker without anything behind it.
        "02000000 0000 01 \(input) 01 0000000000000000 00 00000000",
        "02000000 0002 01 \(input) 01 0000000000000000 00 00 00000000",
        "02000000 0003 01 \(input) 01 0000000000000000 00 00 00000000",
        // Counts that the bytes cannot hold, or not in their shortest form.
        "02000000 ffffffffffffffffff \(input) 01 0000000000000000 00 00000000",
        "02000000 01 \(input) ffffffffffffffff7f 0000000000000000 00 00000000",
        "02000000 01 \(input) 01 0000000000000000 ff00000000000000ff 00000000",
        "02000000 fd0100 \(input) 01 0000000000000000 00 00000000",
        // More than 21 million bitcoin; less than none.
        "02000000 01 \(input) 01 0140075af0750700 00 00000000",
        "02000000 01 \(input) 01 ffffffffffffffff 00 00000000",
    ])
    func whatBitcoinCoreRefusesIsRefused(transaction: String) {
        let error = #expect(throws: ParseError.self) { try Self.parse(Self.transaction(transaction)) }
        #expect(error?.offset != 36)
    }

    /// `UnserializeTransaction`: «Superfluous witness record».
    @Test func aWitnessWithNothingInItIsRefused() {
        let plain = hex("02000000 01 \(Self.input) 01 0000000000000000 00 00000000")
        let superfluous = hex("02000000 0001 01 \(Self.input) 01 0000000000000000 00 00 00000000")
        let txids = [Self.coinbaseTxid, Self.double(plain)]
        #expect(throws: Never.self) { try Self.parse(Self.block([Self.coinbase, plain], txids: txids)) }
        #expect(
            throws: ParseError(.malformed("has a transaction with a witness that has nothing in it"), at: 343)
        ) {
            try Self.parse(Self.block([Self.coinbase, superfluous], txids: txids))
        }
        // One empty item is something.
        let item = hex("02000000 0001 01 \(Self.input) 01 0000000000000000 00 01 00 00000000")
        #expect(throws: Never.self) { try Self.parse(Self.block([Self.coinbase, item], txids: txids)) }
    }

    @Test func theMostAmountIsAllowed() throws {
        let block = try Self.parse(
            Self.transaction("02000000 01 \(Self.input) 01 0040075af0750700 00 00000000"))
        #expect(block.outputs[1].amount == Amount.most)
    }
}
