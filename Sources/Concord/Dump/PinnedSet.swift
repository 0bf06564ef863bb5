/// A UTXO set whose hash Bitcoin Core's source holds, so that `loadtxoutset` accepts a dump of it
/// (kernel/chainparams.cpp, `m_assumeutxo_data`).
public struct PinnedSet: Equatable, Sendable {
    public let network: Network
    public let height: Int
    /// As Bitcoin Core prints them: the block, and the set's `hash_serialized_3`.
    public let block, hash: String

    /// What comparing a set with the pinned one gives.
    public enum Comparison: Equatable, Sendable {
        /// Bitcoin Core pins no set of this height.
        case notPinned
        /// Block and hash are the pinned ones.
        case agrees
        /// The chain has another block, or the set another hash, than Bitcoin Core pins.
        case differs(PinnedSet)
    }

    /// Compares the set after a block with the one that Bitcoin Core pins at its height. Everybody has a regtest chain
    /// of his own: there a pin is about its own block only.
    public static func compare(network: Network, block: BlockID, hash: Digest) -> Comparison {
        guard let pin = pin(network: network, block: block) else { return .notPinned }
        return pin.agrees(block: block, hash: hash) ? .agrees : .differs(pin)
    }

    /// What Bitcoin Core pins at the height of a block; nil if nothing, or nothing of this regtest chain.
    public static func pin(network: Network, block: BlockID) -> PinnedSet? {
        guard let pin = all.first(where: { $0.network == network && $0.height == block.height }),
            network != .regtest || pin.block == block.hash.reversedHex
        else { return nil }
        return pin
    }

    /// Whether the set after a block, with this `hash_serialized_3`, is the pinned one.
    public func agrees(block: BlockID, hash: Digest) -> Bool {
        self.block == block.hash.reversedHex && self.hash == hash.reversedHex
    }

    /// In Bitcoin Core 31.
    public static let all = [
        PinnedSet(
            network: .main, height: 840_000,
            block: "0000000000000000000320283a032748cef8227873ff4872689bf23f1cda83a5",
            hash: "a2a5521b1b5ab65f67818e5e8eccabb7171a517f9e2382208f77687310768f96"),
        PinnedSet(
            network: .main, height: 880_000,
            block: "000000000000000000010b17283c3c400507969a9c2afd1dcf2082ec5cca2880",
            hash: "dbd190983eaf433ef7c15f78a278ae42c00ef52e0fd2a54953782175fbadcea9"),
        PinnedSet(
            network: .main, height: 910_000,
            block: "0000000000000000000108970acb9522ffd516eae17acddcb1bd16469194a821",
            hash: "4daf8a17b4902498c5787966a2b51c613acdab5df5db73f196fa59a4da2f1568"),
        PinnedSet(
            network: .main, height: 935_000,
            block: "0000000000000000000147034958af1652b2b91bba607beacc5e72a56f0fb5ee",
            hash: "e4b90ef9eae834f56c4b64d2d50143cee10ad87994c614d7d04125e2a6025050"),
        PinnedSet(
            network: .testnet4, height: 90_000,
            block: "0000000002ebe8bcda020e0dd6ccfbdfac531d2f6a81457191b99fc2df2dbe3b",
            hash: "784fb5e98241de66fdd429f4392155c9e7db5c017148e66e8fdbc95746f8b9b5"),
        PinnedSet(
            network: .testnet4, height: 120_000,
            block: "000000000bd2317e51b3c5794981c35ba894ce27d3e772d5c39ecd9cbce01dc8",
            hash: "10b05d05ad468d0971162e1b222a4aa66caca89da2bb2a93f8f37fb29c4794b0"),
        PinnedSet(
            network: .signet, height: 160_000,
            block: "0000003ca3c99aff040f2563c2ad8f8ec88bd0fd6b8f0895cfaf1ef90353a62c",
            hash: "fe0a44309b74d6b5883d246cb419c6221bcccf0b308c9b59b7d70783dbdf928a"),
        PinnedSet(
            network: .signet, height: 290_000,
            block: "0000000577f2741bb30cd9d39d6d71b023afbeb9764f6260786a97969d5c9ac0",
            hash: "97267e000b4b876800167e71b9123f1529d13b14308abec2888bbd2160d14545"),
        PinnedSet(
            network: .regtest, height: 110,
            block: "135eec25a6fb277884e5824e7aa7d052c4868161c99a5122170b5266f86c273d",
            hash: "86e9a1205b418b16dde3a18a78c730e30137e28466bda5dbf6b33ab8fc05447c"),
        PinnedSet(
            network: .regtest, height: 200,
            block: "385901ccbd69dff6bbd00065d01fb8a9e464dede7cfe0372443884f9b1dcf6b9",
            hash: "17dcc016d188d16068907cdeb38b75691a118d43053b8cd6a25969419381d13a"),
        PinnedSet(
            network: .regtest, height: 299,
            block: "0c552ced4721c249a389eb9b08cb8da261cd46f0e7b5f9d064d48f3113406853",
            hash: "106b2c56233e378a824cf0d5ff2be42ed32c72f1605c9be288d00942908a40ac"),
    ]
}
