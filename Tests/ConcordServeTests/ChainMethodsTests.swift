import Concord
import ConcordClient
import TestSupport
import Testing

@testable import ConcordServe

/// What is said of blocks. That it is what Bitcoin Core says of the same headers, `ServeTests` shows.
@Suite struct ChainMethodsTests {
    let scenario: ServedScenario
    let chain = MadeTree.chain

    init() throws { scenario = try ServedScenario() }

    @Test func theInstalledBlock() throws {
        #expect(try scenario.result("getblockcount") == .number(65))
        #expect(try scenario.result("getbestblockhash") == .string(chain.newest.hash.reversedHex))
        for height in 0...65 {
            #expect(
                try scenario.result("getblockhash", "[\(height)]")
                    == .string(chain.blockID(at: height).hash.reversedHex))
        }
    }

    @Test func headers() throws {
        for height in [0, 1, 30, 64, 65] {
            let hash = chain.blockID(at: height).hash.reversedHex
            #expect(
                try scenario.result("getblockheader", "[\"\(hash)\",false]")
                    == .string(chain.header(at: height).hex))
            let header = try scenario.result("getblockheader", "[\"\(hash)\"]")
            #expect(header["height"] == .number(height) && header["confirmations"] == .number(66 - height))
            let (before, next) = (
                height > 0 ? JSONValue.string(chain.blockID(at: height - 1).hash.reversedHex) : .null,
                height < 65 ? JSONValue.string(chain.blockID(at: height + 1).hash.reversedHex) : .null
            )
            #expect(header["previousblockhash"] == before && header["nextblockhash"] == next)
            #expect(header["nTx"] == .null)
        }
    }

    @Test func chainInfo() throws {
        let info = try scenario.result("getblockchaininfo")
        #expect(info["chain"] == .string("regtest") && info["blocks"] == .number(65))
        #expect(info["headers"] == .number(65) && info["pruneheight"] == .number(66))
        // Its blocks are of the year 2011, in Bitcoin's time.
        #expect(info["initialblockdownload"] == .bool(true) && info["verificationprogress"] == .null)
        guard case .array(let warnings)? = info["warnings"], warnings.count == 1,
            case .string(let words) = warnings[0]
        else { throw TestError(info.text) }
        let time = Int64(TestHeaders.time(chain.header(at: 65)))
        #expect(
            words == """
                This is no node: it answers from the set after block 65, of \(Timestamp.text(time)), \
                \((ServedScenario.now - time) / 3600) hours ago, agreed by alice, bob, carol; `concord fetch` brings a newer one
                """)
    }

    /// Headers of blocks above the installed one are known, and nothing is said of them.
    @Test func aboveTheInstalledBlock() throws {
        let scenario = try ServedScenario(try MadeTree.all().map { $0.cut(to: 50) })
        try scenario.publish(try MadeTree.all())
        #expect(try scenario.check().agreed?.height == 65)
        #expect(try scenario.result("getblockcount") == .number(50))
        #expect(try scenario.result("getblockchaininfo")["headers"] == .number(65))
        #expect(try scenario.call("getblockhash", "[51]").status == 500)
        let hash = chain.blockID(at: 51).hash.reversedHex
        #expect(try scenario.call("getblockheader", "[\"\(hash)\"]").text.contains("Block not found"))
        #expect(try scenario.get("/block-height/51").status == 404)
        #expect(try scenario.get("/block/\(hash)/header").status == 404)
        let last = try scenario.result("getblockheader", "[\"\(chain.blockID(at: 50).hash.reversedHex)\"]")
        #expect(last["nextblockhash"] == .null && last["confirmations"] == .number(1))
    }
}
