import Concord
import ConcordClient
import ConcordFiles
import Foundation
import TestSupport
import Testing

@testable import ConcordServe

/// A home changes under who serves it.
@Suite struct ServedHomeTests {
    private static func early() throws -> [MadeTree] { try MadeTree.all().map { $0.cut(to: 50) } }

    @Test func whatIsFetchedLaterIsServed() throws {
        let scenario = try ServedScenario(try Self.early())
        let service = try scenario.service()
        #expect(service.get("/blocks/tip/height").text == "50")
        try scenario.fetch(try MadeTree.all())
        #expect(service.get("/blocks/tip/height").text == "65")
        let address = try #require(Address.text(for: MadeTree.chain.scripts(at: 65)[0], on: .regtest))
        #expect(service.get("/address/\(address)/utxo").text.contains("\"block_height\":65"))
    }

    /// It is opened again only then.
    @Test func theSameStateWhileNothingChanges() throws {
        let scenario = try ServedScenario(try Self.early())
        let served = try scenario.served()
        let first = try served.read { $0 }
        #expect(try served.read { $0 } === first)
        try scenario.fetch(try MadeTree.all())
        #expect(try served.read { $0 } !== first)
    }

    /// An answer that was begun from files that have gone is given from the new ones, and a damage of these is told.
    @Test func filesThatGoMeanwhile() throws {
        let scenario = try ServedScenario(try Self.early())
        let served = try scenario.served()
        let script = MadeTree.chain.scripts(at: 30)[0]
        var heights: [Int] = []
        let coins = try served.read { state in
            heights.append(state.tip.height)
            if heights.count == 1 { try scenario.fetch(try MadeTree.all()) }
            return try state.coins(of: [script])[0]
        }
        #expect(heights == [50, 65] && coins.map(\.height) == [30])

        let set = PlainTree("\(scenario.home)/sets/regtest")
        for path in set.files(under: "snapshots") where path.hasSuffix(".zst") {
            try FileManager.default.removeItem(atPath: set.path(path))
        }
        var tries = 0
        #expect(throws: SetDamage.self) {
            try served.read {
                tries += 1
                _ = try $0.coins(of: [script])
            }
        }
        #expect(tries == 1)
        let address = try #require(Address.text(for: script, on: .regtest))
        #expect(try scenario.get("/address/\(address)/utxo").status == 503)
    }

    @Test func nothingIsWritten() throws {
        let scenario = try ServedScenario()
        let before = try PlainTree(scenario.home).look()
        let service = try scenario.service()
        let login = try scenario.login
        _ = service.get("/blocks/tip/height")
        _ = service.post(#"{"method":"scantxoutset","params":["start",["raw(51)"]]}"#, login)
        #expect(try PlainTree(scenario.home).look() == before)
    }

    /// Then the installed block is all that is known of the chain.
    @Test func withoutHeaders() throws {
        let scenario = try ServedScenario()
        try FileManager.default.removeItem(atPath: "\(scenario.home)/headers/regtest.bin")
        let service = try scenario.service()
        #expect(service.get("/blocks/tip/height").text == "65")
        #expect(service.get("/block-height/65").text == MadeTree.chain.newest.hash.reversedHex)
        #expect(service.get("/block-height/64").status == 503)
        #expect(service.get("/block-height/66").status == 404)
        #expect(service.get("/block/\(MadeTree.chain.newest.hash.reversedHex)/header").status == 503)
        let address = try #require(Address.text(for: MadeTree.chain.scripts(at: 7)[0], on: .regtest))
        #expect(
            service.get("/address/\(address)/utxo").text.contains(
                #""status":{"confirmed":true,"block_height":7},"#))
        #expect(try scenario.call("getblockchaininfo").text.contains("noHeaders"))
    }

    /// Headers of another branch say nothing of the installed block's.
    @Test func headersOfAnotherBranch() throws {
        let scenario = try ServedScenario()
        let other = MadeTree.chain.forked(at: 60, tip: 70, salt: 9)
        try Data(other.headers).write(to: URL(fileURLWithPath: "\(scenario.home)/headers/regtest.bin"))
        let service = try scenario.service()
        #expect(service.get("/blocks/tip/hash").text == MadeTree.chain.newest.hash.reversedHex)
        #expect(service.get("/block-height/10").status == 503)
    }

    @Test func nothingInstalled() throws {
        let scratch = try Scratch()
        #expect(throws: ClientError.self) { try ServedHome(scratch.path("home")) }
        let scenario = try ServedScenario()
        #expect(throws: ClientError.self) { try ServedHome(scenario.home, network: .main) }
        let service = try scenario.service()
        try FileManager.default.removeItem(atPath: "\(scenario.home)/sets/regtest/agreed.json")
        #expect(service.get("/blocks/tip/height").status == 503)
    }

    /// What was seen against the set while it is served.
    @Test func aContradiction() throws {
        var trees = try MadeTree.all()
        let scenario = try ServedScenario()
        let service = try scenario.service()
        #expect(service.get("/blocks/tip/height").status == 200)
        try trees[0].change { $0.coins += 1 }
        try scenario.publish(trees)
        #expect(try scenario.check().obstacle != nil)

        let login = try scenario.login
        for path in ["/blocks/tip/height", "/block-height/1"] {
            let answer = service.get(path)
            #expect(answer.status == 503 && answer.text.contains("contradicted"))
        }
        for method in ["getblockcount", "gettxoutsetinfo", "getblockchaininfo"] {
            let answer = service.post(#"{"method":"\#(method)","params":[]}"#, login)
            #expect(answer.status == 500 && answer.text.contains("contradicted"), "\(answer.text)")
        }
        #expect(throws: ServeError.self) { try scenario.served() }
        let despite = try scenario.service(despiteContradiction: true)
        #expect(despite.get("/blocks/tip/height").text == "65")
        let info = despite.post(#"{"method":"getblockchaininfo"}"#, login).text
        #expect(info.contains("Authorities of the list contradict each other about block 65"))
    }
}
