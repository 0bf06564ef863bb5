import ArgumentParser
import Concord
import ConcordConsole

@main
struct ConcordCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "concord",
        abstract:
            "Fetch the Bitcoin UTXO set from independent authorities, and accept it only where they all agree.",
        version: Software.version,
        subcommands: [
            Trust.self, WalletCommands.self, Check.self, Report.self, Fetch.self, Utxos.self, Balance.self,
            History.self, Shards.self, Serve.self, Export.self, Verify.self, Audit.self, ShowEvidence.self,
            Mirror.self,
        ])

    static func main() {
        CommandEnd.run(Self.self)
    }
}
