import Concord
import Foundation
import TestSupport
import Testing

/// A wallet is looked for as a whole: `utxos`, `balance` and `shards` of descriptors.
@Suite(.waits) struct DescriptorQueryTests {
    static let tpub =
        "tpubD6NzVbkrYhZ4WaWSyoBvQwbpLkojyoTZPRsgXELWz3Popb3qkjcJyJUGLnL4qHHoQvao8ESaAstxYSnhyswJ76uZPStJRJCTKvosUCJZL5B"
    static let wallet = "wpkh([d34db33f/84h/1h/0h]\(tpub)/<0;1>/*)"
    static let other = "tr(\(tpub)/9/0)"

    private static func script(_ branch: Int, _ index: UInt32) throws -> [UInt8] {
        try Descriptor(wallet).branches[branch].scripts(at: index)[0]
    }

    /// Branches and indexes that are paid, 1,000 satoshi and more.
    static let paid: [(branch: Int, index: UInt32)] = [(0, 0), (0, 7), (1, 1000), (0, 1001), (0, 7)]

    /// A chain that pays to the wallet in its newest but one block, published.
    private static let tree = Result {
        var chain = MadeChain(tip: 24)
        chain.grow(
            paying: try paid.map { try script($0.branch, $0.index) } + Descriptor(other).scripts(at: 0))
        chain.grow(to: 26)
        return try MadeTree(chain, name: "alice")
    }

    private func fetched(_ arguments: String...) throws -> (client: Client, chain: MadeChain) {
        let tree = try Self.tree.get()
        let client = try Client()
        client.now = "2023-11-14T22:13:20Z"
        for (path, bytes) in tree.files { try client.scratch.write(bytes, to: "tree/\(path)") }
        try client.trust("alice", tree.key.publicKey.hex, "file://\(client.scratch.path("tree"))")
        try client.succeed(["fetch"] + arguments)
        return (client, tree.chain)
    }

    @Test func aWalletInCoresFields() throws {
        let (client, chain) = try fetched()
        let outcome = try client.succeed("utxos", "--json", Self.wallet, Self.other)
        let scan: Scan = try outcome.json()
        #expect(scan.success && scan.height == 26 && scan.bestblock == chain.newest.hash.reversedHex)
        let attested = try Self.tree.get().attestation()
        #expect(scan.txouts == Int(attested.statement.coins))
        #expect(scan.network == "regtest" && scan.authorities == ["alice"])

        let wallet = scan.queries[0]
        #expect(try wallet.query == Self.wallet && wallet.desc == Descriptor(Self.wallet).description)
        #expect(
            wallet.scripts == 2002 && wallet.scriptPubKey == nil
                && wallet.satoshis == 1000 + 1001 + 1002 + 1004)
        #expect(wallet.coins.map { [$0.branch, $0.index] } == [[0, 0], [0, 7], [0, 7], [1, 1000]])
        for coin in wallet.coins {
            let script = try Self.script(try #require(coin.branch), UInt32(try #require(coin.index)))
            #expect(coin.address == Address.text(for: script, on: .regtest))
            let unspent = try #require(scan.unspents.first { $0.vout == coin.vout && $0.txid == coin.txid })
            #expect(unspent.scriptPubKey == script.hex && unspent.address == coin.address)
            #expect(unspent.satoshis == 1000 + unspent.vout && unspent.coinbase)
            #expect(unspent.height == 25 && unspent.confirmations == 2)
            #expect(unspent.blockhash == chain.blockID(at: 25).hash.reversedHex)
            let key = try #require(unspent.desc.firstMatch(of: /\](0[23][0-9a-f]{64})\)#/)).output.1
            let path = "\(coin.branch ?? 0)/\(coin.index ?? 0)"
            #expect(unspent.desc.hasPrefix("wpkh([d34db33f/84h/1h/0h/\(path)]\(key))#"))
            #expect(try Descriptor(unspent.desc).scripts(at: 0) == [script])
        }
        let other = scan.queries[1]
        #expect(other.scripts == 1 && other.coins.map(\.index) == [nil] && other.satoshis == 1005)
        #expect(scan.unspents.count == 5 && scan.satoshis == wallet.satoshis + 1005)
        // All eight decimals.
        for amount in ["0.00001000", "0.00001005"] {
            #expect(outcome.output.contains("\"amount\" : \(amount),"))
        }
        #expect(outcome.output.contains("\"total_amount\" : 0.00005012,"))
    }

