import ArgumentParser
import Concord
import ConcordClient
import ConcordConsole
import ConcordFiles
import Foundation

/// `concord wallet …`: whose coins `concord fetch` keeps up with.
struct WalletCommands: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wallet",
        abstract: "Choose the wallets whose coins are kept up with.",
        subcommands: [Add.self, List.self, Remove.self])

    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add a wallet: descriptors, addresses or scripts under a name.",
            discussion: """
                From then on `concord fetch` brings what this wallet needs: of each shard that its scripts fall into a \
                filter, the shard itself where the filter says that there may be coins, and otherwise only what changes. \
                Nothing private is taken: a descriptor has public keys alone.

                What hosts learn: nobody is told a script or an address. Each shard is asked of one host, over a \
                connection of its own; that host sees the shard's number and your address on the network. On the main \
                network a shard holds some 53,000 scripts that are worth more than dust. But eight shards that are always \
                asked for together are as good as a name, and who knows which addresses belong together may \
                recognise them: `fetch --proxy socks5h://127.0.0.1:9050` asks through Tor, with a circuit for each shard, and \
                `fetch --cover 8` takes eight more shards at random.
                """)

        @OptionGroup var home: HomeOptions
        @Option(
            help: "The network. (default: that of the descriptors, or of what was fetched)",
            transform: NetworkName.parse)
        var network: Network?
        @Option(
            help: ArgumentHelp(
                "How many unused addresses in a row end the search. (default: 20)", valueName: "number"))
        var gap = Wallet.defaultGap
        @Flag(
            help: "The keys are made today: no coin can be older, so neither filters nor shards are needed.")
        var new = false
        @Flag(help: "Print JSON.")
        var json = false
        @Argument(help: "A name for it: letters, digits, `.`, `-`, `_`.")
        var name: String
        @OptionGroup var asked: ScriptArguments

        func run() throws {
            let opened = try home.open()
            let lines = try asked.read()
            let installed = try? opened.installed(network)
            let network = try chosen(lines, installed)
            let accounts = try lines.map { line in
                Wallet.Account(try ScriptQuery(line, on: network).descriptor, gap: gap)
            }
            var birth: Wallet.Birth?
            if new {
                let height = installed.flatMap {
                    $0.statement.network == network ? $0.block.height : nil
                }
                birth = try height.map { .height($0) } ?? .time(Clock.now())
            }
            let wallet: Wallet
            do {
                wallet = try Wallet(name, on: network, accounts, birth: birth)
                try opened.wallets.add(wallet)
            } catch let error as WalletError {
                throw CommandFailure(.usage, error.words)
            }
            try opened.close()
            if json { return try printJSON(try WalletJSON(wallet)) }
            let parameters = installed?.statement.parameters ?? network.defaultParameters
            let scripts = try wallet.scripts()
            let shards = Set(scripts.map { $0.script.withBytes(parameters.shard(of:)) })
            try Output.say(
                """
                added the wallet \(name) on \(network.rawValue):
                \(wallet.accounts.map { "  \($0.descriptor)" }.joined(separator: "\n"))
                \(scripts.count) \(scripts.count == 1 ? "script" : "scripts") in \(shards.count) of \(parameters.shards) \
                shards; run `concord fetch`
                """)
        }

        /// The network that all of it is of.
        private func chosen(_ lines: [TypedLine], _ installed: InstalledSet?) throws -> Network {
            if let network { return network }
            let fitting = Network.allCases.filter { network in
                lines.allSatisfy { (try? ScriptQuery($0, on: network)) != nil }
            }
            if let own = installed?.statement.network, fitting.contains(own) || fitting.isEmpty { return own }
            // What no network takes is refused with the reason.
            if fitting.isEmpty { return .main }
            if fitting == [.main] || fitting.count == Network.allCases.count { return .main }
            guard fitting.count == 1 else {
                throw CommandFailure(
                    .usage,
                    "this can be of \(fitting.map(\.rawValue).joined(separator: ", ")): say which with --network"
                )
            }
            return fitting[0]
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the wallets.")

        @OptionGroup var home: HomeOptions
        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let wallets = try home.openForReading().wallets.all()
            if json { return try printJSON(["wallets": try wallets.map { try WalletJSON($0) }]) }
            guard !wallets.isEmpty else {
                return try Output.say("no wallets: add one with `concord wallet add NAME DESCRIPTOR`")
            }
            var lines: [String] = []
            for wallet in wallets {
                lines.append(
                    "\(wallet.name)  \(wallet.network.rawValue)\(wallet.birth.map { ", \($0.words)" } ?? "")")
                for account in wallet.accounts {
                    let used = account.used.map(String.init).joined(separator: " and ")
                    lines.append(
                        "  \(account.descriptor)"
                            + (account.descriptor.isRanged ? "  used \(used), gap \(account.gap)" : ""))
                }
            }
            try Output.say(lines.joined(separator: "\n"))
        }
    }

    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove a wallet. What was fetched for it goes with the next fetch.")

        @OptionGroup var home: HomeOptions
        @Argument(help: "Its name.")
        var name: String

        func run() throws {
            let opened = try home.open()
            do {
                try opened.wallets.remove(name)
            } catch let error as WalletError {
                throw CommandFailure(.usage, error.words)
            }
            try opened.close()
            try Output.say("removed the wallet \(name)")
        }
    }
}

/// A wallet for scripts.
struct WalletJSON: Encodable {
    struct Account: Encodable {
        let descriptor: String
        let ranged: Bool
        let gap: Int
        /// Of each branch, how many indexes there are up to the last in use.
        let used: [Int]
    }
    let name, network: String
    /// The height, or the time in seconds since 1970, that its keys are not older than.
    let born: Int?
    let made: Int64?
    let accounts: [Account]
    /// How many scripts are looked at.
    let scripts: Int

    init(_ wallet: Wallet) throws {
        (name, network) = (wallet.name, wallet.network.rawValue)
        born = if case .height(let height) = wallet.birth { height } else { nil }
        made = if case .time(let time) = wallet.birth { time } else { nil }
        accounts = wallet.accounts.map {
            Account(
                descriptor: $0.descriptor.description, ranged: $0.descriptor.isRanged, gap: $0.gap,
                used: $0.used)
        }
        scripts = try wallet.scripts().count
    }
}

extension Wallet.Birth {
    fileprivate var words: String {
        switch self {
        case .height(let height): "made after height \(height)"
        case .time(let time): "made after \(Timestamp.text(time))"
        }
    }
}
