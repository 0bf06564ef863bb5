import Concord

/// The basic filter of a block (BIP158; Bitcoin Core: `BlockFilter`), as peers serve it to wallets (BIP157).
enum BasicFilter {
    private static let code = GolombSet(p: 19, m: 784_931)

    /// The filter's bytes: the number of elements and their code.
    ///
    /// - Parameters:
    ///   - scripts: those of all outputs of the block and of all coins that it spends, in any order; one may come again.
    ///     Empty ones and OP_RETURN count for nothing.
    ///   - block: its hash, in internal order.
    static func bytes(of scripts: [[UInt8]], block: Digest) -> [UInt8] {
        let hash = SipHash(keyedBy: block)
        var hashes = scripts.filter { !$0.isEmpty && $0[0] != 0x6a }.map { $0.withBytes(hash.hash) }
        hashes.sort()
        // The same script has the same hash; two others of one block do not meet in 64 bits.
        var distinct: [UInt64] = []
        distinct.reserveCapacity(hashes.count)
        for hash in hashes where hash != distinct.last { distinct.append(hash) }
        let count = UInt64(distinct.count)
        if count == 0 { return [0] }
        var out = ByteBuffer()
        out.appendCompactSize(count)
        code.encode(distinct.lazy.map { code.value($0, of: count) }, to: &out)
        return [UInt8](out.bytes)
    }
}
