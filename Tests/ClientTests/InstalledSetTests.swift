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
        case attestationGone, attestationFlipped, signatureFlipped, manifestFlipped, shardGone, patchGone

        func doTo(_ set: PlainTree) throws {
            let attestation = set.files(under: "authorities").first { $0.contains("/0000317-") } ?? ""
            switch self {
            case .attestationGone: try set.remove(attestation)
            case .attestationFlipped: try set.flip(attestation)
            case .signatureFlipped: try set.flip("\(attestation).sig")
            case .manifestFlipped:
                try set.flip(set.files(under: "snapshots").first { $0.hasSuffix(".txt") } ?? "")
            case .shardGone:
                // The one with the script 51.
                for path in set.files(under: "snapshots") where path.hasSuffix(".zst") {
                    try set.remove(path)
                }
            case .patchGone: try set.remove(set.files(under: "patches")[4])
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
        #expect(
            fetched.shards == (damage == .shardGone ? 16 : 0)
                && fetched.patches == (damage == .patchGone ? 1 : 0))
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

    /// An authority that agrees at the tip, but signed a height before it that leads elsewhere.
    @Test func anAuthorityThatBreaksTheChain() throws {
        let sites = try Site.all()
        let client = try Client(trusting: [sites[0]])
        try sites[0].forge(311) { $0.statement.history = Site.oneDigitChanged($0.statement.history) }
        let outcome = try client.run("fetch")
        #expect(outcome.status == 4, "\(outcome.said)")
        #expect(
            outcome.errors.contains("`alpha`") && outcome.errors.contains("`concord check --height 311`"),
            "\(outcome.said)")
        for site in sites.dropFirst() { try client.trust(site) }
        let (status, answer) = try client.check("--height", "311")
        #expect(status == 2 && answer.verdicts == ["dissents", "agrees", "agrees"])
        #expect(!client.isInstalled)
        try client.succeed("trust", "remove", "alpha")
        try client.fetch()
    }
}
