import ArgumentParser
import Concord
import ConcordConsole
import ConcordClient
import ConcordTransfers

extension Trust {
    struct Use: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Use a trustnet, a list of authorities that somebody keeps and signs.",
            discussion: """
                Take the bootstrap key from a place you trust, not from the URL itself. Newer versions of the list come \
                in with «check», «fetch» and «update», as long as the key signs them. Several trustnets can be used \
                together, and authorities of your own beside them. With more URLs for a key that is there, these are added.
                """)

        @OptionGroup var home: HomeOptions
        @OptionGroup var hosts: HostOptions
        @Argument(help: "URLs of its folder, http, https or file.")
        var url: [String]
        @Option(help: "Its bootstrap key: 33 bytes, compressed, 66 hex digits.", transform: Trust.key)
        var key: PublicKey
        @Flag(help: "Print JSON: the list as it is then.")
        var json = false

        func run() throws {
            let opened = try home.client(hosts, ProgressLine(isQuiet: json))
            var list = try opened.trustList()
            do { try list.use(key, url) } catch let refusal as TrustList.Refusal {
                throw CommandFailure(.usage, refusal.description)
            }
            let added = list.trustnets.filter { $0.key == key }
            let trustnets = try opened.usable(opened.update(added), added)
            let held = try opened.trustnets(of: list).compactMap { $0.held?.trustnet }
            for trustnet in trustnets where held.count(where: { $0.name == trustnet.name }) > 1 {
                throw CommandFailure(
                    .usage,
                    "a trustnet «\(trustnet.name)» is in use already, with another key: if that is no longer right, "
                        + "first «concord trust drop \(trustnet.name)»")
            }
            let roster = try Trust.roster(list, held)
            try opened.write(list)
            try opened.close()
            let lines =
                trustnets.map {
                    "using \($0.name), version \($0.version), until \(Timestamp.text($0.expires))"
                } + [try Trust.demand(roster)]
            try Trust.say(lines.joined(separator: "\n"), isJSON: json, home)
        }
    }

    struct Update: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Bring newer versions of the trustnets in, as «check» and «fetch» do too.")

        @OptionGroup var home: HomeOptions
        @OptionGroup var hosts: HostOptions
        @Flag(help: "Print JSON: the list as it is then.")
        var json = false

        func run() throws {
            let opened = try home.client(hosts, ProgressLine(isQuiet: json))
            let list = try opened.trustList()
            let before = try opened.trustnets(of: list)
            let update = try opened.update(list.trustnets)
            let lines = zip(before, update.histories).compactMap { old, new -> String? in
                guard let trustnet = new.held?.trustnet else { return nil }
                let version = old.held?.trustnet.version
                return
                    "\(trustnet.name): version \(trustnet.version)"
                    + (version.map { $0 == trustnet.version ? ", nothing newer" : ", was \($0)" } ?? "")
                    + (old.key == new.key ? "" : ", with a new bootstrap key, \(new.key.hex)")
            }
            let words = list.trustnets.isEmpty ? "no trustnets are in use" : lines.joined(separator: "\n")
            if !json, !words.isEmpty { try Output.say(words) }
            let trustnets = try opened.usable(update, list.trustnets)
            do throws(RosterError) { _ = try Roster(trustnets: trustnets, own: list.members) } catch {
                throw CommandFailure(.noAgreement, error.description)
            }
            try opened.close()
            if json { try Trust.say("", isJSON: true, home) }
        }
    }

    struct Drop: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Use a trustnet no more.",
            discussion: "Its signed files stay: used again, it goes on from the version that was taken last.")

        @OptionGroup var home: HomeOptions
        @Argument(help: "Its name, or the bootstrap key you gave.")
        var name: String
        @Flag(help: "Print JSON: the list as it is then.")
        var json = false

        func run() throws {
            let opened = try home.open()
            var list = try opened.trustList()
            let held = try opened.trustnets(of: list)
            let dropped = zip(list.trustnets, held).first { subscription, history in
                subscription.key.hex == name || history.held?.trustnet.name.description == name
            }
            guard let dropped else {
                throw CommandFailure(
                    .localFailure, "there is no trustnet «\(name.printable)»: see «concord trust list»")
            }
            list.drop(dropped.0.key)
            try opened.write(list)
            try opened.close()
            try Trust.say("dropped \(name.printable), \(list.trustnets.count) left", isJSON: json, home)
        }
    }

    /// The authorities of a list that is to be written; refused where they cannot be compared.
    static func roster(_ list: TrustList, _ trustnets: [Trustnet]) throws -> Roster {
        do throws(RosterError) { return try Roster(trustnets: trustnets, own: list.members) } catch {
            throw CommandFailure(.usage, "\(error). Nothing was changed")
        }
    }

    /// How many there are, and how many must agree.
    static func demand(_ roster: Roster) throws -> String {
        let count = roster.entries.count
        let minimum: String
        do throws(RosterError) {
            minimum = "\(try roster.minimum()) must attest a block, none may differ"
        } catch {
            minimum = "too few: \(error)"
        }
        return "\(count) \(count == 1 ? "authority" : "authorities"), \(minimum)"
    }

    @Sendable static func key(_ text: String) throws -> PublicKey {
        guard let key = PublicKey(hex: text.lowercased()) else {
            throw ValidationError(
                "«\(text.printable)» is no public key: 66 hex digits that begin with 02 or 03, a point of secp256k1."
            )
        }
        return key
    }
}
