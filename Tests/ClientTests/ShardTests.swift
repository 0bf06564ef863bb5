import Concord
import Foundation
import TestSupport
import Testing

/// Only some shards: fewer bytes, and nothing said about coins that are not there.
@Suite(.waits) struct ShardTests {
    @Test func onlySomeShards() throws {
        let sites = try Site.all()
        let client = try Client(trusting: sites)
        let first = try client.succeed("fetch", "--shards", "7,3", "--height", "310")
        #expect(first.output.contains("fetched 2 shards, sections of 1 file of changes, "))
        #expect(first.output.contains("only shards 3, 7; `--shards all` for the rest"))
        #expect(Self.fetchedShards(sites) == ["003", "007"])

        let scripts = try Self.scriptsByShard()
        let (here, elsewhere) = (try #require(scripts[3]), try #require(scripts[12]))
        #expect(try client.utxos(CoinTests.query(here)).results.count == 1)
        let refused = try client.run("utxos", CoinTests.query(here), CoinTests.query(elsewhere))
        #expect(refused.status == 1 && refused.output.isEmpty)
        #expect(
            refused.errors
                == "error: the coins of \(CoinTests.query(elsewhere)) are in shard 12, which was not fetched: "
                + "«concord fetch --shards 3,7,12»\n")

        // The next fetch keeps to them.
        let next = try client.fetch()
        #expect(next.shards == 0 && next.sections == 2 && next.deltas == 0 && next.agreement.height == 330)
        #expect(Self.fetchedShards(sites) == ["003", "007"])
        #expect(
            Set(try client.utxos(CoinTests.query(here)).results[0].coins) == (try CoinTests.atTip.get()[here])
        )

        // The command that was proposed, and all the rest.
        #expect(try client.fetch("--shards", "3,7,12").shards == 1)
        #expect(
            Set(try client.utxos(CoinTests.query(elsewhere)).results[0].coins)
                == (try CoinTests.atTip.get()[elsewhere]))
        #expect(try client.fetch("--shards", "all").shards == 13)
        try CoinTests.expectSome(client)
        #expect(try client.fetch().shards == 0)
        // And back: what is there stays usable for a later change of mind.
        #expect(try client.fetch("--shards", "3").shards == 0)
        #expect(try client.run("utxos", CoinTests.query(elsewhere)).status == 1)
    }

    @Test(arguments: ["16", "-1", "3,", ",", "a", "3,,7", "all,3", "0x3", "3 7"])
    func badShards(text: String) throws {
        let client = try Client(trusting: try Site.all())
        let outcome = try client.run("fetch", "--shards=\(text)")
        #expect(outcome.status == 64 && outcome.errors.contains("numbers from 0 to 15"), "\(outcome.said)")
        #expect(!client.isInstalled)
    }

    private static func fetchedShards(_ sites: [Site]) -> Set<String> {
        Set(
            sites.flatMap { $0.served() }.filter { $0.hasPrefix("snapshots/") && $0.hasSuffix(".zst") }
                .map { String($0.dropLast(4).suffix(3)) })
    }

    /// A script with coins at the tip for each shard.
    private static func scriptsByShard() throws -> [Int: [UInt8]] {
        var all: [Int: [UInt8]] = [:]
        for script in try CoinTests.sorted.get() {
            let digest = SHA256.hash(SHA256.hash(script).bytes).bytes
            all[Int(digest[0]) % 16] = script
        }
        return all
    }
}
