import ArgumentParser
import Concord
import ConcordConsole
import ConcordPublish

struct Keygen: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make a new signing key.",
        discussion: """
            Writes a PEM EC private key (secp256k1) that only you can read, and prints its public key, which those \
            who trust you give to «concord trust add», and on standard error the key's words, by which they can \
            compare it with you by voice. A key made by «openssl ecparam -name secp256k1 -genkey» works \
            as well. A file that is there is never overwritten.
            """)

    @Option(name: .long, help: ArgumentHelp("The file to write.", valueName: "file"))
    var key: String
    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let signingKey = SigningKey.generate()
        try signingKey.write(to: key)
        do {
            if json { return try printJSON(JSON(file: key, key: signingKey.publicKey)) }
            try Output.say(signingKey.publicKey.hex)
        } catch let error as OutputError where error != .closedPipe {
            throw CommandFailure(
                .localFailure,
                "\(error). The key is in \(key) already, and nobody has seen its public key: remove it, and run this again"
            )
        }
        ProgressLine().say("its words: \(signingKey.publicKey.words.joined(separator: " "))")
    }

    private struct JSON: Encodable {
        let file, key: String
        let words: [String]

        init(file: String, key: PublicKey) {
            self.file = file
            self.key = key.hex
            words = key.words
        }
    }
}