    /// A coin that is asked for twice is there once, and each query has it.
    @Test func theSameCoinByTwoWays() throws {
        let (client, _) = try fetched()
        let address = try #require(Address.text(for: try Self.script(0, 7), on: .regtest))
        let scan: Scan = try client.succeed("utxos", "--json", address, Self.wallet, "--range", "7,7").json()
        #expect(scan.queries.map(\.coins.count) == [2, 2] && scan.unspents.count == 2)
        #expect(
            scan.unspents.allSatisfy {
                $0.desc == "addr(\(address))#\((try? Descriptor("addr(\(address))").checksum) ?? "")"
            })
        #expect(
            scan.queries[0].scriptPubKey == (try Self.script(0, 7).hex) && scan.queries[0].address == address)
        let balance = try client.succeed("balance", address, Self.wallet, "--range", "7,7").output
        #expect(balance.hasSuffix("\nin all: 2 coins, 0.00002005 BTC\n"), "\(balance)")
    }

    @Test func ranges() throws {
        let (client, _) = try fetched()
        for (range, coins) in [("1001", 5), ("1000", 4), ("0", 1), ("7,999", 2), ("8,999", 0)] {
            let balance = try client.succeed("balance", Self.wallet, "--range", range).output
            #expect(balance.contains(": \(coins) coin"), "\(range) \(balance)")
        }
        let long = try client.run("balance", Self.wallet, "--range", "50000")
        #expect(long.status == 64 && long.errors.contains("more scripts than the 100000"), "\(long.said)")
    }

    @Test func wordsAndTables() throws {
        let (client, chain) = try fetched()
        let text = try client.succeed("utxos", Self.wallet, Self.other)
        let address = try #require(Address.text(for: try Self.script(1, 1000), on: .regtest))
        #expect(
            text.output.contains("\n\(try Descriptor(Self.wallet)): 4 coins, 0.00004007 BTC\n"),
            "\(text.said)")
        #expect(
            text.output.contains("  0.00001002 BTC  height 25  coinbase  \(address)  branch 1, index 1000\n"))
        #expect(text.output.hasSuffix("  0.00001005 BTC  height 25  coinbase\n"))

        let rows = try client.succeed("utxos", "--csv", Self.wallet, Self.other).output.split(
            separator: "\r\n")
        #expect(
            rows[0]
                == "query,branch,index,txid,vout,address,scriptPubKey,desc,amount,satoshis,coinbase,height,blockhash,confirmations"
        )
        #expect(rows.count == 6)
        let row = try #require(rows.first { $0.contains(address) })
        #expect(row.hasPrefix("\(Self.wallet),1,1000,"))
        #expect(row.hasSuffix(",0.00001002,1002,true,25,\(chain.blockID(at: 25).hash.reversedHex),2"))
        // What has commas is in quotes.
        let multi = "tr(\(Self.tpub)/9/0,multi_a(1,\(Self.tpub)/0))"
        #expect(try client.succeed("utxos", "--csv", multi).output.split(separator: "\r\n").count == 1)
        let both = try client.run("utxos", "--csv", "--json", multi)
        #expect(both.status == 64 && both.output.contains("not both"), "\(both.said)")
        let json = try client.succeed("balance", "--json", Self.wallet).output
        #expect(json.contains("\"total_amount\" : 0.00004007") && json.contains("\"coins\" : 4"), "\(json)")
    }

    /// In shards that are not here may be coins: all of them are named.
    @Test func onlySomeShards() throws {
        let (client, _) = try fetched("--shards", "1")
        func shard(_ script: [UInt8]) -> Int { script.withBytes(MadeTree.parameters.shard(of:)) }
        let refused = try client.run("balance", Self.wallet)
        #expect(refused.status == 1 && refused.output.isEmpty)
        #expect(
            refused.errors
                == "error: the coins of \(try Descriptor(Self.wallet)) are in shards 0, 2, 3, which were not fetched: "
                + "«concord fetch --shards all»\n")
        let indexes = try (0..<100).filter {
            try shard(Self.script(0, $0)) == 1 && shard(Self.script(1, $0)) == 1
        }
        let index = try #require(indexes.first)
        try client.succeed("utxos", Self.wallet, "--range", "\(index),\(index)")

        // Where they fall, and which fall where one wants them.
        struct Shards: Decodable {
            struct Row: Decodable {
                let query, scriptPubKey, digits: String
                let index, branch: Int?
                let shard: Int
            }
            let network: String
            let shards: Int
            let scripts: [Row]
        }
        let all: Shards = try client.succeed("shards", "--json", Self.wallet, "--range", "20", Self.other)
            .json()
        #expect(all.network == "regtest" && all.shards == 4 && all.scripts.count == 43)
        for row in all.scripts {
            let script = hex(row.scriptPubKey)
            if let branch = row.branch, let index = row.index {
                #expect(try Self.script(branch, UInt32(index)) == script)
            }
            #expect(row.shard == Int(SHA256.hash(SHA256.hash(script).bytes).bytes[0]) % 4)
            #expect(row.digits == "00\(row.shard)")
        }
        let found = try client.run("shards", "--json", "--within", "1,2", "--count", "3", Self.wallet)
        let within: Shards = try found.json()
        func isWithin(_ index: UInt32) throws -> Bool {
            try [0, 1].allSatisfy { [1, 2].contains(shard(try Self.script($0, index))) }
        }
        let expected = try (0..<1000).filter { try isWithin($0) }.prefix(3).flatMap { [Int($0), Int($0)] }
        #expect(within.scripts.map(\.index) == expected, "\(found.said)")
        #expect(
            found.errors.contains("show on the chain") && found.errors.contains(" a second"), "\(found.said)")
    }

    /// Without a set the number of shards is said, or the usual one.
    @Test func shardsWithoutASet() throws {
        let client = try Client()
        let address = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"
        let script = try Address(address).script
        let digest = SHA256.hash(SHA256.hash(script).bytes).bytes
        let number = Int(digest[0]) | Int(digest[1]) << 8
        for (arguments, count) in [([], 1024), (["--shards", "16"], 16), (["--shards", "4096"], 4096)]
            as [([String], Int)]
        {
            let outcome = try client.run(["shards", address] + arguments)
            let digits = TreePath.shardDigits(number % count)
            #expect(outcome.output == "\(address)  shard \(number % count)  \(digits)\n", "\(outcome.said)")
        }
        for (arguments, words) in [
            ([address, "--within", "3"], "one descriptor with /*"),
            (["wpkh(\(Self.tpub)/*)", "--within", "1024"], "from 0 to 1023"),
            ([address, "wpkh(\(Self.tpub)/*)"], "not of main"),
            (["--network", "signet", address], "not of signet"),
        ] {
            let outcome = try client.run(["shards"] + arguments)
            #expect(outcome.status == 64 && outcome.errors.contains(words), "\(outcome.said)")
        }
    }
}
