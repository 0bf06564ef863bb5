/// The 80 bytes that a block's hash covers (Bitcoin Core's `CBlockHeader`).
public struct BlockHeader: Sendable {
    public static let size = 80

    public let version: Int32
    public let parent: Digest
    public let merkleRoot: Digest
    /// Seconds since 1970, as the miner said.
    public let time: UInt32
    /// The target in compact form.
    public let bits: UInt32
    public let nonce: UInt32
    /// SHA256(SHA256(header)), internal byte order.
    public let hash: Digest

    /// Reads 80 bytes.
    public init(parsing cursor: inout ByteCursor) throws(ParseError) {
        let bytes = try cursor.readBytes(Self.size)
        hash = SHA256.double(bytes)
        var fields = ByteCursor(bytes)
        version = Int32(bitPattern: try fields.readUInt32())
        parent = try fields.readDigest()
        merkleRoot = try fields.readDigest()
        time = try fields.readUInt32()
        bits = try fields.readUInt32()
        nonce = try fields.readUInt32()
    }

    /// The target's mantissa and the number of zero bytes below it; nil for compact forms that are negative, zero
    /// or too large (`arith_uint256::SetCompact`), and for targets under 2^136, which no miner has ever met.
    private static func target(of bits: UInt32) -> (mantissa: UInt32, zeroBytes: Int)? {
        let zeroBytes = Int(bits >> 24) - 3
        let mantissa = bits & 0x7f_ffff
        guard bits & 0x80_0000 == 0, mantissa != 0, (17...29).contains(zeroBytes) else { return nil }
        return (mantissa, zeroBytes)
    }

    /// Whether the hash, as a little-endian number, is at most the target that the header itself names
    /// (`CheckProofOfWork` without the network's limit).
    public var meetsItsTarget: Bool {
        guard let (mantissa, zeroBytes) = Self.target(of: bits) else { return false }
        return hash.withBytes { bytes in
            var high: UInt64 = 0
            for i in (zeroBytes..<32).reversed() {
                high = high << 8 | UInt64(bytes[i])
                if high > UInt64(mantissa) { return false }
            }
            return high < UInt64(mantissa) || bytes[..<zeroBytes].allSatisfy { $0 == 0 }
        }
    }

    /// The expected number of hashes for this target: 2^256 / (target + 1), rounded down (`GetBlockProof`).
    public static func work(bits: UInt32) -> UInt128 {
        guard let (mantissa, zeroBytes) = target(of: bits) else { return 0 }
        // target = mantissa · 2^s, and s is at least 136: the + 1 matters only where the division leaves nothing.
        let (quotient, rest) = (UInt128(1) << UInt128(256 - 8 * zeroBytes)).quotientAndRemainder(
            dividingBy: UInt128(mantissa))
        return rest == 0 ? quotient - 1 : quotient
    }
}
