/// In which order the coins of one transaction stand.
public enum IndexOrder: Sendable {
    /// By output index as a number: shards, patches, and what `hash_serialized_3` is taken of.
    case number
    /// By the bytes of the index as a VARINT, which are the end of a coin's key in Bitcoin Core's database
    /// (txdb.cpp, `CoinEntry`), and so the order of its dumps. Up to 16,511 the two orders are one; 16,512, the bytes
    /// `80 80 00`, stands between 255, `80 7f`, and 256, `81 00`.
    case dump

    /// A number that is less for an index that stands before another.
    @inline(__always)
    public func key(_ index: UInt32) -> Int64 {
        switch self {
        case .number: Int64(index)
        case .dump: Self.varInt(index)
        }
    }

    /// The VARINT, at most five bytes, as a number whose first byte is the VARINT's first. No VARINT begins another,
    /// so that what is behind the shorter ones does not matter.
    @inline(__always)
    private static func varInt(_ index: UInt32) -> Int64 {
        var rest = index
        var key = Int64(rest & 0x7f)
        var bits: Int64 = 8
        while rest > 0x7f {
            rest = (rest >> 7) &- 1
            key |= Int64(rest & 0x7f | 0x80) << bits
            bits += 8
        }
        return key << (40 - bits)
    }
}
