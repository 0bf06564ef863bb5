import Concord
import ConcordConsole
import ConcordPublish
import Foundation

/// What a person and a script are shown of a trustnet's folder: the list, what is signed of it and what is not.
struct TrustnetShown {
    let path: String
    let trustnet: Trustnet
    /// The version that was signed last.
    let newest: Trustnet?
    /// Whether the list differs from that one.
    let isChanged: Bool
    /// Whether all files of that one are there.
    let isPublished: Bool
    /// Seconds since 1970.
    private let now = Int64(Date().timeIntervalSince1970)

    init(_ path: String) throws {
        let folder = TrustnetFolder(reading: path)
        self.path = path
        newest = try folder.newest()
        (trustnet, isChanged) = try folder.draft()
        isPublished = try newest.map { try folder.isPublished($0) } ?? false
    }

    /// For --json and without.
    func print(isJSON: Bool) throws {
        if isJSON { try printJSON(JSON(self)) } else { try Output.say(text) }
    }

    private var text: String {
        let parameters = trustnet.parameters
        var lines = [
            """
            trustnet   \(trustnet.name)
            network    \(trustnet.network.rawValue), \(parameters.shards) shards, epochs of \(parameters.epoch) blocks
            minimum    \(trustnet.minimum) of \(trustnet.members.count { $0.withdrawn == nil })
            bootstrap  \(trustnet.bootstrap.hex)
            words      \(trustnet.bootstrap.words.joined(separator: " "))
            """
        ]
        for member in trustnet.members {
            let authority = member.authority
            lines.append(
                "\(authority.name)  \(authority.key.hex)"
                    + (member.withdrawn.map { "  withdrawn: counts below height \($0) only" } ?? ""))
            lines += authority.urls.map { "    \($0.printable)" }
        }
        guard let newest else {
            lines.append("not signed yet: «concord-publish trustnet sign» makes it version 1")
            return lines.joined(separator: "\n")
        }
        lines.append(
            """
            version    \(newest.version), \(newest.isExpired(at: now) ? "expired" : "expires") \
            \(Timestamp.text(newest.expires))
            sha256     \(SHA256.hash(newest.text).hex)
            """)
        if !isPublished {
            lines.append(
                "version \(newest.version) is not wholly there: «concord-publish trustnet sign» finishes it")
        }
        if isChanged {
            lines.append(
                "changed since: «concord-publish trustnet sign» makes it version \(newest.version + 1)")
        }
        return lines.joined(separator: "\n")
    }

    private struct JSON: Encodable {
        struct Row: Encodable {
            let name, key: String
            let words, urls: [String]
            /// Its key counts below this height only.
            let withdrawnFrom: Int?
        }
        struct Signed: Encodable {
            let version: Int
            let expires: String
            let expired: Bool
            let sha256: String
            /// Whether all its files are there.
            let published: Bool
        }
        let folder, name, network, bootstrap: String
        let words: [String]
        let shards, epoch, minimum: Int
        let authorities: [Row]
        /// The newest version; nil before the first.
        let signed: Signed?
        /// Whether the list is another one than what is signed.
        let changed: Bool

        init(_ shown: TrustnetShown) {
            let trustnet = shown.trustnet
            folder = shown.path
            name = trustnet.name.description
            network = trustnet.network.rawValue
            bootstrap = trustnet.bootstrap.hex
            words = trustnet.bootstrap.words
            shards = trustnet.parameters.shards
            epoch = trustnet.parameters.epoch
            minimum = trustnet.minimum
            authorities = trustnet.members.map { member in
                Row(
                    name: member.authority.name.description, key: member.authority.key.hex,
                    words: member.authority.key.words, urls: member.authority.urls,
                    withdrawnFrom: member.withdrawn)
            }
            signed = shown.newest.map {
                Signed(
                    version: $0.version, expires: Timestamp.text($0.expires),
                    expired: $0.isExpired(at: shown.now),
                    sha256: SHA256.hash($0.text).hex, published: shown.isPublished)
            }
            changed = shown.newest == nil || shown.isChanged
        }
    }
}
