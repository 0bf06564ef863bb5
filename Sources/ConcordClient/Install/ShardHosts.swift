import Concord
import ConcordFiles
import Foundation

/// Which host is asked for which shard: one each, chosen at random and kept, so that no host learns of more of a client's
/// shards than it must.
struct ShardHosts {
    private let folder: Folder
    /// The URLs of trees, by the digits of shards.
    private var chosen: [String: String]
    private var isChanged = false

    static let name = "hosts.json"

    /// - Parameter folder: a network's.
    init(_ folder: Folder) {
        self.folder = folder
        let bytes = try? File.read(folder.path(Self.name), atMost: 4 << 20)
        // Where it is damaged, others are chosen.
        chosen = bytes.flatMap { try? JSONDecoder().decode([String: String].self, from: Data($0)) } ?? [:]
    }

    /// The places to ask for a shard: its own host, and the others for when that fails.
    mutating func order(
        for shard: Int, _ places: [TreeReader.Place], fallbacks: [TreeReader.Place]
    ) -> [TreeReader.Place] {
        var rest = places.shuffled()
        let own = rest.firstIndex { $0.url == chosen[TreePath.shardDigits(shard)] } ?? rest.startIndex
        if rest.isEmpty { return fallbacks }
        let first = rest.remove(at: own)
        keep(first.url, for: shard)
        return [first] + rest + fallbacks
    }

    /// Takes note that a host had what its shard's own had not.
    mutating func keep(_ url: String, for shard: Int) {
        let digits = TreePath.shardDigits(shard)
        if chosen[digits] == url { return }
        chosen[digits] = url
        isChanged = true
    }

    /// For its owner alone to read: a URL may hold a password.
    mutating func save() throws {
        guard isChanged else { return }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try folder.write([UInt8](try encoder.encode(chosen)), at: Self.name, mode: 0o600)
        isChanged = false
    }
}
