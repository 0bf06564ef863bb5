import ArgumentParser
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

    func run() throws {
        let signingKey = SigningKey.generate()
        try signingKey.write(to: key)
        print(signingKey.publicKey.hex)
        ProgressLine().say("its words: \(signingKey.publicKey.words.joined(separator: " "))")
    }
}
