import ArgumentParser
import Concord
import ConcordPublish
import Foundation

struct TrustnetShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show the list, what is signed of it and what is not.")

    @OptionGroup var options: TrustnetOptions

    func run() throws {
        let folder = TrustnetFolder(reading: options.path)
        let newest = try folder.newest()
        let (trustnet, isChanged) = try folder.draft()
        let parameters = trustnet.parameters
        print(
            """
            trustnet   \(trustnet.name)
            network    \(trustnet.network.rawValue), \(parameters.shards) shards, epochs of \(parameters.epoch) blocks
            minimum    \(trustnet.minimum) of \(trustnet.members.count { $0.withdrawn == nil })
            bootstrap  \(trustnet.bootstrap.hex)
            words      \(trustnet.bootstrap.words.joined(separator: " "))
            """)
        for member in trustnet.members {
            let authority = member.authority
            print(
                "\(authority.name)  \(authority.key.hex)"
                    + (member.withdrawn.map { "  withdrawn: counts below height \($0) only" } ?? ""))
            for url in authority.urls { print("    \(url)") }
        }
        guard let newest else {
            print("not signed yet: «concord-publish trustnet sign» makes it version 1")
            return
        }
        let now = Int64(Date().timeIntervalSince1970)
        print(
            """
            version    \(newest.version), \(newest.isExpired(at: now) ? "expired" : "expires") \
            \(Timestamp.text(newest.expires))
            sha256     \(SHA256.hash(newest.text).hex)
            """)
        if try !folder.isPublished(newest) {
            print(
                "version \(newest.version) is not wholly there: «concord-publish trustnet sign» finishes it")
        }
        if isChanged {
            print("changed since: «concord-publish trustnet sign» makes it version \(newest.version + 1)")
        }
    }
}
