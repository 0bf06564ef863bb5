import ArgumentParser
import Concord
import ConcordConsole
import ConcordClient

struct Trust: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Choose the authorities whose agreement you demand.",
        subcommands: [
            Add.self, Remove.self, Retire.self, Use.self, Update.self, Drop.self, List.self,
        ])

    /// The name of an argument.
    @Sendable static func name(_ text: String) throws -> AuthorityName {
        guard let name = AuthorityName(text) else {
            throw ValidationError(
                "«\(text.printable)» is no name: 1 to 40 letters, digits, «.», «_» and «-».")
        }
        return name
    }

    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add an authority, or more URLs to one that is there.",
            discussion: """
                Take the key from a place you trust, not from the tree itself: whoever serves the tree could serve \
                another key. A URL is that of the tree's folder, http, https or file; mirrors count as well.
                """)

        @OptionGroup var home: HomeOptions
        @Argument(help: "A name for it: letters, digits, «.», «_», «-».", transform: Trust.name)
        var name: AuthorityName
        @Argument(help: "Its public key: 33 bytes, compressed, 66 hex digits.")
        var key: String
        @Argument(help: "URLs of its tree.")
        var url: [String]
        @Flag(help: "Print JSON: the list as it is then.")
        var json = false

        func run() throws {
            guard let key = PublicKey(hex: key.lowercased()) else {
                throw CommandFailure(
                    .usage,
                    "«\(key.printable)» is no public key: 66 hex digits that begin with 02 or 03, a point of secp256k1"
                )
            }
            let opened = try home.open()
            var list = try opened.trustList()
            do {
                try list.add(Authority(name: name, key: key, urls: url))
            } catch let refusal as TrustList.Refusal {
                throw CommandFailure(.usage, refusal.description)
            }
            let roster = try Trust.roster(
                list, try opened.trustnets(of: list).compactMap { $0.held?.trustnet })
            try opened.write(list)
            try opened.close()
            try Trust.say("added \(name). \(try Trust.demand(roster))", isJSON: json, home)
        }
    }

    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Remove an authority.")

        @OptionGroup var home: HomeOptions
        @Argument(help: "Its name in your list.", transform: Trust.name)
        var name: AuthorityName
        @Flag(help: "Print JSON: the list as it is then.")
        var json = false

        func run() throws {
            let opened = try home.open()
            var list = try opened.trustList()
            do {
                try list.remove(name)
            } catch let refusal as TrustList.Refusal {
                throw CommandFailure(.localFailure, refusal.description)
            }
            try opened.write(list)
            try opened.close()
            try Trust.say("removed \(name), \(list.authorities.count) left", isJSON: json, home)
        }
    }

    struct Retire: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Withdraw an authority's key: what it attests counts below a height only.",
            discussion: """
                For an authority that gave up its key, or says from which height on it signed something wrong. Whoever \
                has the key can still sign blocks below that height, so a key that was stolen is better removed. A key \
                that a trustnet vouches for too counts as far as the trustnet lets it.
                """)

        @OptionGroup var home: HomeOptions
        @Argument(help: "Its name in your list.", transform: Trust.name)
        var name: AuthorityName
        @Option(help: ArgumentHelp("The height from which the key no longer counts.", valueName: "height"))
        var from: Int
        @Flag(help: "Print the list as JSON.")
        var json = false

        func run() throws {
            let opened = try home.open()
            var list = try opened.trustList()
            do {
                try list.retire(name, from: from)
            } catch let refusal as TrustList.Refusal {
                throw CommandFailure(.usage, refusal.description)
            }
            let roster = try Trust.roster(
                list, try opened.trustnets(of: list).compactMap { $0.held?.trustnet })
            try opened.write(list)
            try opened.close()
            let entry = roster.entries.first { $0.member.authority.name == name }
            let counts =
                entry?.member.withdrawn.map { "counts below height \($0) only" }
                ?? "still counts at every height, for a trustnet vouches for it"
            try Trust.say("the key of \(name) \(counts). \(try Trust.demand(roster))", isJSON: json, home)
        }
    }
}
