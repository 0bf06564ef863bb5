import ArgumentParser
import Concord
import ConcordConsole
import ConcordClient
import ConcordTransfers

extension Trust {
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show the trustnets and the authorities, and who vouches for whom.",
            discussion:
                "Below each key stand its words, to be compared by voice with those its owner reads out.")

        @OptionGroup var home: HomeOptions
        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let shown = try Shown(home)
            if json { try printJSON(shown) } else { try Output.say(shown.text) }
        }
    }

    /// What a command that changes the list has done, in words; for --json the list as it is now.
    static func say(_ words: String, isJSON: Bool, _ home: HomeOptions) throws {
        if isJSON { try printJSON(try Shown(home)) } else { try Output.say(words) }
    }

    /// What «trust list» prints.
    struct Shown: Encodable {
        struct TrustnetRow: Encodable {
            /// The bootstrap key that was given.
            let key: String
            let urls: [String]
            /// Of the bootstrap key, to compare by voice.
            let words: [String]
            /// All of these are missing where no version is held.
            let name, bootstrap, expires: String?
            let version, minimum: Int?
            let expired: Bool?
            let network: String?
        }
        struct AuthorityRow: Encodable {
            let name, key: String
            let words, urls, trustnets: [String]
            let own: Bool
            /// Its key counts below this height only.
            let withdrawnFrom: Int?
        }
        let trustnets: [TrustnetRow]
        let authorities: [AuthorityRow]
        /// How many must attest a block; missing where the authorities cannot be compared, for this reason.
        let minimum: Int?
        let problem: String?

        init(_ home: HomeOptions) throws {
            let opened = try home.openForReading()
            let list = try opened.trustList()
            self.init(list, try opened.trustnets(of: list), now: try Clock.now())
        }

        private init(_ list: TrustList, _ held: [TrustnetHistory], now: Int64) {
            trustnets = zip(list.trustnets, held).map { subscription, history in
                let trustnet = history.held?.trustnet
                return TrustnetRow(
                    key: subscription.key.hex, urls: subscription.urls.map(WebAddress.shown),
                    words: (trustnet?.bootstrap ?? subscription.key).words, name: trustnet?.name.description,
                    bootstrap: trustnet?.bootstrap.hex, expires: trustnet.map { Timestamp.text($0.expires) },
                    version: trustnet?.version, minimum: trustnet?.minimum,
                    expired: trustnet?.isExpired(at: now), network: trustnet?.network.rawValue)
            }
            let known = held.compactMap { $0.held?.trustnet }
            var entries: [Roster.Entry]
            do throws(RosterError) {
                let roster = try Roster(trustnets: known, own: list.members)
                entries = roster.entries
                minimum = entries.isEmpty ? nil : try roster.minimum()
                problem = nil
            } catch {
                // Each by itself is in order.
                entries = known.flatMap { (try? Roster(trustnets: [$0]))?.entries ?? [] }
                entries += (try? Roster(own: list.members))?.entries ?? []
                minimum = nil
                problem = error.description
            }
            authorities = entries.map { entry in
                let authority = entry.member.authority
                return AuthorityRow(
                    name: authority.name.description, key: authority.key.hex, words: authority.key.words,
                    urls: authority.urls.map(WebAddress.shown),
                    trustnets: entry.trustnets.map(\.description), own: entry.isOwn,
                    withdrawnFrom: entry.member.withdrawn)
            }
        }

        var text: String {
            var lines: [String] = []
            for row in trustnets {
                let version = row.version.map { "version \($0)" } ?? "no version is held yet"
                let expiry =
                    row.expires.map { ", \(row.expired == true ? "EXPIRED" : "expires") \($0)" } ?? ""
                let minimum = row.minimum.map { ", asks for at least \($0)" } ?? ""
                lines.append(
                    "trustnet \(row.name ?? "?")  \(row.network.map { "\($0), " } ?? "")\(version)\(expiry)\(minimum)"
                )
                lines.append("    bootstrap key \(row.bootstrap ?? row.key)")
                lines.append("    words: \(row.words.joined(separator: " "))")
                lines += row.urls.map { "    \(WebAddress.shown($0))" }
            }
            for row in authorities {
                let vouchers = (row.trustnets + (row.own ? ["own"] : [])).joined(separator: ", ")
                let withdrawn = row.withdrawnFrom.map { "; withdrawn: counts below height \($0) only" } ?? ""
                let isPlain = trustnets.isEmpty && row.withdrawnFrom == nil
                lines.append("\(row.name)  \(row.key)" + (isPlain ? "" : "  (\(vouchers)\(withdrawn))"))
                lines.append("    words: \(row.words.joined(separator: " "))")
                lines += row.urls.map { "    \(WebAddress.shown($0))" }
            }
            if authorities.isEmpty {
                lines.append("no authorities yet: add some with «concord trust add NAME KEY URL»")
            }
            if let problem { lines.append("they cannot be used together: \(problem)") }
            return lines.joined(separator: "\n")
        }
    }
}
