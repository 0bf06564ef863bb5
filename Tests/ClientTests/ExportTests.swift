import Concord
import Foundation
import TestSupport
import Testing

/// What `export --json` prints.
struct Exported: Decodable {
    let file, format, network, block: String
    let height, coins, bytes: Int
    let hashSerialized3: String
    let pinned: Bool
}

/// What `export` writes is what Bitcoin Core and its tool write.
@Suite(.waits) struct ExportTests {
    /// Files that a test has its client write.
    struct Target {
        let scratch: Scratch
        var path: String { scratch.path("out") }
        var names: [String] { PlainTree(scratch.folder).files() }

        init() throws {
            scratch = try Scratch()
        }
    }

    /// A client that has fetched the set at a height.
    static func client(at height: Int, shards: String = "all") throws -> Client {
        let client = try Client()
        for published in try PublishedTree.atTip.get() {
            try client.trust(published.name, published.publicKey, "file://\(published.tree.root)")
        }
        try client.fetch("--height", "\(height)", "--shards", shards)
        return client
    }

    /// At the height that was fetched, and where that lies above an epoch's first height, there.
    @Test func bitcoinCoresDumps() throws {
        let (client, target) = (try Self.client(at: 0), try Target())
        let dumps = try ChainFixture.regtestRich.dumps()
        let epochs = Dictionary(grouping: dumps) { $0.height / 50 }
        #expect(epochs.values.contains { $0.count > 2 })
        for (epoch, dumps) in epochs {
            for dump in dumps {
                try client.fetch("--height", "\(dump.height + (dump.height == epoch * 50 ? 5 : 0))")
                let exported: Exported = try client.succeed(
                    "export", target.path, "--height", "\(dump.height)", "--json"
                ).json()
                #expect(
                    exported.hashSerialized3 == dump.hash && exported.block == dump.block
                        && exported.coins == dump.coins
                        && exported.height == dump.height && !exported.pinned && exported.format == "dump"
                        && exported.network == "regtest" && exported.file == target.path)
                let file = try target.scratch.read("out")
                #expect(file == (try ChainFixture.regtestRich.dumpFile(of: dump.height)), "\(dump)")
                #expect(exported.bytes == file.count && target.names == ["out"])
                try target.scratch.remove("out")
            }
        }
    }

    /// The trap of the database's order: the transaction of 70,000 outputs is in it.
    @Test func theDumpHasIndexesOutOfOrder() throws {
        let coins = try ChainFixture.regtestRich.dump(of: 330).coins
        let falls = zip(coins, coins.dropFirst()).filter { $0.txid == $1.txid && $0.index > $1.index }
        #expect(
            falls.map(\.0.index) == [32_895, 49_279, 65_663, 69_999]
                && falls.map(\.1.index) == [256, 384, 512, 640])
    }

    @Test func inWords() throws {
        let (client, target) = (try Self.client(at: 330), try Target())
        let dump = try #require(try ChainFixture.regtestRich.dumps().last)
        let outcome = try client.succeed("export", target.path)
        #expect(
            outcome.output == """
                network regtest
                height  330
                block   \(dump.block)
                coins   \(dump.coins)
                bytes   \(try target.scratch.read("out").count)
                hash    \(dump.hash) (hash_serialized_3)
                Bitcoin Core pins no set of this block

                """)
        // Another time the file is there.
        let again = try client.run("export", target.path, "--height", "300")
        #expect(
            again.status == 1 && again.output.isEmpty
                && again.errors == "error: \(target.path): is there already; --force replaces it\n")
        #expect(try target.scratch.read("out") == (try ChainFixture.regtestRich.dumpFile(of: 330)))
        try client.succeed("export", target.path, "--height", "300", "--force")
        #expect(try target.scratch.read("out") == (try ChainFixture.regtestRich.dumpFile(of: 300)))
        #expect(target.names == ["out"])
    }

    /// The rows of Core's own conversion tool: its columns, and the coins of Core's dump in their order.
    @Test func rows() throws {
        let (client, target) = (try Self.client(at: 330), try Target())
        for dump in try ChainFixture.regtestRich.dumps().suffix(2) {
            let exported: Exported = try client.succeed(
                "export", "--sqlite", target.path, "--height", "\(dump.height)", "--json"
            ).json()
            #expect(
                exported.hashSerialized3 == dump.hash && exported.format == "sqlite"
                    && target.names == ["out"])
            #expect(exported.bytes == (try target.scratch.read("out").count))
            let program = """
                import sqlite3, sys
                database = sqlite3.connect(sys.argv[1])
                assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
                print(database.execute("SELECT name, sql FROM sqlite_master").fetchall())
                types = "typeof(txid), typeof(vout), typeof(value), typeof(coinbase), typeof(height), typeof(scriptpubkey)"
                print(database.execute(f"SELECT DISTINCT {types} FROM utxos").fetchall())
                for row in database.execute("SELECT * FROM utxos ORDER BY rowid"): print(*row, sep="|")
                """
            let printed = try Program.installed("python3").print("-c", program, target.path)
            let lines = String(decoding: printed, as: UTF8.self).split(separator: "\n").map(String.init)
            let schema =
                "CREATE TABLE utxos(txid TEXT, vout INT, value INT, coinbase INT, height INT, scriptpubkey TEXT)"
            #expect(lines[0] == "[('utxos', '\(schema)')]")
            #expect(lines[1] == "[('text', 'integer', 'integer', 'integer', 'integer', 'text')]")
            let expected = try ChainFixture.regtestRich.dump(of: dump.height).coins.map { coin in
                let script = try #require(coin.script)
                let (code, amount) = CoinTests.codeAndAmount(coin.body)
                return [
                    Array(coin.txid.reversed()).hex, "\(coin.index)", "\(amount)", "\(code % 2)",
                    "\(code / 2)",
                    script.hex,
                ].joined(separator: "|")
            }
            #expect(lines.dropFirst(2).elementsEqual(expected), "\(dump)")
            #expect(expected.count == dump.coins)
            try target.scratch.remove("out")
        }
    }

    // MARK: what Bitcoin Core pins

    /// Core's own chain of 200 blocks, published with one shard and its snapshot at the tip.
    static func pinnedChain() throws -> Publication {
        let node = try Scratch()
        try PinnedChain.write(into: node, "node")
        var publication = try Publication(.regtestRich, datadir: node.path("node"))
        publication.shards = 1
        publication.epoch = 200
        try publication.publish()
        return publication
    }

    @Test func aPinnedSet() throws {
        let (publication, client, target) = (try Self.pinnedChain(), try Client(), try Target())
        try client.trust("alpha", publication.publicKey, "file://\(publication.tree.root)")
        try client.fetch()
        let exported: Exported = try client.succeed("export", target.path, "--json").json()
        #expect(exported.pinned && exported.height == 200 && exported.coins == 200)
        #expect(
            exported.hashSerialized3 == "17dcc016d188d16068907cdeb38b75691a118d43053b8cd6a25969419381d13a")
        let words = try client.succeed("export", target.path, "--force")
        #expect(words.output.hasSuffix("\nBitcoin Core pins this block and this hash\n"))
        // No other height of the chain is pinned.
        try client.fetch("--height", "199")
        let below: Exported = try client.succeed("export", target.path, "--force", "--json").json()
        #expect(!below.pinned && below.height == 199)
    }

    /// All authorities say that one coin of Core's chain is no coinbase: it is agreed, and it is wrong.
    @Test func aSetThatIsNotThePinnedOne() throws {
        let publication = try Self.pinnedChain()
        let site = try Site(
            PublishedTree(
                name: publication.name, keyFile: publication.key, publicKey: publication.publicKey,
                tree: publication.tree), of: publication)
        let (manifest, totals) = try site.tree.replace(shard: 0, ofSnapshot: 200) { $0[0].code ^= 1 }
        try site.forge(200) { $0.statement.say(totals, manifest) }
        let (client, target) = (try Client(trusting: [site]), try Target())
        try client.fetch()
        for more in [[], ["--sqlite"], ["--force"]] {
            if more == ["--force"] { try target.scratch.write("old", to: "out") }
            let outcome = try client.run(["export", target.path] + more)
            #expect(outcome.status == 2 && outcome.output.isEmpty, "\(outcome.said)")
            #expect(
                outcome.errors.contains("this is not the set that Bitcoin Core pins at height 200 of regtest")
                    && outcome.errors.contains(
                        "17dcc016d188d16068907cdeb38b75691a118d43053b8cd6a25969419381d13a"),
                "\(outcome.said)")
            #expect(target.names == (more == ["--force"] ? ["out"] : []))
        }
        #expect(String(decoding: try target.scratch.read("out"), as: UTF8.self) == "old")
    }

    // MARK: refusals

    @Test func heightsThatAreNotThere() throws {
        let (client, target) = (try Self.client(at: 310), try Target())
        for height in ["299", "311", "0", "9999999"] {
            let outcome = try client.run("export", target.path, "--height", height)
            #expect(
                outcome.status == 1
                    && outcome.errors
                        == "error: height \(height) is not among those that lead to the one that was fetched, 300, 310: "
                        + "`concord fetch --height \(height)` brings it\n"
            )
        }
        #expect(target.names.isEmpty)
    }

    @Test func someShardsOnly() throws {
        let (client, target) = (try Self.client(at: 310, shards: "0,3"), try Target())
        let outcome = try client.run("export", target.path)
        #expect(
            outcome.status == 1
                && outcome.errors
                    == "error: only some shards were fetched: «concord fetch --shards all» brings the others\n"
        )
        try client.fetch("--height", "310", "--shards", "all")
        try client.succeed("export", target.path)
        #expect(target.names == ["out"])
    }

    @Test func nothingFetched() throws {
        let (client, target) = (try Client(), try Target())
        let outcome = try client.run("export", target.path)
        #expect(
            outcome.status == 1
                && outcome.errors == "error: nothing was fetched yet: run `concord fetch` first\n")
        let other = try Self.client(at: 310).run("export", target.path, "--network", "main")
        #expect(other.status == 1 && target.names.isEmpty)
    }

    @Test func aFolderThatIsNotThere() throws {
        let (client, target) = (try Self.client(at: 310), try Target())
        let outcome = try client.run("export", target.scratch.path("no/out"))
        #expect(
            outcome.status == 1 && outcome.errors.contains("no/out.concord-part: cannot create"),
            "\(outcome.said)")
        #expect(target.names.isEmpty)
    }

    /// A disk that lost a bit, or a file: nothing is written, and it says which file it is.
    @Test func aDamagedSet() throws {
        let target = try Target()
        for folder in ["snapshots", "deltas"] {
            let client = try Self.client(at: 310)
            let path = try #require(client.set.paths(folder, containing: ".zst").last)
            try client.set.flip(path)
            let damaged = try client.run("export", target.path)
            #expect(
                damaged.status == 1 && damaged.errors.contains(client.set.path(path))
                    && damaged.errors.contains("Remove this file and run `concord fetch`"), "\(damaged.said)")
            try client.set.remove(path)
            let missing = try client.run("export", "--sqlite", target.path)
            #expect(missing.status == 1 && missing.errors.contains(client.set.path(path)), "\(missing.said)")
            #expect(target.names.isEmpty)
            try client.fetch("--height", "310")
            try client.succeed("export", target.path, "--force")
            try target.scratch.remove("out")
        }
    }

    /// The next run writes over what a killed one left.
    @Test func whatAKilledRunLeft() throws {
        let (client, target) = (try Self.client(at: 330), try Target())
        try target.scratch.write([UInt8](repeating: 1, count: 20_000_000), to: "out.concord-part")
        try client.succeed("export", target.path)
        #expect(try target.scratch.read("out") == (try ChainFixture.regtestRich.dumpFile(of: 330)))
        #expect(target.names == ["out"])
    }
}
