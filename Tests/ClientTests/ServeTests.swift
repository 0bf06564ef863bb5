import Concord
import Foundation
import TestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// `concord serve`, as programs that exist ask it.
@Suite(.waits) struct ServeTests {
    let client: Client

    init() throws {
        client = try Client()
        for published in try PublishedTree.atTip.get() {
            try client.trust(published.name, published.publicKey, "file://\(published.tree.root)")
        }
        try client.fetch()
    }

    /// A server under way.
    private final class Server {
        let program: RunningProgram
        let base: String
        private let client: Client

        init(_ client: Client, _ words: String...) throws {
            self.client = client
            program = try Client.program().start(
                ["serve", "--port", "0"] + words, environment: ["CONCORD_HOME": client.home.root])
            let deadline = Date().addingTimeInterval(30)
            while true {
                let said = String(decoding: try program.printed(), as: UTF8.self)
                if let match = said.firstMatch(of: /Esplora +(http:\/\/127\.0\.0\.1:\d+)\n(?s:.)*\n/) {
                    base = String(match.1)
                    break
                }
                guard program.isRunning(), Date() < deadline else {
                    throw TestError("it does not serve: \(try program.wait().said)")
                }
                usleep(5000)
            }
        }

        var said: String { get throws { String(decoding: try program.printed(), as: UTF8.self) } }

        func get(_ path: String, _ options: [String] = []) throws -> String {
            String(
                decoding: try Program.installed("curl").print(
                    ["-sS", "--max-time", "30"] + options + [base + path]),
                as: UTF8.self)
        }

        /// The object that a call gives, with the cookie.
        func call(_ method: String, _ parameters: [Any] = []) throws -> [String: Any] {
            let body = try JSONSerialization.data(
                withJSONObject: ["method": method, "params": parameters, "id": 1] as [String: Any])
            let said = try Program.installed("curl").print(
                [
                    "-sS", "--max-time", "30", "-u", try client.home.text(".cookie"), "--data-binary", "@-",
                    base,
                ],
                input: [UInt8](body))
            return try JSONSerialization.jsonObject(with: Data(said)) as? [String: Any] ?? [:]
        }

        func end(_ signal: Int32 = SIGTERM) throws -> Program.Outcome {
            program.send(signal)
            return try program.wait()
        }
    }

