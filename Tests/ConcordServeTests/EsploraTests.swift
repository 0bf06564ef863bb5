import Concord
import ConcordClient
import TestSupport
import Testing

@testable import ConcordServe

/// What Esplora's API.md says that its paths give.
@Suite struct EsploraTests {
    let scenario: ServedScenario
    let chain = MadeTree.chain

    init() throws { scenario = try ServedScenario() }

    private func address(_ height: Int, _ place: Int = 0) throws -> String {
        try #require(Address.text(for: chain.scripts(at: height)[place], on: .regtest))
    }

    @Test func theTipIsTheInstalledBlock() throws {
        let height = try scenario.get("/blocks/tip/height")
        #expect(height.status == 200 && height.text == "65")
        #expect(height.headers["Content-Type"] == "text/plain")
        #expect(try scenario.get("/blocks/tip/hash").text == chain.newest.hash.reversedHex)
        #expect(try scenario.get("/blocks/tip/hash?x=y").text == chain.newest.hash.reversedHex)
    }

    @Test func blocksByHeightAndHash() throws {
        let service = try scenario.service()
        for height in 0...65 {
            let hash = chain.blockID(at: height).hash.reversedHex
            #expect(service.get("/block-height/\(height)").text == hash)
            #expect(service.get("/block/\(hash)/header").text == chain.header(at: height).hex)
        }
        let upper = chain.newest.hash.reversedHex.uppercased()
        #expect(service.get("/block/\(upper)/header").text == chain.header(at: 65).hex)
    }

    /// In electrs' words.
    @Test(
        arguments: [
            ("/block-height/66", 404, "Block not found"), ("/block-height/-1", 400, "Invalid number"),
            ("/block-height/9223372036854775807", 404, "Block not found"),
            ("/block-height/9223372036854775808", 400, "Invalid number"),
            ("/block-height/1e3", 400, "Invalid number"), ("/block-height/", 400, "Invalid number"),
            ("/block/\(String(repeating: "0", count: 64))/header", 404, "Block not found"),
            ("/block/00/header", 400, "Invalid hash string"), ("/block//header", 400, "Invalid hash string"),
            ("/block/\(String(repeating: "g", count: 64))/header", 400, "Invalid hash string"),
            ("/scripthash/00/utxo", 400, "Invalid scripthash"),
            ("/address/bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4/utxo", 400, "Address on invalid network"),
            ("/address/x/utxo", 400, "Invalid address"), ("/address//utxo", 400, "Invalid address"),
            ("/address/%/utxo", 400, "Invalid address"), ("/address/%00%2e%2e/utxo", 400, "Invalid address"),
            ("/nothing", 404, "endpoint does not exist"), ("//", 404, "endpoint does not exist"),
            ("/../blocks/tip/height", 404, "endpoint does not exist"),
            ("/block-height/1/2", 404, "endpoint does not exist"), ("*", 404, "endpoint does not exist"),
        ])
    func whatIsRefused(path: String, status: Int, words: String) throws {
        let answer = try scenario.get(path)
        #expect(answer.status == status && answer.text.hasPrefix(words), "\(answer.status) \(answer.text)")
        #expect(answer.headers["Content-Type"] == "text/plain")
    }

    /// Status 404 would say that there is none.
    @Test(
        arguments: [
            "/tx/X", "/tx/X/status", "/tx/X/hex", "/tx/X/outspend/0", "/broadcast?tx=00", "/address/A",
            "/address/A/txs", "/address/A/txs/chain", "/address/A/txs/mempool", "/scripthash/X",
            "/scripthash/X/txs", "/address-prefix/b", "/block/X", "/block/X/status", "/block/X/txids",
            "/block/X/raw", "/blocks", "/blocks/1", "/mempool", "/mempool/recent", "/fee-estimates",
        ])
    func whatCannotBeKnown(path: String) throws {
        let answer = try scenario.get(path)
        #expect(answer.status == 501 && answer.text.count > 20, "\(answer.text)")
    }

    @Test(arguments: [
        ("POST", "/tx", 501), ("POST", "/txs/package", 501), ("POST", "/blocks/tip/height", 405),
        ("HEAD", "/blocks/tip/height", 405), ("PUT", "/tx", 405), ("OPTIONS", "/tx", 405),
    ])
    func otherMethods(method: String, path: String, status: Int) throws {
        let answer = try scenario.service().answer(WebRequest(method, path, host: "localhost"))
        #expect(answer.status == status)
    }

    // MARK: coins

    /// In electrs' order of fields.
    @Test func theCoinsOfAnAddress() throws {
        let answer = try scenario.get("/address/\(try address(7))/utxo")
        let set = try scenario.served().read { $0.installed }
        let coin = try #require(CoinLookup(set).coins(of: [chain.scripts(at: 7)[0]])[0].first)
        let time = TestHeaders.time(chain.header(at: 7))
        #expect(
            answer.text == """
                [{"txid":"\(coin.outpoint.txid.reversedHex)","vout":0,"status":{"confirmed":true,"block_height":7,\
                "block_hash":"\(chain.blockID(at: 7).hash.reversedHex)","block_time":\(time)},"value":1000}]
                """)
        #expect(answer.status == 200 && answer.headers["Content-Type"] == "application/json")
    }

    @Test func spentAndUnknown() throws {
        // The second coin of each block is spent three blocks later.
        #expect(try scenario.get("/address/\(try address(7, 1))/utxo").text == "[]")
        #expect(try scenario.get("/address/\(try address(65, 1))/utxo").text != "[]")
        let unknown = try #require(
            Address.text(for: [0, 20] + [UInt8](repeating: 7, count: 20), on: .regtest))
        #expect(try scenario.get("/address/\(unknown)/utxo").text == "[]")
    }

    /// Of every coin; the digest tells the shard as the script does.
    @Test func scriptHashesAnswerAsAddressesDo() throws {
        let service = try scenario.service()
        for height in 1...65 {
            for (place, script) in chain.scripts(at: height).enumerated() {
                let byHash = service.get("/scripthash/\(SHA256.hash(script).hex)/utxo")
                #expect(byHash == service.get("/address/\(try address(height, place))/utxo"))
                #expect((byHash.text == "[]") == (place == 1 && height <= 62))
                let parameters = MadeTree.parameters
                #expect(
                    parameters.shard(ofScriptHash: SHA256.hash(script))
                        == script.withBytes(parameters.shard(of:)))
            }
        }
        let reversed = SHA256.hash(chain.scripts(at: 65)[0]).reversedHex
        #expect(service.get("/scripthash/\(reversed)/utxo").text == "[]")
    }

    /// Nobody reads "none" of a shard that is not here.
    @Test func shardsThatAreNotHere() throws {
        let scenario = try ServedScenario(MadeTree.all(), shards: .some([2]))
        let service = try scenario.service()
        var answered = 0
        for script in chain.scripts(at: 65) {
            let shard = script.withBytes(MadeTree.parameters.shard(of:))
            let address = try #require(Address.text(for: script, on: .regtest))
            for path in ["/address/\(address)/utxo", "/scripthash/\(SHA256.hash(script).hex)/utxo"] {
                let answer = service.get(path)
                #expect(answer.status == (shard == 2 ? 200 : 503), "\(answer.text)")
                #expect(shard == 2 || answer.text == "shardsMissing([\(shard)])")
                answered += answer.status == 200 ? 1 : 0
            }
        }
        #expect(answered > 0 && answered < 12)
        #expect(service.get("/blocks/tip/height").text == "65")
    }
}
