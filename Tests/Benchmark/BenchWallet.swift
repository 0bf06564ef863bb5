import Concord
import ConcordClient

/// A wallet whose cost is measured, and those of its scripts that the chain pays to.
struct BenchWallet: Sendable {
    /// What the table calls it.
    let name: String
    let wallet: Wallet
    let used: [[UInt8]]

    /// An account's key of nobody's; BIP 32 has it as a test vector.
    private static let key =
        "tpubD6NzVbkrYhZ4WaWSyoBvQwbpLkojyoTZPRsgXELWz3Popb3qkjcJyJUGLnL4qHHoQvao8ESaAstxYSnhyswJ76uZPStJRJCTKvosUCJZL5B"

    /// One script; eight, all of them used; and two branches of twenty and a few more, three of them used.
    static func all() throws -> [BenchWallet] {
        func one(_ branch: Int, _ index: Int) throws -> Descriptor {
            try Descriptor("wpkh(\(key)/\(branch)/\(index))")
        }
        return try [
            BenchWallet("1 script", [one(3, 0)], used: [one(3, 0)]),
            BenchWallet("8 scripts", (0..<8).map { try one(2, $0) }, used: (0..<8).map { try one(2, $0) }),
            BenchWallet(
                "40 scripts", [Descriptor("wpkh(\(key)/<0;1>/*)")], used: [one(0, 0), one(0, 1), one(1, 0)]),
        ]
    }

    private init(_ name: String, _ descriptors: [Descriptor], used: [Descriptor]) throws {
        self.name = name
        wallet = try Wallet("bench", on: .regtest, descriptors.map { Wallet.Account($0) })
        self.used = try used.map { try $0.scripts(at: 0)[0] }
    }

    /// What a chain pays to wallets, by height: early to each used script a coin that stays; to the first of each wallet some
    /// more, before and after the last snapshot. Of these one goes within its epoch, and one that every snapshot has.
    static func payments(
        _ wallets: [BenchWallet], tip: Int, _ parameters: TreeParameters
    ) -> [Int: [BlockMaker.Payment]] {
        let early = max(1, parameters.epoch / 20)
        let start = parameters.epochStart(of: tip)
        var payments: [Int: [BlockMaker.Payment]] = [:]
        for wallet in wallets {
            let first = wallet.used[0]
            payments[early, default: []] += wallet.used.map { BlockMaker.Payment(script: $0) }
            for (height, end) in [
                (early + 1, tip - 1), (start - 2, nil), (tip - 4, tip - 2), (tip, nil),
            ] {
                payments[height, default: []].append(
                    BlockMaker.Payment(script: first, spentAfter: end.map { $0 - height }))
            }
        }
        return payments
    }
}
