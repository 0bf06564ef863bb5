import Concord
import Foundation
import TestSupport
import Testing

/// What `utxos` finds is what Bitcoin Core has.
@Suite(.waits) struct CoinTests {
    struct Found {
        let script: [UInt8]
        let coins: Set<Coins.Coin>
    }

    /// The coins of Core's dump at the tip, by script.
    static let atTip = Result { try byScript(330) }

    static func byScript(_ height: Int) throws -> [[UInt8]: Set<Coins.Coin>] {
        var all: [[UInt8]: Set<Coins.Coin>] = [:]
        for coin in try ChainFixture.regtestRich.dump(of: height).coins {
            guard let script = coin.script, let id = Digest(coin.txid) else {
                throw TestError("a coin without a script")
            }
            let (code, amount) = codeAndAmount(coin.body)
            all[script, default: []].insert(
                Coins.Coin(
                    txid: id.reversedHex, index: Int(coin.index), amount: amount, height: code / 2,
                    coinbase: code % 2 == 1))
        }
        return all
    }

    /// Height · 2 + coinbase, and satoshi.
    static func codeAndAmount(_ body: [UInt8]) -> (code: Int, amount: Int) {
        var offset = 0
        let code = varInt(body, &offset)
        return (code, amount(varInt(body, &offset)))
    }

    /// Bitcoin Core's VARINT.
    private static func varInt(_ bytes: [UInt8], _ offset: inout Int) -> Int {
        var value = 0
        while true {
            let next = Int(bytes[offset])
            offset += 1
            value = value << 7 | next & 0x7f
            if next < 0x80 { return value }
            value += 1
        }
    }

    /// Bitcoin Core's `DecompressAmount`.
    private static func amount(_ compressed: Int) -> Int {
        if compressed == 0 { return 0 }
        var x = compressed - 1
        let exponent = x % 10
        x /= 10
        var n: Int
        if exponent < 9 {
            n = x / 9 * 10 + x % 9 + 1
        } else {
            n = x + 1
        }
        for _ in 0..<exponent { n *= 10 }
        return n
    }

    /// A word for the kinds of script, told apart by their bytes.
    private static func kind(_ script: [UInt8]) -> String {
        switch (script.count, script.first, script.last) {
        case (0, _, _): "empty"
        case (25, 0x76, 0xac): "P2PKH"
        case (23, 0xa9, 0x87): "P2SH"
        case (35, 33, 0xac): "P2PK \(script[1])"
        case (67, 65, 0xac): "P2PK \(script[1])"
        case (22, 0, _): "P2WPKH"
        case (34, 0, _): "P2WSH"
        case (34, 0x51, _): "P2TR"
        case (4, 0x51, _): "P2A"
        case (3...42, .some(0x52...0x60), _) where Int(script[1]) == script.count - 2: "witness \(script[0])"
        case (10_000, _, _): "longest"
        case (1, _, _): "one byte"
        default: "other"
        }
    }

    /// A few scripts of every kind, looked up as hex and, where there is one, as an address.
    @Test func everyKindOfScript() throws {
        let client = try Client()
        for published in try PublishedTree.atTip.get() {
            try client.trust(published.name, published.publicKey, "file://\(published.tree.root)")
        }
        try client.fetch()
        let all = try Self.atTip.get()
        var byKind: [String: [[UInt8]]] = [:]
        for script in try Self.sorted.get() {
            byKind[Self.kind(script), default: []].append(script)
        }
        let kinds = [
            "empty", "P2PKH", "P2SH", "P2PK 2", "P2PK 4", "P2WPKH", "P2WSH", "P2TR", "P2A", "longest",
            "one byte",
        ]
        for kind in kinds { #expect(byKind[kind] != nil, "the fixture has no \(kind): \(byKind.keys)") }

        let scripts = byKind.values.flatMap { $0.prefix(3) }
        let queries = scripts.flatMap { script in
            [Self.query(script)] + (Address.text(for: script, on: .regtest).map { [$0] } ?? [])
        }
        #expect(queries.count > scripts.count + 12)
        let outcome = try client.succeed(["utxos", "--json"] + queries)
        let coins: Coins = try outcome.json()
        #expect(
            coins.network == "regtest" && coins.height == 330
                && coins.authorities == ["alpha", "bravo", "charlie"])
        #expect(coins.results.map(\.query) == queries)
        for entry in coins.results {
            let script = try #require([UInt8](hex: entry.script))
            let expected = try #require(all[script], "\(entry.query)")
            #expect(Set(entry.coins) == expected && entry.coins.count == expected.count, "\(entry.query)")
            #expect(entry.amount == expected.reduce(0) { $0 + $1.amount })
        }
        // In words, too; and a script that has no coins.
        let some = try #require(byKind["P2WPKH"]?.first.flatMap { Address.text(for: $0, on: .regtest) })
        #expect(try client.succeed("utxos", some).output.contains("\(some): "))
        #expect(try client.utxos("raw(6a)").results[0].coins.isEmpty)
        #expect(try client.succeed("utxos", "raw(6a)").output.contains("raw(6a): "))
    }

