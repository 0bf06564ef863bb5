import Concord
import Foundation
import TestSupport
import Testing

/// What `utxos` is asked about: on the command line, on standard input, in files.
@Suite(.waits) struct ScriptArgumentTests {
    /// Two addresses that have coins at the tip, and one that has none.
    static let addresses = Result {
        try CoinTests.sorted.get().compactMap { Address.text(for: $0, on: .regtest) }.prefix(2)
            + [try #require(Address.text(for: [0, 20] + [UInt8](repeating: 7, count: 20), on: .regtest))]
    }

    private func fetched() throws -> Client {
        let client = try Client()
        for published in try PublishedTree.atTip.get() {
            try client.trust(published.name, published.publicKey, "file://\(published.tree.root)")
        }
        try client.fetch()
        return client
    }

    private func run(_ client: Client, _ arguments: [String], input: String = "") throws -> Program.Outcome {
        try Client.program().run(
            arguments, environment: ["CONCORD_HOME": client.home.root], input: Array(input.utf8))
    }

    @Test func listsOfAddresses() throws {
        let client = try fetched()
        let all = try Self.addresses.get()
        let list = """
            \u{feff}# mine
            \(all[0])\r

              \(all[1])   # with a comment
            bitcoin:\(all[2])?amount=1
            """
        let file = try client.scratch.write(list, to: "list")
        for arguments in [["-"], ["--file", file], ["--file=\(file)"]] {
            let outcome = try run(client, ["utxos", "--json"] + arguments, input: list)
            #expect(outcome.status == 0, "\(outcome.said)")
            let coins: Coins = try outcome.json()
            #expect(
                coins.results.map(\.script)
                    == (try all.map { try Address($0, on: .regtest).script.hex }), "\(outcome.said)")
            #expect(!coins.results[0].coins.isEmpty && coins.results[2].coins.isEmpty)
        }
        // A right address without coins is an answer; and the address is shown, not the URI.
        let text = try run(client, ["utxos", "bitcoin:\(all[2].uppercased())?label=x", "-"], input: all[0])
        #expect(text.status == 0 && text.output.contains("\(all[2].uppercased()): 0 coins"), "\(text.said)")
        #expect(text.output.contains("\(all[0]): "))
    }

    /// Before anything was fetched too, where it is not known of which network the coins will be.
    @Test func whatIsWrongIsRefusedWithoutASet() throws {
        let client = try Client()
        let regtest = try Self.addresses.get()[0]
        for (arguments, said) in [
            (["utxos", ""], "the argument is empty"),
            (["utxos", UsageTests.key], "the argument is "),
            (["utxos", "\(regtest)x"], "the argument (\(regtest)x) is no address"),
            (["utxos", "raw(51)", "zz"], "argument 2 is no address"),
            (["utxos", "--network", "main", regtest], "is an address of regtest"),
            (["utxos", "--network", "mainnet", regtest], "«mainnet» is no network"),
        ] {
            let outcome = try run(client, arguments)
            #expect(outcome.status == 64 && outcome.output.isEmpty, "\(outcome.said)")
            #expect(outcome.errors.contains(said), "\(outcome.said)")
        }
        for arguments in [["utxos", regtest], ["utxos", "--network", "regtest", "-"]] {
            let outcome = try run(client, arguments, input: regtest)
            #expect(
                outcome.status == 1 && outcome.errors.contains("nothing was fetched yet"), "\(outcome.said)")
        }
    }

    @Test func whatIsWrongIsNamedByItsPlace() throws {
        let client = try fetched()
        let good = try Self.addresses.get()[0]
        let wif = "L1aW4aubDFB7yfras2S1mN3bqg9nwySY8nkoLmJebSLD5BWv3ENZ"
        let file = try client.scratch.write("\(good)\n# \n\(wif)\n", to: "list")
        let none = try client.scratch.write("# nothing\n\n", to: "none")
        let words =
            "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"
        for (arguments, input, said) in [
            (["utxos", ""], "", "the argument is empty"),
            (["utxos", good, wif], "", "argument 2 is a private key"),
            (["utxos", "--file", file], "", "list, line 3, is a private key"),
            (["utxos", "-"], "\n\(good)x", "standard input, line 2, (\(good)x) is no address"),
            (["utxos", "--file", none], "", "none: holds no address"),
            (["utxos", "-"], "", "standard input: holds no address"),
            (["utxos"] + words.split(separator: " ").map(String.init), "", "as seed phrases are"),
            (["utxos", "-", "-"], good, "once only"),
        ] as [([String], String, String)] {
            let outcome = try run(client, arguments, input: input)
            #expect(outcome.status == 64 && outcome.output.isEmpty, "\(outcome.said)")
            #expect(outcome.errors.contains(said), "\(outcome.said)")
            #expect(
                !outcome.errors.contains("L1aW") && !outcome.errors.contains("abandon"), "\(outcome.said)")
        }
        let missing = try run(client, ["utxos", "--file", client.scratch.path("missing")])
        #expect(missing.status == 1 && missing.errors.contains("missing"), "\(missing.said)")
    }
}
