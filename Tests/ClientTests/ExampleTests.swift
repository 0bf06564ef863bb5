import Concord
import Foundation
import TestSupport
import Testing

/// The example of the library, as its README sends people to it.
@Suite(.waits) struct ExampleTests {
    @Test func itFindsCoins() throws {
        let client = try Client(trusting: try Site.all())
        let coins = try CoinTests.atTip.get()
        let (script, expected) = try #require(
            coins.first { script, coins in
                coins.count > 1 && Address.text(for: script, on: .regtest) != nil
            })
        let address = try #require(Address.text(for: script, on: .regtest))
        let outcome = try Program.built("client-example").run([client.home.root, address])
        #expect(outcome.isSuccess, "\(outcome.said)")
        #expect(outcome.output.contains("agreed at height \(PublishedTree.tip)"), "\(outcome.said)")
        #expect(outcome.output.contains("\(address): \(expected.count) coins"), "\(outcome.said)")
    }

    @Test func itSaysWhoDoesNotAgree() throws {
        let sites = try Site.all()
        for site in sites.dropFirst() { site.server.stop() }
        let client = try Client(trusting: sites)
        let outcome = try Program.built("client-example").run([client.home.root, "x"])
        #expect(outcome.status == 3 && outcome.output.contains("unreachable"), "\(outcome.said)")
    }

    @Test func itIsShort() throws {
        let path = "\(ChainFixture.repository)/Tests/Example/main.swift"
        #expect(try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").count < 60)
    }
}
