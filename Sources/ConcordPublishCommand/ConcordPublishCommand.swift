import ArgumentParser
import Concord
import ConcordConsole

@main
struct ConcordPublishCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "concord-publish",
        abstract: "Publish the Bitcoin UTXO set of your own node as a signed static tree.",
        version: Software.version,
        subcommands: [
            Run.self, Prune.self, Restore.self, Keygen.self, Hosting.self, Compare.self, TrustnetCommand.self,
        ])

    static func main() {
        CommandEnd.run(Self.self)
    }
}