    /// A script as it is asked for, whatever its form.
    static func query(_ script: [UInt8]) -> String { "raw(\(script.hex))" }

    private static let oneOfEachKind = Result {
        var seen: Set<String> = []
        // The empty script has 70,000 coins.
        return try sorted.get().filter { !$0.isEmpty && seen.insert(kind($0)).inserted }
    }

    /// The scripts that have coins at the tip, in the order of their bytes.
    static let sorted = Result { try atTip.get().keys.sorted { $0.lexicographicallyPrecedes($1) } }

    /// A quick look at what a client has: one script of each kind.
    static func expectSome(_ client: Client) throws {
        let all = try atTip.get()
        let scripts = try oneOfEachKind.get()
        let coins: Coins = try client.succeed(["utxos", "--json"] + scripts.map(Self.query)).json()
        for (script, entry) in zip(scripts, coins.results) {
            #expect(Set(entry.coins) == all[script], "\(entry.query)")
        }
        #expect(coins.results.count == scripts.count)
    }

    /// A coin is there until the block that spends it.
    @Test func aCoinGoesWithTheBlockThatSpendsIt() throws {
        let (before, after) = (try Self.byScript(300), try Self.atTip.get())
        // Its script has an address, and no other coin then or later.
        let addresses = before.filter { $0.value.count == 1 && after[$0.key] == nil }.compactMap {
            script, coins in
            Address.text(for: script, on: .regtest).map { (script: script, address: $0, coin: coins.first) }
        }.sorted { $0.address < $1.address }
        let (script, address, known) = try #require(addresses.first)
        let coin = try #require(known)
        let spent = try Self.heightThatSpends(coin, script: script)
        #expect((301...330).contains(spent))

        let client = try Client()
        for published in try PublishedTree.atTip.get() {
            try client.trust(published.name, published.publicKey, "file://\(published.tree.root)")
        }
        try client.fetch("--height", "\(spent - 1)")
        let there = try client.utxos(address)
        #expect(there.height == spent - 1 && there.results[0].coins == [coin])
        try client.fetch("--height", "\(spent)")
        let gone = try client.utxos(address)
        #expect(gone.height == spent && gone.results[0].coins.isEmpty)
        // And back again: to a lower height of the same epoch, and to one of the epoch before.
        try client.fetch("--height", "300")
        #expect(try client.utxos(address).results[0].coins == [coin])
        try client.fetch("--height", "299")
        #expect(try client.utxos(address).height == 299)
    }

    /// The block in whose patch the coin is among the spent ones of its script's shard.
    private static func heightThatSpends(_ coin: Coins.Coin, script: [UInt8]) throws -> Int {
        let scratch = try Scratch()
        let tree = try PublishedTree.atTip.get()[0].tree
        let patches = try tree.unpack(into: scratch.path("unpacked"))
        let digest = SHA256.hash(SHA256.hash(script).bytes).bytes
        for path in patches.files(under: "patches/0000300") {
            let sections = try patchSections(try patches.read(path), shards: 16)
            let section = sections[Int(digest[0]) % 16]
            var offset = 0
            func compactSize() -> Int {
                defer { offset += [253: 3, 254: 5][section[offset]] ?? 1 }
                switch section[offset] {
                case 253: return Int(section[offset + 1]) | Int(section[offset + 2]) << 8
                case 254: return (1...4).reversed().reduce(0) { $0 << 8 | Int(section[offset + $1]) }
                default: return Int(section[offset])
                }
            }
            for _ in 0..<compactSize() {
                let txid = Digest(Array(section[offset..<offset + 32]))
                offset += 32
                for _ in 0..<compactSize() where compactSize() == coin.index && txid?.reversedHex == coin.txid
                {
                    return Int(path.split(separator: "/")[2].prefix(7)) ?? 0
                }
            }
        }
        throw TestError("no patch spends the coin")
    }
}