    @Test func itSaysWhatItServes() throws {
        let server = try Server(client)
        let cookie = client.home.path(".cookie")
        #expect(
            try server.said == """
                serving the set of regtest at height 330, block \
                \(try #require(ChainFixture.regtestRich.answers().last).block), agreed by alpha, bravo, charlie
                Esplora   \(server.base)
                JSON-RPC  bitcoin-cli -rpcport=\(server.base.split(separator: ":")[2]) -rpccookiefile=\(cookie)

                """)
        var status = stat()
        #expect(stat(cookie, &status) == 0 && status.st_mode & 0o7777 == 0o600)
        let outcome = try server.end()
        #expect(outcome.status == 0 && outcome.errors.isEmpty)
        #expect(!FileManager.default.fileExists(atPath: cookie))
    }

    @Test func itEndsOnInterrupt() throws { #expect(try Server(client).end(SIGINT).status == 0) }

    /// Of each height the block, and of each kind of script the coins.
    @Test func esplora() throws {
        struct Coin: Decodable {
            struct Status: Decodable {
                let confirmed: Bool
                let blockHeight: Int
                let blockHash: String
            }
            let txid: String
            let vout, value: Int
            let status: Status
        }
        let server = try Server(client)
        let answers = try ChainFixture.regtestRich.answers()
        #expect(try server.get("/blocks/tip/height") == "330")
        for height in [0, 1, 150, 330] {
            #expect(try server.get("/block-height/\(height)") == answers[height].block)
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let all = try CoinTests.atTip.get()
        for script in try CoinTests.sorted.get().filter({ all[$0]?.count ?? 0 < 50 }).enumerated().filter({
            $0.offset % 40 == 0
        }).map(\.element) {
            var paths = ["/scripthash/\(SHA256.hash(script).hex)/utxo"]
            if let address = Address.text(for: script, on: .regtest) {
                paths.append("/address/\(address)/utxo")
            }
            for path in paths {
                let coins = try decoder.decode([Coin].self, from: Data(try server.get(path).utf8))
                #expect(
                    Set(coins.map { "\($0.txid):\($0.vout) \($0.value) \($0.status.blockHeight)" })
                        == Set((all[script] ?? []).map { "\($0.txid):\($0.index) \($0.amount) \($0.height)" })
                )
                #expect(
                    coins.allSatisfy {
                        $0.status.confirmed && $0.status.blockHash == answers[$0.status.blockHeight].block
                    })
            }
        }
        #expect(try server.get("/tx/00", ["-o", "/dev/null", "-w", "%{http_code}"]) == "501")
    }

    /// What was recorded of a node of the same chain.
    @Test func coreSaysTheSame() throws {
        let scratch = try Scratch()
        try ChainFixture.regtestRich.unpackRecording(into: scratch.folder)
        func recorded(_ path: String) throws -> [String: Any] {
            try JSONSerialization.jsonObject(with: Data(try scratch.read(path))) as? [String: Any] ?? [:]
        }
        let server = try Server(client)
        let answers = try ChainFixture.regtestRich.answers()
        let best = Set(answers.map(\.block))
        var compared = 0
        for path in PlainTree(scratch.folder).files() {
            let words = path.dropFirst(4).dropLast(5).split(separator: "-").map(String.init)
            guard ["getblockhash", "getblockheader", "getblockchaininfo"].contains(words[0]) else { continue }
            let parameters: [Any] = words.dropFirst().map { word in Int(word).map { $0 as Any } ?? word }
            var expected = try recorded(path)
            if words[0] == "getblockheader", !best.contains(words[1]) { continue }
            let said = try server.call(words[0], parameters)
            compared += 1
            if var result = expected["result"] as? [String: Any] {
                // What headers do not say.
                for name in ["nTx", "verificationprogress", "size_on_disk", "pruned", "warnings"] {
                    result[name] = nil
                }
                expected["result"] = result
            }
            var own = said
            if var result = own["result"] as? [String: Any] {
                for name in ["size_on_disk", "pruned", "pruneheight", "automatic_pruning", "warnings"] {
                    result[name] = nil
                }
                own["result"] = result
            }
            #expect(NSDictionary(dictionary: own) == NSDictionary(dictionary: expected), "\(path): \(own)")
        }
        #expect(compared > 20)
        let info = try server.call("gettxoutsetinfo", ["muhash"])["result"] as? [String: Any]
        let last = try #require(answers.last)
        #expect(info?["muhash"] as? String == last.muhash && info?["txouts"] as? Int == Int(last.coins))
        // The very bytes of a header, numbers and order too.
        let hash = answers[330].block
        let raw = try Program.installed("curl").print(
            ["-sS", "-u", try client.home.text(".cookie"), "--data-binary", "@-", server.base],
            input: Array("{\"method\":\"getblockheader\",\"params\":[\"\(hash)\"],\"id\":1}".utf8))
        if let file = PlainTree(scratch.folder).files().first(where: { $0.contains("getblockheader-\(hash)") }
        ) {
            let core = String(decoding: try scratch.read(file), as: UTF8.self).replacing(
                /"nTx":\d+,?/, with: "")
            #expect(
                String(decoding: raw, as: UTF8.self).trimmingCharacters(in: .newlines)
                    == core.trimmingCharacters(in: .newlines))
        }
    }

    @Test func whatIsWrongIsSaidAtOnce() throws {
        let server = try Server(client)
        let port = try #require(server.base.split(separator: ":").last.map(String.init))
        let second = try client.run("serve", "--port", port)
        #expect(second.status == 1 && second.errors.contains("--port chooses another"), "\(second.said)")
        // The first one's cookie is still there.
        #expect(try server.call("getblockcount")["result"] as? Int == 330)
        #expect(try client.run("serve", "--port", "65536").status == 64)
        #expect(try client.run("serve", "--network", "main").errors.contains("nothing was fetched yet"))
        let empty = try Client()
        let outcome = try empty.run("serve", "--port", "0")
        #expect(outcome.status == 1 && outcome.errors.contains("`concord fetch`"), "\(outcome.said)")
    }
}
