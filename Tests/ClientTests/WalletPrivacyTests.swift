import Concord
import Foundation
import TestSupport
import Testing

/// What hosts see of a wallet: their logs are read.
@Suite(.waits) struct WalletPrivacyTests {
    /// A request, as a host's log has it.
    private struct Asked {
        let host: Int
        let path: String
        let connection: String
        let first: Int?

        init?(_ line: String, host: Int) {
            let words = line.split(separator: " ")
            guard words.count == 7 else { return nil }
            self.host = host
            path = String(words[1].dropFirst())
            connection = "\(host)/\(words[4])"
            first = words[6].split(separator: "=").last.flatMap { Int($0.prefix { $0 != "-" }) }
        }

        var isOfChanges: Bool { path.hasPrefix("patches/") || path.hasPrefix("deltas/") }

        /// The shards that this can be about, of 16; nil where it says nothing of any.
        func shards(_ tree: PlainTree) throws -> Set<Int>? {
            if path.contains("/shards/") || path.contains("/filters/") {
                return Int(path.suffix(7).prefix(3), radix: 16).map { [$0] }
            }
            guard isOfChanges, let first, first > 0 else { return nil }
            let directory = try PlainPatchFile.directory(tree.read(path), shards: 16)
            if let range = directory.index.firstIndex(where: { $0.lowerBound == first }) {
                return Set(range * 4..<range * 4 + 4)
            }
            return Set(directory.sections.indices.filter { directory.sections[$0].lowerBound == first })
        }
    }

    private func asked(_ sites: [Site]) -> [Asked] {
        sites.enumerated().flatMap { host, site in site.server.requests.compactMap { Asked($0, host: host) } }
    }

    private static let scripts = Result {
        // Of different shards, some with coins at the snapshot.
        try CoinTests.sorted.get().filter { (20...40).contains($0.count) }.enumerated()
            .filter { $0.offset % 97 == 0 }.prefix(4).map(\.element)
    }

    @Test func oneHostAndConnectionsOfItsOwnForEachShard() throws {
        let sites = try Site.all()
        let client = try Client(trusting: sites)
        let scripts = try Self.scripts.get()
        try client.succeed(["wallet", "add", "mine", "--network", "regtest"] + scripts.map(CoinTests.query))
        try client.succeed("fetch", "--height", "310")
        try client.succeed("fetch")
        let asked = asked(sites)
        #expect(
            asked.contains { $0.path.contains("/filters/") }
                && asked.contains { $0.path.contains("/shards/") })
        #expect(asked.contains { $0.isOfChanges && $0.first ?? 0 > 0 })
        // Each connection is about one shard, or about none.
        var about: [String: Set<Int>] = [:]
        var others: Set<String> = []
        var hosts: [Int: Set<Int>] = [:]
        for one in asked {
            guard let shards = try one.shards(sites[one.host].tree) else {
                others.insert(one.connection)
                continue
            }
            about[one.connection, default: Set(0..<16)].formIntersection(shards)
            if shards.count == 1, let shard = shards.first { hosts[shard, default: []].insert(one.host) }
        }
        #expect(about.values.allSatisfy { !$0.isEmpty }, "\(about)")
        #expect(others.isDisjoint(with: about.keys))
        #expect(hosts.values.allSatisfy { $0.count == 1 }, "\(hosts)")
        // Nothing in any log is a script, its hash or its address.
        let log = sites.flatMap(\.server.requests).joined(separator: "\n").lowercased()
        for script in scripts {
            let hashes = [SHA256.hash(script), SHA256.hash(SHA256.hash(script).bytes)]
            for hash in hashes { #expect(!log.contains(hash.hex) && !log.contains(hash.reversedHex)) }
            #expect(
                !log.contains(script.hex) && !log.contains(script.dropFirst(2).prefix(20).map(\.self).hex))
            if let address = Address.text(for: script, on: .regtest) {
                #expect(!log.contains(address.lowercased()))
            }
        }
    }

    /// Through a proxy that looks names up: each shard over a circuit of its own.
    @Test func circuitsOfTheirOwn() throws {
        let sites = try Site.all()
        let proxy = try Program.python().start(["-B", "\(ChainFixture.repository)/Tests/Node/socks.py"])
        defer { proxy.send(SIGKILL) }
        var port = ""
        while port.last != "\n", proxy.isRunning() {
            port = String(decoding: try proxy.printed(), as: UTF8.self)
            usleep(5000)
        }
        let client = try Client()
        for site in sites {
            client.keep(site)
            // A name that only the proxy knows.
            try client.trust(
                site.name, site.publicKey, site.url.replacing("127.0.0.1", with: "\(site.name).test"))
        }
        let scripts = try Self.scripts.get()
        try client.succeed(["wallet", "add", "mine", "--network", "regtest"] + scripts.map(CoinTests.query))
        let number = port.trimmingCharacters(in: .whitespacesAndNewlines)
        try client.succeed("fetch", "--proxy", "socks5h://127.0.0.1:\(number)")
        let lines = String(decoding: try proxy.printed(), as: UTF8.self).split(separator: "\n").dropFirst()
        let circuits = Set(lines.map { $0.split(separator: " ")[0] })
        let shards = Set(
            asked(sites).filter { $0.path.contains("/filters/") || $0.path.contains("/shards/") }
                .compactMap { Int($0.path.suffix(7).prefix(3), radix: 16) })
        // One for each shard, and one for all else.
        #expect(circuits.count == shards.count + 1, "\(lines)")
        #expect(lines.allSatisfy { $0.contains(".test ") })
    }
}
