import Foundation
import TestSupport
import Testing

/// What a client has on its disk is checked whenever it is used, and the next fetch puts right what is wrong.
@Suite(.waits) struct InstalledSetTests {
    /// A client with everything at the tip, and the authorities.
    private static func client(_ arguments: String...) throws -> Client {
        let client = try Client()
        for published in try PublishedTree.atTip.get() {
            try client.trust(published.name, published.publicKey, "file://\(published.tree.root)")
        }
        try client.succeed(["fetch"] + arguments)
        return client
    }

    enum Damage: String, CaseIterable {
        case attestationGone, attestationFlipped, signatureFlipped, statementGone, statementFlipped,
            manifestFlipped,
            shardGone, deltaGone

        func doTo(_ set: PlainTree) throws {
            // One a authority, each of which would do.
            let signed = set.files(under: "authorities")
            switch self {
            case .attestationGone: for path in signed where path.hasSuffix(".txt") { try set.remove(path) }
            case .attestationFlipped: for path in signed where path.hasSuffix(".txt") { try set.flip(path) }
            case .signatureFlipped: for path in signed where path.hasSuffix(".sig") { try set.flip(path) }
            case .manifestFlipped:
                try set.flip(set.files(under: "snapshots").first { $0.hasSuffix(".txt") } ?? "")
            case .shardGone:
                // The one with the script 51.
                for path in set.files(under: "snapshots") where path.hasSuffix(".zst") {
                    try set.remove(path)
                }
            case .deltaGone: try set.remove(set.files(under: "deltas")[1])
            case .statementGone: try set.remove(set.files(under: "statements")[1])
            case .statementFlipped: try set.flip(set.files(under: "statements")[1])
            }
        }
    }

    @Test(arguments: Damage.allCases) func theNextFetchPutsItRight(damage: Damage) throws {
        let client = try Self.client()
        try damage.doTo(client.set)
        let outcome = try client.run("utxos", "raw(51)")
        #expect(
            outcome.status == 1 && outcome.output.isEmpty && outcome.errors.contains(client.set.root),
            "\(outcome.said)")
        let fetched = try client.fetch()
        let isShard = damage == .shardGone
        #expect(fetched.shards == (isShard ? 16 : 0) && fetched.deltas == (damage == .deltaGone ? 1 : 0))
        try CoinTests.expectSome(client)
    }

    /// They are a cache: where they are wrong, coins are counted, before anybody is blamed.
    @Test func damagedNumbersAreCountedAgain() throws {
        let client = try Self.client()
        #expect(try client.fetch("--height", "320").shards == 0)
        let path = client.set.files(under: "numbers")[0]
        let numbers = try client.set.read(path)
        try client.set.flip(path)
        #expect(try client.set.read(path) != numbers)
        #expect(try client.fetch().deltas == 1)
        #expect(try client.set.read(path) == numbers)
        try CoinTests.expectSome(client)
    }

    @Test(arguments: ["", "{}", "[]", "{\"height\": 330", "null"]) func aDamagedPointer(text: String) throws {
        let client = try Self.client()
        try client.set.replace("agreed.json", text)
        let outcome = try client.run("utxos", "raw(51)")
        #expect(
            outcome.status == 1 && outcome.errors.contains(client.set.path("agreed.json")), "\(outcome.said)")
        // Which shards were wanted is not known any more.
        let asked = try client.run("fetch")
        #expect(asked.status == 1 && asked.errors.contains("concord fetch --shards"), "\(asked.said)")
        let fetched = try client.fetch("--shards", "all")
        #expect(fetched.shards == 0 && fetched.patches == 0)
        try CoinTests.expectSome(client)
    }

    @Test func noPointer() throws {
        let client = try Self.client()
        try client.set.remove("agreed.json")
        #expect(
            try client.run("utxos", "raw(51)").errors
                == "error: nothing was fetched yet: run `concord fetch` first\n")
        #expect(try client.fetch().shards == 0)
        try CoinTests.expectSome(client)
    }

    /// It names another block than the statements lead to.
    @Test(arguments: [
        "\"height\" : 330|\"height\" : 329", "\"height\" : 330|\"height\" : -1",
        "\"epochBlocks\" : 50|\"epochBlocks\" : 0",
    ])
    func aPointerThatLies(change: String) throws {
        let client = try Self.client()
        let words = change.split(separator: "|").map(String.init)
        let text = try client.set.text("agreed.json")
        #expect(text.contains(words[0]))
        try client.set.replace("agreed.json", text.replacing(words[0], with: words[1]))
        let outcome = try client.run("utxos", "raw(51)")
        #expect(outcome.status == 1 && outcome.errors.contains("`concord fetch`"), "\(outcome.said)")
        try client.fetch("--shards", "all")
        try CoinTests.expectSome(client)
    }

    /// The shards of the last time are kept to, unless the authorities have cut their trees anew since.
    @Test func shardsThatAreNotThereAnyMore() throws {
        let client = try Self.client("--shards", "3,7")
        let text = try client.set.text("agreed.json")
        try client.set.replace("agreed.json", text.replacing("3,", with: "300,"))
        let outcome = try client.run("fetch")
        #expect(outcome.status == 1 && outcome.errors.contains("--shards"), "\(outcome.said)")
        try client.fetch("--shards", "3")
    }

    /// An authority that agrees at the tip, and signed another statement of a height on the way: the agreed one pins what is
    /// taken, so that the set is as agreed, and the host is named.
    @Test func anAuthorityThatSignedSomethingElseBefore() throws {
        let sites = try Site.all()
        let client = try Client(trusting: sites)
        try sites[0].forge(310) { $0.statement.history[0] = Site.oneDigitChanged($0.statement.history[0]) }
        try client.fetch()
        let (status, answer) = try client.check("--height", "310")
        #expect(status == 2 && answer.verdicts == ["dissents", "agrees", "agrees"])
        // Alone it has nobody who has the statement that it names.
        let other = try Client(trusting: [sites[0]])
        let outcome = try other.run("fetch")
        #expect(outcome.status == 4 && outcome.errors.contains("/0000310-"), "\(outcome.said)")
        #expect(outcome.errors.contains("has another statement than the one that later statements name"))
        #expect(!other.isInstalled)
    }
}
