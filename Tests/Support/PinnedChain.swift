import Concord

/// The 200 blocks on regtest's first whose UTXO set Bitcoin Core pins for a test of its own (kernel/chainparams.cpp):
/// nothing but coinbases, made as test/util/mining.cpp, `CreateBlockChain`, makes them.
public struct PinnedChain: Sendable {
    public struct Block: Sendable {
        /// As it stands in a block file.
        public let bytes: [UInt8]
        public let hash, parent, txid: Digest
        public let height: Int
        /// In satoshi.
        public let amount: UInt64
    }

    /// Regtest's first block.
    public static let genesis: [UInt8] = {
        let header =
            hex("01000000") + [UInt8](repeating: 0, count: 32)
            + hex(
                "3ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a dae5494d ffff7f20 02000000")
        let coinbase = hex(
            """
            01000000 01 0000000000000000000000000000000000000000000000000000000000000000 ffffffff
            4d 04ffff001d0104455468652054696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e206272696e6b20
            6f66207365636f6e64206261696c6f757420666f722062616e6b73 ffffffff
            01 00f2052a01000000 43 4104678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f355
            04e51ec112de5c384df7ba0b8d578a4c702b6bf11d5fac 00000000
            """)
        return header + [1] + coinbase
    }()

    /// The witness program of the one opcode `OP_TRUE`.
    public static let script = [0x00, 0x20] + SHA256.hash([0x51]).bytes

    /// By height, from 1.
    public static let blocks: [Block] = {
        var blocks: [Block] = []
        var parent = double(Array(genesis[..<80]))
        for height in 1...200 {
            let amount: UInt64 = 5_000_000_000 >> UInt64(height / 150)
            let coinbase = bytes { out in
                let signature = push(height) + [0]
                out.append(hex("02000000 01") + [UInt8](repeating: 0, count: 32) + hex("ffffffff"))
                out.append([UInt8(signature.count)] + signature + hex("feffffff 01"))
                out.append(amount)
                out.append([UInt8(script.count)] + script)
                out.append(UInt32(height - 1))
            }
            let txid = double(coinbase)
            var nonce: UInt32 = 0
            while true {
                let header = bytes { out in
                    out.append(hex("04000000"))
                    out.append(parent)
                    out.append(txid)
                    out.append(1_296_688_602 + UInt32(height))
                    out.append(0x207f_ffff as UInt32)
                    out.append(nonce)
                }
                let hash = double(header)
                nonce += 1
                // The target is 7fffff and zeros: the hash as a number must not have its highest bit.
                guard hash.bytes[31] < 0x80 else { continue }
                blocks.append(
                    Block(
                        bytes: header + [1] + coinbase, hash: hash, parent: parent, txid: txid,
                        height: height,
                        amount: amount))
                parent = hash
                break
            }
        }
        return blocks
    }()

    /// Writes a data directory, its files under a key of zeros: `folder` then holds `regtest/blocks`.
    public static func write(into folder: Scratch, _ name: String) throws {
        func record(_ bytes: [UInt8]) -> [UInt8] {
            hex("fabfb5da") + TestSupport.bytes { $0.append(UInt32(bytes.count)) } + bytes
        }
        try folder.write(([genesis] + blocks.map(\.bytes)).flatMap(record), to: "\(name)/blocks/blk00000.dat")
        // Nothing is spent: each undo record is the number 0, and its checksum.
        let undo = blocks.flatMap { record([0]) + double($0.parent.bytes + [0]).bytes }
        try folder.write(undo, to: "\(name)/blocks/rev00000.dat")
        try folder.write([UInt8](repeating: 0, count: 8), to: "\(name)/blocks/xor.dat")
    }

    /// `CScript << number`.
    private static func push(_ number: Int) -> [UInt8] {
        if number <= 16 { return [0x50 + UInt8(number)] }
        let bytes = number < 0x80 ? [UInt8(number)] : [UInt8(number & 0xff), UInt8(number >> 8)]
        return [UInt8(bytes.count)] + bytes
    }

    private static func double(_ bytes: [UInt8]) -> Digest { SHA256.hash(SHA256.hash(bytes).bytes) }
}
