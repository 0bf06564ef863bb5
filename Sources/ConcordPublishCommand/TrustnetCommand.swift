import ArgumentParser
import Concord
import ConcordConsole
import ConcordPublish
import Foundation

/// For those who run a trustnet.
struct TrustnetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trustnet",
        abstract: "Keep a signed list of authorities that others can subscribe to.",
        discussion: """
            The folder is what you publish, with any web server; beside it, in FOLDER.state, is what is yours: the list \
            as you edit it, and the journal of what was signed. Keep that folder. «new», «add», «remove» and «retire» \
            change the list, «sign» publishes it as the next version.
            """,
        subcommands: [New.self, Add.self, Remove.self, Retire.self, TrustnetSign.self, TrustnetShow.self])

    struct New: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Begin a trustnet.")

        @OptionGroup var options: TrustnetOptions
        @Option(help: "Its name: letters, digits, «.», «_», «-».", transform: Parse.name)
        var name: AuthorityName
        @Option(
            help: "The network: main, testnet4, signet or regtest. (default: main)",
            transform: NetworkName.parse)
        var network: Network = .main
        @Option(
            help: ArgumentHelp(
                "Shards of its authorities' trees. (default: 1024; regtest 16)", valueName: "n")
        )
        var shards: Int?
        @Option(
            help: ArgumentHelp(
                "Blocks of an epoch of its authorities' trees. (default: 1000; regtest 100)", valueName: "n"))
        var epoch: Int?
        @Option(
            help: ArgumentHelp(
                "How many authorities must agree at least, whatever a client asks for.", valueName: "n"))
        var minimum = 2
        @Option(
            help: ArgumentHelp(
                "The PEM file with the bootstrap key; - for standard input.", valueName: "file"))
        var key: String
        @OptionGroup var keyOptions: KeyOptions

        func run() throws {
            let standard = network.defaultParameters
            guard
                let parameters = TreeParameters(
                    checking: shards ?? standard.shards, epoch: epoch ?? standard.epoch)
            else {
                throw CommandFailure(
                    .usage,
                    "--shards is a power of two from 1 to \(TreeParameters.maxShards), --epoch is 1 to "
                        + "\(TreeParameters.maxEpoch)")
            }
            let bootstrap = try keyOptions.key(key).publicKey
            let trustnet = Trustnet(
                name: name, network: network, version: 1, expires: 0, parameters: parameters,
                minimum: minimum,
                bootstrap: bootstrap, members: [])
            try TrustnetOptions.check(trustnet)
            let opened = try options.open(isNew: true)
            try opened.begin(trustnet)
            try opened.close()
            try options.say("began \(name) with the bootstrap key \(bootstrap.hex)")
        }
    }

    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add an authority, or more URLs to one that is there.",
            discussion:
                "Take the key from the authority itself, by a way that does not lead through its web server.")

        @OptionGroup var options: TrustnetEditOptions
        @Argument(help: "Its name in the list.", transform: Parse.name)
        var name: AuthorityName
        @Argument(help: "Its public key: 33 bytes, compressed, 66 hex digits.", transform: Parse.publicKey)
        var key: PublicKey
        @Argument(help: "URLs of its tree, http or https.")
        var url: [String]

        func run() throws {
            try options.edit { trustnet in
                let urls = url.map { String($0.reversed().drop { $0 == "/" }.reversed()) }
                if let i = trustnet.members.firstIndex(where: { $0.authority.name == name }) {
                    let known = trustnet.members[i].authority
                    guard known.key == key else {
                        throw CommandFailure(
                            .usage,
                            "«\(name)» is in the list with another key, \(known.key.hex): retire that one, and add "
                                + "the new one under another name")
                    }
                    trustnet.members[i].authority.urls += urls.filter { !known.urls.contains($0) }
                    return "added URLs to \(name)"
                }
                trustnet.members.append(Trustnet.Member(Authority(name: name, key: key, urls: urls)))
                return "added \(name)"
            }
        }
    }

    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove an authority: nothing that it ever attested counts any longer.")

        @OptionGroup var options: TrustnetEditOptions
        @Argument(help: "Its name in the list.", transform: Parse.name)
        var name: AuthorityName

        func run() throws {
            try options.edit { trustnet in
                trustnet.members.remove(at: try TrustnetEditOptions.place(of: name, in: trustnet))
                return "removed \(name)"
            }
        }
    }

    struct Retire: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Withdraw an authority's key: what it attests counts below a height only.")

        @OptionGroup var options: TrustnetEditOptions
        @Argument(help: "Its name in the list.", transform: Parse.name)
        var name: AuthorityName
        @Option(
            help: ArgumentHelp("The height from which the key no longer counts.", valueName: "height"),
            transform: Parse.height)
        var from: Int

        func run() throws {
            try options.edit { trustnet in
                let i = try TrustnetEditOptions.place(of: name, in: trustnet)
                trustnet.members[i].withdrawn = from
                return "the key of \(name) counts below height \(from) only"
            }
        }
    }
}

struct TrustnetOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The folder that is published.", valueName: "dir"))
    var folder: String
    @Flag(help: "Print JSON: the list as it is then.")
    var json = false

    /// What was done, in words; for --json the list as it is now.
    func say(_ words: @autoclosure () -> String) throws {
        if json { try TrustnetShown(path).print(isJSON: true) } else { try Output.say(words()) }
    }

    /// Without slashes at the end.
    var path: String {
        let path = String(folder.reversed().drop { $0 == "/" }.reversed())
        return path.isEmpty ? folder : path
    }

    /// FOLDER.state must lie beside it.
    func validate() throws {
        guard ![".", "..", ""].contains(path.split(separator: "/").last ?? "") else {
            throw ValidationError("--folder needs a name of its own: give it from the folder above.")
        }
    }

    func open(isNew: Bool = false) throws -> TrustnetFolder {
        try TrustnetFolder(path, isNew: isNew)
    }

    static func check(_ trustnet: Trustnet) throws {
        do throws(TrustnetError) { try trustnet.checkDraft() } catch {
            throw CommandFailure(.usage, "\(error)")
        }
    }
}

/// What commands that change the list have in common.
struct TrustnetEditOptions: ParsableArguments {
    @OptionGroup var options: TrustnetOptions
    @Option(help: ArgumentHelp("From now on at least so many authorities must agree.", valueName: "n"))
    var minimum: Int?

    /// Changes the list, and says how.
    func edit(_ change: (inout Trustnet) throws -> String) throws {
        let opened = try options.open()
        var trustnet = try opened.draft().trustnet
        let words = try change(&trustnet)
        if let minimum { trustnet.minimum = minimum }
        try TrustnetOptions.check(trustnet)
        try opened.write(draft: trustnet)
        try opened.close()
        try options.say("\(words); sign it with «concord-publish trustnet sign»")
    }

    static func place(of name: AuthorityName, in trustnet: Trustnet) throws -> Int {
        guard let place = trustnet.members.firstIndex(where: { $0.authority.name == name }) else {
            throw CommandFailure(
                .usage, "there is no «\(name)» in the list: see «concord-publish trustnet show»")
        }
        return place
    }
}
