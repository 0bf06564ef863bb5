import ArgumentParser
import Concord
import ConcordConsole
import ConcordClient
import ConcordFiles

struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write what was fetched as a dump for Bitcoin Core, or as an SQLite database.",
        discussion: """
            The dump is byte for byte the one that Core's «dumptxoutset» writes at this block, for «loadtxoutset» and \
            all tools that read dumps. All shards must have been fetched; nothing is asked of anybody. The set is held to \
            what the authorities agreed on, and where Core's source pins a set of this height, to that: another one is \
            not written. Beside the file, temporary files take as much room again.
            """)

    @OptionGroup var home: HomeOptions
    @Option(
        help: ArgumentHelp(
            "The set after this block, one of those on the way to the one that was fetched. (default: that one)",
            valueName: "height"))
    var height: Int?
    @Option(help: "The network, if sets of several were fetched.", transform: NetworkName.parse)
    var network: Network?
    @Flag(help: "Write a database with a table «utxos», as Core's utxo_to_sqlite.py does.")
    var sqlite = false
    @Flag(help: "Replace the file if it is there.")
    var force = false
    @OptionGroup var despite: DespiteOptions
    @Flag(help: "Print JSON.")
    var json = false
    @Argument(help: ArgumentHelp("The file to write.", valueName: "file"))
    var file: String

    func run() throws {
        let opened = try home.openForReading()
        let set = try opened.installed(network)
        let contradiction = try opened.contradiction(on: set.statement.network)
        try despite.pass(contradiction)
        let export = try chosenExport(of: set)
        let coins = String(export.statement.coins)
        let progress = ProgressLine(isQuiet: json)
        let result: SetExport.Result
        do {
            result = try export.write(sqlite ? .sqlite : .dump, to: file, replacing: force) { step in
                switch step {
                case .read(let done): progress.update("read \(done) of \(coins) coins")
                case .written(let done): progress.update("wrote \(done) of \(coins) coins")
                }
            }
        } catch let error as FileError {
            guard case .conflict = error.kind, error.path == file, !force else { throw error }
            throw CommandFailure(.localFailure, "\(error); --force replaces it")
        }
        progress.clear()
        if json {
            try printJSON(JSON(export.statement, result, file, sqlite, contradiction))
        } else {
            try say(export.statement, result)
        }
    }

    private func chosenExport(of set: InstalledSet) throws -> SetExport {
        guard set.shards == nil else {
            throw CommandFailure(
                .localFailure, "only some shards were fetched: «concord fetch --shards all» brings the others"
            )
        }
        guard let export = SetExport(set, height: height) else {
            throw CommandFailure(
                .localFailure,
                "height \(height ?? 0) is not among those that lead to the one that was fetched, "
                    + "\(set.statements.map { "\($0.height)" }.joined(separator: ", ")): "
                    + "`concord fetch --height \(height ?? 0)` brings it")
        }
        return export
    }

    private func say(_ statement: Statement, _ result: SetExport.Result) throws {
        try Output.say(
            """
            network \(statement.network.rawValue)
            height  \(statement.height)
            block   \(statement.block.reversedHex)
            coins   \(statement.coins)
            bytes   \(result.bytes)
            hash    \(result.hash.reversedHex) (hash_serialized_3)
            \(result.isPinned ? "Bitcoin Core pins this block and this hash" : "Bitcoin Core pins no set of this block")
            """)
    }

    private struct JSON: Encodable {
        let file, format, network, block: String
        let height: Int
        let coins: UInt64
        let bytes: Int
        let hashSerialized3: String
        let pinned: Bool
        /// One that is known, and was passed over.
        let contradiction: Home.Contradiction.JSON?

        init(
            _ statement: Statement, _ result: SetExport.Result, _ file: String, _ sqlite: Bool,
            _ contradiction: Home.Contradiction?
        ) {
            self.file = file
            format = sqlite ? "sqlite" : "dump"
            network = statement.network.rawValue
            block = statement.block.reversedHex
            height = statement.height
            coins = statement.coins
            bytes = result.bytes
            hashSerialized3 = result.hash.reversedHex
            pinned = result.isPinned
            self.contradiction = contradiction.map { .init($0) }
        }
    }
}
