/// What stands before the coins of a `dumptxoutset` file, format version 2 (Bitcoin Core's node/utxo_snapshot.h,
/// `SnapshotMetadata`).
///
/// | bytes | |
/// |---|---|
/// | 5 | `utxo` and ff |
/// | 2 | version, u16 |
/// | 4 | the network's magic |
/// | 32 | block hash, internal order |
/// | 8 | number of coins, u64 |
public struct DumpHeader: Hashable, Sendable {
    public static let size = 51
    public static let version: UInt16 = 2

    private static let magic: [UInt8] = [0x75, 0x74, 0x78, 0x6f, 0xff]

    public let network: Network
    /// The last block that the set contains; internal byte order.
    public let block: Digest
    public let coins: UInt64

    public init(network: Network, block: Digest, coins: UInt64) {
        self.network = network
        self.block = block
        self.coins = coins
    }

    /// Reads a header; `network` is the one that it must be of, any if nil.
    public init(parsing cursor: inout ByteCursor, network expected: Network? = nil) throws(ParseError) {
        let start = cursor.offset
        guard try cursor.readBytes(Self.magic.count).elementsEqual(Self.magic) else {
            throw ParseError(
                .malformed("is no dump of a UTXO set: it does not begin with «utxo» and ff"), at: start)
        }
        let versionStart = cursor.offset
        let version = try cursor.readUInt16()
        guard version == Self.version else {
            throw ParseError(
                .malformed("is a dump of version \(version); only version \(Self.version) is known"),
                at: versionStart)
        }
        let networkStart = cursor.offset
        let magic = [UInt8](try cursor.readBytes(4))
        guard let network = Network.allCases.first(where: { $0.magic == magic }) else {
            throw ParseError(
                .malformed("is a dump of a network that is not known here, with magic \(magic.hex)"),
                at: networkStart)
        }
        guard expected == nil || network == expected else {
            throw ParseError(
                .malformed("is a dump of \(network.rawValue), not of \(expected?.rawValue ?? "")"),
                at: networkStart)
        }
        self.network = network
        block = try cursor.readDigest()
        coins = try cursor.readUInt64()
    }

    /// Appends the header's bytes.
    public func append(to out: inout ByteBuffer) {
        out.append(Self.magic)
        out.append(Self.version)
        out.append(network.magic)
        out.append(block)
        out.append(coins)
    }
}
