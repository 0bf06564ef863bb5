/// What a network asks of headers beyond the link to the parent and the proof of work (Bitcoin Core's
/// `Consensus::Params`, kernel/chainparams.cpp).
///
/// Signet's miners sign each block, and the signature is in the coinbase: headers do not show it, and a chain of signet
/// headers proves no more than its work, which is little. Regtest's difficulty never changes; a chain of it is made in
/// no time and proves nothing. Regtest nodes can be told other rules (`-test=bip94`, `-testactivationheight`); here
/// they have their usual ones.
public struct HeaderRules: Sendable {
    /// The easiest target, and its compact form.
    let limit: Target
    let limitBits: UInt32
    /// Seconds that the blocks of a period shall take.
    let timespan: UInt32
    /// Whether a block that comes more than twenty minutes after its parent has the easiest target.
    let allowsMinimumDifficulty: Bool
    let retargets: Bool
    /// Whether a period's target follows from that of its first block and not of its last, and its first block must not
    /// be much earlier than its parent (BIP 94).
    let isBIP94: Bool
    /// From which heights on a block's version must be at least 2, 3 and 4 (BIPs 34, 66 and 65).
    let versionHeights: (two: Int, three: Int, four: Int)

    /// Seconds that a block shall take.
    static let spacing: UInt32 = 600
    /// Seconds by which the first block of a period may be earlier than its parent where BIP 94 holds
    /// (`MAX_TIMEWARP`).
    static let maxTimewarp = 600
    /// Seconds by which a block's time may be ahead of the clock (`MAX_FUTURE_BLOCK_TIME`); for those who have one.
    public static let maxAhead = 7200

    /// Blocks of a period, at the end of which the target changes.
    var interval: Int { Int(timespan / Self.spacing) }

    public init(_ network: Network) {
        let easiest = Target(high: .max >> 32, low: .max)
        switch network {
        case .main:
            self.init(limit: easiest, versionHeights: (227_931, 363_725, 388_381))
        case .testnet4:
            self.init(limit: easiest, allowsMinimumDifficulty: true, isBIP94: true)
        case .signet:
            self.init(limit: Target(high: 0x377ae << 88, low: 0))
        case .regtest:
            self.init(
                limit: Target(high: .max >> 1, low: .max), timespan: 24 * 60 * 60,
                allowsMinimumDifficulty: true, retargets: false)
        }
    }

    private init(
        limit: Target, timespan: UInt32 = 14 * 24 * 60 * 60, allowsMinimumDifficulty: Bool = false,
        retargets: Bool = true, isBIP94: Bool = false,
        versionHeights: (two: Int, three: Int, four: Int) = (1, 1, 1)
    ) {
        self.limit = limit
        limitBits = limit.bits
        self.timespan = timespan
        self.allowsMinimumDifficulty = allowsMinimumDifficulty
        self.retargets = retargets
        self.isBIP94 = isBIP94
        self.versionHeights = versionHeights
    }

    /// The compact target of the period after one with this first and last block (`CalculateNextWorkRequired`). The
    /// period is measured from its first block to its last and not to the next one's first, as Bitcoin always did.
    func bits(
        afterPeriodFrom first: (time: UInt32, bits: UInt32), to last: (time: UInt32, bits: UInt32)
    ) -> UInt32 {
        guard retargets, let base = Target(bits: isBIP94 ? first.bits : last.bits) else { return last.bits }
        let whole = Int64(timespan)
        let taken = min(max(Int64(last.time) - Int64(first.time), whole / 4), whole * 4)
        return min(base.scaled(by: UInt32(taken), of: timespan), limit).bits
    }

    func minVersion(at height: Int) -> Int32 {
        if height >= versionHeights.four { return 4 }
        if height >= versionHeights.three { return 3 }
        return height >= versionHeights.two ? 2 : 1
    }
}

extension Network {
    /// Blocks that the network's chain is known to have: whoever follows headers from the genesis block must pass
    /// through each (the blocks of assumeutxo and assumevalid in Bitcoin Core's kernel/chainparams.cpp). In order.
    public var knownBlocks: [BlockID] { Self.knownBlocks[self] ?? [] }

    private static let knownBlocks: [Network: [BlockID]] = [
        .main: blocks([
            (840_000, "0000000000000000000320283a032748cef8227873ff4872689bf23f1cda83a5"),
            (880_000, "000000000000000000010b17283c3c400507969a9c2afd1dcf2082ec5cca2880"),
            (910_000, "0000000000000000000108970acb9522ffd516eae17acddcb1bd16469194a821"),
            (935_000, "0000000000000000000147034958af1652b2b91bba607beacc5e72a56f0fb5ee"),
            (938_343, "00000000000000000000ccebd6d74d9194d8dcdc1d177c478e094bfad51ba5ac"),
        ]),
        .testnet4: blocks([
            (90_000, "0000000002ebe8bcda020e0dd6ccfbdfac531d2f6a81457191b99fc2df2dbe3b"),
            (120_000, "000000000bd2317e51b3c5794981c35ba894ce27d3e772d5c39ecd9cbce01dc8"),
            (123_613, "0000000002368b1e4ee27e2e85676ae6f9f9e69579b29093e9a82c170bf7cf8a"),
        ]),
        .signet: blocks([
            (160_000, "0000003ca3c99aff040f2563c2ad8f8ec88bd0fd6b8f0895cfaf1ef90353a62c"),
            (290_000, "0000000577f2741bb30cd9d39d6d71b023afbeb9764f6260786a97969d5c9ac0"),
            (293_175, "00000008414aab61092ef93f1aacc54cf9e9f16af29ddad493b908a01ff5c329"),
        ]),
    ]

    private static func blocks(_ known: [(Int, String)]) -> [BlockID] {
        known.compactMap { height, hash in
            Digest(reversedHex: hash).map { BlockID(height: height, hash: $0) }
        }
    }

    /// The work that the network's chain is known to have at least, 0 on regtest (`nMinimumChainWork`, of February
    /// 2026). A chain with less is either the network's own as it once was, or one that anybody with a few machines
    /// can make: as long as it is lower than the known blocks and the difficulty stays low, the rules allow it.
    public var knownWork: UInt128 {
        switch self {
        case .main: 0x1_1287_50f8_2f4c_3661_53a3_a030
        case .testnet4: 0x9a0_fe15_d017_7d08_6304
        case .signet: 0xb46_3ea0_a4b8
        case .regtest: 0
        }
    }
}
