import ArgumentParser
import Concord
import ConcordConsole
import Foundation

@main
struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "Tests/bench", abstract: "Measure what Concord costs.", subcommands: [WalletCost.self])

    static func main() {
        CommandEnd.run(Self.self)
    }
}

struct WalletCost: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wallet",
        abstract: "Print what wallets cost in bytes and requests.",
        discussion: """
            Makes a chain, publishes it as one authority into a folder, and lets clients fetch what wallets of 1, 8 and 40 \
            scripts need: at first, and after some blocks. Every answer is compared with what the chain paid. `held` are \
            the shards whose coins are held; `bytes` are bodies without headers; `BIP157` is what the basic filters of the \
            same blocks come to, from the first block on for a first start.

            To measure with a set of the main network's size, write the set of the first epoch height:

              Tests/bench wallet --blocks 2100 --outputs 16800000 --export small.dat

            make a dump of more coins of it, whose header names the same block, in any way you like, and begin the tree with \
            that:

              DUMP=large.dat Tests/bench wallet --blocks 2100 --outputs 16800000 --tree DIR

            Then each block has 12,000 changes. It needs room on the disk for thrice the dump.
            """)

    @Option(help: "Blocks of the chain.")
    var blocks = BenchChain.Shape().blocks

    @Option(help: "Outputs of all blocks together, half of which are spent again.")
    var outputs = BenchChain.Shape().outputs

    @Option(help: "Another chain for each.")
    var seed = BenchChain.Shape().seed

    @Option(help: "Shards, a power of two up to 4096.")
    var shards = 1024

    @Option(help: "Blocks from one snapshot to the next.")
    var epoch = 1000

    @Option(
        help: "Blocks that a client was away; more than once for more rows. (default: 1, 144, 1000, 2000)")
    var gap: [Int] = []

    @Option(help: ArgumentHelp("Keep the tree in this folder, and use what is there.", valueName: "dir"))
    var tree: String?

    @Option(
        help: ArgumentHelp(
            "Write the set of the first epoch height as Bitcoin Core's dumptxoutset does, and measure nothing.",
            valueName: "file"))
    var export: String?

    @Flag(help: "Print the rows as JSON, and nothing else.")
    var json = false

    func validate() throws {
        guard let parameters = TreeParameters(checking: shards, epoch: epoch), epoch >= 10 else {
            throw ValidationError(
                "--shards is a power of two up to \(TreeParameters.maxShards), --epoch 10 to \(TreeParameters.maxEpoch)."
            )
        }
        // After that no miner of regtest makes coins any more.
        guard blocks >= parameters.epoch + 5, blocks < 9600 else {
            throw ValidationError("--blocks is at least five more than --epoch, and less than 9600.")
        }
        guard blocks % epoch >= 5 else {
            throw ValidationError("--blocks ends at least five blocks behind an epoch height.")
        }
        guard (blocks...Int(Int32.max)).contains(outputs) else {
            throw ValidationError("--outputs is at least one a block.")
        }
        guard gap.allSatisfy({ $0 > 0 }) else { throw ValidationError("--gap is a number of blocks.") }
    }

    func run() throws {
        let progress = ProgressLine(isQuiet: json)
        var settings = WalletBench.Settings()
        settings.shape = BenchChain.Shape(blocks: blocks, outputs: outputs, seed: seed)
        settings.parameters = TreeParameters(shards: shards, epoch: epoch)
        if !gap.isEmpty { settings.gaps = gap }
        settings.tree = tree
        settings.dump = ProcessInfo.processInfo.environment["DUMP"]
        let bench = try WalletBench(settings) { progress.update($0) }
        if let export {
            let coins = try bench.export(to: export)
            progress.clear()
            return try Output.say("wrote \(coins) coins to \(export)")
        }
        let table = CostTable(rows: try bench.rows())
        progress.clear()
        if json { try printJSON(table.json) } else { try Output.say(table.text) }
    }
}
