import Concord
import TestSupport

/// A small block of the regtest network, as good as one for everybody who does not check its scripts.
struct TestBlock: Equatable {
    var bytes: [UInt8]
    var hash: Digest
    var parent: Digest
    /// The record that a node writes when it connects the block; nil for the genesis block.
    var undo: [UInt8]?

    /// Regtest's first block.
    static let genesis: TestBlock = {
        let bytes = PinnedChain.genesis
        return TestBlock(
            bytes: bytes, hash: Array(bytes[..<80]).withBytes { SHA256.double($0) }, parent: .zero,
            undo: nil)
    }()

    /// A block on another one. Its coinbase holds `salt`, so that blocks with other salts are others; each of
    /// `payments` is a transaction that spends one coin and makes one of that many satoshi.
    static func on(
        _ parent: TestBlock, salt: UInt64, payments: [UInt64] = [], bits: UInt32 = 0x207f_ffff
    ) -> TestBlock {
        let coinbase = TestSupport.bytes { out in
            out.append(hex("02000000 01") + [UInt8](repeating: 0, count: 32) + hex("ffffffff 08"))
            out.append(salt)
            out.append(hex("ffffffff 01 00f2052a01000000 01 51 00000000"))
        }
        let others = payments.map { amount in
            TestSupport.bytes { out in
                out.append(hex("02000000 01") + [UInt8](repeating: 7, count: 32))
                out.append(UInt32(amount))
                out.append(hex("00 ffffffff 01"))
                out.append(amount)
                out.append(hex("01 52 00000000"))
            }
        }
        let undo = TestSupport.bytes { out in
            out.appendCompactSize(UInt64(payments.count))
            for amount in payments {
                out.append(hex("01 04 00"))
                out.appendVarInt(Amount.compress(amount))
                out.append(hex("07 51"))
            }
        }
        let transactions = [coinbase] + others
        var level = transactions.map { $0.withBytes { SHA256.double($0) } }
        while level.count > 1 {
            if level.count % 2 == 1 { level.append(level[level.count - 1]) }
            level = stride(from: 0, to: level.count, by: 2).map { i in
                (level[i].bytes + level[i + 1].bytes).withBytes { SHA256.double($0) }
            }
        }
        var nonce: UInt32 = 0
        while true {
            let header = TestSupport.bytes { out in
                out.append(hex("00000020"))
                out.append(parent.hash)
                out.append(level[0])
                out.append(1_300_000_000 as UInt32)
                out.append(bits)
                out.append(nonce)
            }
            let parsed = try? header.withBytes { raw throws(ParseError) in
                var cursor = ByteCursor(raw)
                return try BlockHeader(parsing: &cursor)
            }
            if let parsed, parsed.meetsItsTarget {
                let count = TestSupport.bytes { $0.appendCompactSize(UInt64(transactions.count)) }
                return TestBlock(
                    bytes: header + count + transactions.flatMap { $0 }, hash: parsed.hash,
                    parent: parent.hash,
                    undo: undo)
            }
            nonce += 1
        }
    }

    /// So many blocks on another one, each on the one before.
    static func chain(_ count: Int, on parent: TestBlock = genesis, salt: UInt64 = 0) -> [TestBlock] {
        var blocks: [TestBlock] = []
        for i in 0..<UInt64(count) {
            let payments = (0..<(i % 4)).map { 1000 * (i + 1) + $0 }
            blocks.append(.on(blocks.last ?? parent, salt: salt << 32 | i, payments: payments))
        }
        return blocks
    }
}
