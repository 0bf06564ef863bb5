import Concord
import ConcordClient
import ConcordConsole

/// What the wallets of a home have at the installed block.
struct WalletSums {
    struct Sum: Encodable, Equatable {
        let name: String
        let coins: Int
        let satoshis: UInt64
    }

    let sums: [Sum]

    /// Of the wallets of a set's network.
    init(_ wallets: WalletStore, _ set: InstalledSet) throws {
        sums = try wallets.all().filter { $0.network == set.statement.network }.map { wallet in
            // What several descriptors have in common counts once.
            let scripts = Set(try wallet.scripts().map(\.script)).filter(set.knows)
            let coins = try CoinLookup(set).coins(of: Array(scripts)).joined()
            return Sum(
                name: wallet.name, coins: coins.count, satoshis: coins.reduce(0) { $0 + $1.amount })
        }
    }

    /// A line for each; for those that were there before, how much it is more or less.
    func lines(since before: WalletSums? = nil) -> [String] {
        sums.map { sum in
            let old = before?.sums.first { $0.name == sum.name }?.satoshis
            let words =
                "\(sum.name): \(sum.coins) \(sum.coins == 1 ? "coin" : "coins"), \(Amount.bitcoin(sum.satoshis)) BTC"
            guard let old, old != sum.satoshis else { return words }
            return words
                + (sum.satoshis > old
                    ? " (+\(Amount.bitcoin(sum.satoshis - old)))"
                    : " (-\(Amount.bitcoin(old - sum.satoshis)))")
        }
    }
}
