import TestSupport
import Testing

@testable import Concord

@Suite struct BlockHeaderTests {
    static let genesis = hex(
        """
        01000000 0000000000000000000000000000000000000000000000000000000000000000
        3ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a 29ab5f49 ffff001d 1dac2b7c
        """)

    static func parse(_ bytes: [UInt8]) throws(ParseError) -> BlockHeader {
        try bytes.withBytes { raw throws(ParseError) in
            var cursor = ByteCursor(raw)
            let header = try BlockHeader(parsing: &cursor)
            try cursor.finish()
            return header
        }
    }

    @Test func theMainNetworksFirstBlock() throws {
        let header = try Self.parse(Self.genesis)
        #expect(header.hash.reversedHex == Network.main.genesis)
        #expect(header.parent == .zero && header.time == 1_231_006_505 && header.bits == 0x1d00_ffff)
        #expect(
            header.merkleRoot.reversedHex
                == "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b")
        #expect(header.meetsItsTarget)
    }

    @Test func truncationAtEachByteIsRefused() {
        for count in Self.genesis.indices {
            #expect(throws: ParseError(.truncated, at: 0)) { try Self.parse(Array(Self.genesis[..<count])) }
        }
        #expect(throws: ParseError(.trailingBytes, at: 80)) { try Self.parse(Self.genesis + [0]) }
    }

    /// 2^256 / (target + 1), by Python's integers.
    @Test(
        arguments: [
            (0x1d00_ffff, "4295032833"), (0x207f_ffff, "2"), (0x1703_a30c, "332405400986223243297799"),
            (0x1b04_04cb, "70040908352512"), (0x1e03_77ae, "4838420"), (0x1d7f_ffff, "33554436"),
            // A power of two: the one that is added to the target counts.
            (0x1d00_8000, "8589934591"), (0x1c00_0001, "72057594037927935"), (0x1d00_0001, "281474976710655"),
            (0x2000_0001, "16777215"), (0x2040_0000, "3"), (0x2000_8000, "511"), (0x207f_fffe, "2"),
            (0x1700_e526, "1350587475951456438470286"), (0x1402_d99a, "7116619707807749696986834960650"),
            (0x1400_0001, "1329227995784915872903807060280344575"),
            (0x147f_ffff, "158456343917996858465750876192"),
        ] as [(UInt32, String)])
    func workIsBitcoinCores(bits: UInt32, work: String) {
        #expect("\(BlockHeader.work(bits: bits))" == work)
    }

    /// `SetCompact` calls these negative, zero or overflowing; a block with them has no work and meets no target.
    @Test(
        arguments: [
            0, 0x0000_ffff, 0x1d00_0000, 0x2000_0000, 0x2080_0000,
            // Negative.
            0x1d80_ffff, 0x1dff_ffff, 0x0480_0001, 0x20ff_ffff,
            // Over 256 bits.
            0x2300_0001, 0x2201_0000, 0x2200_0100, 0x217f_ffff, 0x2101_0000, 0xff00_ffff, 0xff7f_ffff,
            // Over every network's limit, although 256 bits hold them.
            0x2100_ffff, 0x2200_00ff,
            // Under 2^136, in short forms too, where bytes of the mantissa fall away.
            0x1300_ffff, 0x0300_ffff, 0x0201_0000, 0x0101_0000,
        ] as [UInt32])
    func otherCompactFormsHaveNoWork(bits: UInt32) throws {
        #expect(BlockHeader.work(bits: bits) == 0)
        var header = Self.genesis
        for i in 0..<4 { header[72 + i] = UInt8(truncatingIfNeeded: bits >> (8 * UInt32(i))) }
        #expect(try !Self.parse(header).meetsItsTarget)
    }

    /// The first nonces whose hash is and is not at most the target, by the hash itself read as a number.
    @Test(arguments: [0x207f_ffff, 0x2000_ffff, 0x1f7f_ffff, 0x207f_0000] as [UInt32])
    func theTargetIsAnUpperBound(bits: UInt32) throws {
        var bytes = Self.genesis
        for i in 0..<4 { bytes[72 + i] = UInt8(truncatingIfNeeded: bits >> (8 * UInt32(i))) }
        var target = [UInt8](repeating: 0, count: 32)
        let top = 32 - Int(bits >> 24)
        for i in 0..<3 { target[top + i] = UInt8(truncatingIfNeeded: bits >> (8 * UInt32(2 - i))) }
        var met = 0
        for nonce in 0..<2000 {
            bytes[76] = UInt8(nonce % 256)
            bytes[77] = UInt8(nonce / 256)
            let header = try Self.parse(bytes)
            let isMet = !target.lexicographicallyPrecedes(header.hash.bytes.reversed())
            #expect(header.meetsItsTarget == isMet, "nonce \(nonce)")
            if isMet { met += 1 }
        }
        #expect(met > 0 && met < 2000)
    }
}
