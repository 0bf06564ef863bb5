extension SHA256 {
    /// Hashes a coin as Bitcoin Core writes it for the hashes of a set; nothing is allocated (kernel/coinstats.cpp,
    /// `TxOutSer`): txid, index, code and amount, little endian, and the script behind its CompactSize.
    ///
    /// - Parameters:
    ///   - code: height · 2 + coinbase.
    ///   - amount: in satoshi.
    ///   - script: the whole scriptPubKey.
    @inline(__always)
    mutating func update(coin: Outpoint, code: UInt32, amount: UInt64, script: UnsafeRawBufferPointer) {
        withUnsafeTemporaryAllocation(byteCount: 64, alignment: 8) { header in
            header.storeBytes(of: coin.txid, as: Digest.self)
            header.storeBytes(of: coin.index.littleEndian, toByteOffset: 32, as: UInt32.self)
            header.storeBytes(of: code.littleEndian, toByteOffset: 36, as: UInt32.self)
            header.storeBytes(of: amount.littleEndian, toByteOffset: 40, as: UInt64.self)
            // CompactSize; no script of a coin is longer than a block, so the form of 9 bytes is never used.
            let length = UInt32(script.count)
            var count = 49
            switch length {
            case 0..<253: header[48] = UInt8(length)
            case 253..<0x1_0000:
                header[48] = 253
                header.storeBytes(of: UInt16(length).littleEndian, toByteOffset: 49, as: UInt16.self)
                count = 51
            default:
                header[48] = 254
                header.storeBytes(of: length.littleEndian, toByteOffset: 49, as: UInt32.self)
                count = 53
            }
            update(UnsafeRawBufferPointer(rebasing: header[..<count]))
        }
        update(script)
    }

    /// What stands for a coin as a whole: the hash of its preimage, which a MuHash is made of (`ApplyCoinHash`).
    ///
    /// - Parameters:
    ///   - code: height · 2 + coinbase.
    ///   - amount: in satoshi.
    ///   - script: the whole scriptPubKey.
    public static func hash(
        coin: Outpoint, code: UInt32, amount: UInt64, script: UnsafeRawBufferPointer
    ) -> Digest {
        var sha = SHA256()
        sha.update(coin: coin, code: code, amount: amount, script: script)
        return sha.finish()
    }
}
