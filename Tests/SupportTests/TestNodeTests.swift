import Concord
import Foundation
import TestSupport
import Testing

@Suite("The test node answers as Bitcoin Core does", .waits)
struct TestNodeTests {
    /// A recorded answer, without what the test node leaves out.
    private func recorded(_ path: String) throws -> String {
        try String(contentsOfFile: path, encoding: .utf8).replacing(
            #/"(asm|desc|address)":"[^"]*",/#, with: "")
    }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    /// The request that a recording's file is named after, sent to `node`.
    private func answer(_ node: TestNode, to name: String) throws -> [UInt8] {
        if name.hasPrefix("rest-") {
            let words = name.replacingOccurrences(of: "bin_", with: "bin?").split(separator: "-")
            return try node.get("/\(words.joined(separator: "/"))")
        }
        let words = name.dropLast(".json".count).split(separator: "-")
        let parameters = words.dropFirst().map { $0.count == 64 ? "\"\($0)\"" : "\($0)" }.joined(
            separator: ",")
        return try node.post("{\"method\":\"\(words[0])\",\"params\":[\(parameters)],\"id\":1}")
    }

    private func recordings(_ folder: String) throws -> [String] {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        try #require(names.count > 50)
        return names
    }

    @Test(
        "On the same blocks, body by body",
        .enabled(if: ChainFixture.mainnet4312.isThere, "mainnet-4312 is read from ../shared/fixtures"))
    func sameBlocks() throws {
        let scratch = try Scratch()
        try ChainFixture.mainnet4312.unpack(into: scratch.folder)
        try ChainFixture.mainnet4312.unpackRecording(into: scratch.folder)
        let node = try TestNode(chain: "main", importing: scratch.path("blocks"))
        for name in try recordings(scratch.path("rpc")) {
            let answer = try answer(node, to: name)
            if name.hasSuffix(".json") {
                // The engine does not tell these two.
                let unknown = #/"(verificationprogress|size_on_disk)":[^,]*,/#
                let expected = try recorded(scratch.path("rpc/\(name)")).replacing(unknown, with: "")
                #expect(text(answer).replacing(unknown, with: "") == expected, "\(name)")
            } else {
                #expect(try answer == scratch.read("rpc/\(name)"), "\(name)")
            }
        }
    }

    @Test("From a recording: each body as it was, under the id of the request")
    func recording() throws {
        let scratch = try Scratch()
        try ChainFixture.regtestRich.unpackRecording(into: scratch.folder)
        let node = try TestNode(recording: scratch.path("rpc"))
        for name in try recordings(scratch.path("rpc")) {
            #expect(try answer(node, to: name) == scratch.read("rpc/\(name)"), "\(name)")
        }
        let block = try #require(try ChainFixture.regtestRich.answers().dropFirst(50).first).block
        #expect(
            try text(node.post(#"[{"jsonrpc":"2.0","method":"getblockhash","params":[50],"id":"a"}]"#))
                == "[{\"jsonrpc\":\"2.0\",\"result\":\"\(block)\",\"id\":\"a\"}]\n")
        #expect(
            try text(node.post(#"{"method":"getblockhash","params":[51],"id":7}"#))
                == "{\"result\":null,\"error\":{\"code\":-5,\"message\":\"Block not found\"},\"id\":7}\n")
    }

    private struct ChainTip: Decodable, Equatable {
        let height: Int
        let hash: String
        let branchlen: Int
        let status: String
    }

    @Test("A longer branch becomes the best chain, a shorter one does not")
    func reorganisation() throws {
        let node = try TestNode(mining: 130)
        let stale: String = try node.result("getbestblockhash")
        let branch = try node.reorganise(depth: 3)
        let fork: String = try node.result("getblockhash", 127)
        let short = try node.mine(2, on: fork)

        #expect(branch.count == 4)
        #expect(try (128...131).map { try node.result("getblockhash", $0) } == branch)
        #expect(
            try node.result("getchaintips") == [
                ChainTip(height: 131, hash: branch[3], branchlen: 0, status: "active"),
                ChainTip(height: 130, hash: stale, branchlen: 3, status: "valid-fork"),
                ChainTip(height: 129, hash: short[1], branchlen: 2, status: "valid-headers"),
            ])
        struct Header: Decodable {
            let confirmations: Int
        }
        #expect(try node.result("getblockheader", stale, as: Header.self).confirmations == -1)

        // The files beside it hold both branches, with what their blocks spent.
        let files = try CoreFiles("\(node.folder)/blocks", magic: hex("fabfb5da"))
        for (height, hash) in zip(128...131, branch) {
            let block = try files.block(at: height, below: branch[3])
            #expect(block.hash == hash)
            #expect(block.undo.map { $0.count > 20 } == true)
        }
        #expect(try files.block(at: 130, below: stale).undo != nil)
    }

    @Test("Who waits for a block hears of it at once")
    func waiting() throws {
        let node = try TestNode(mining: 1)
        let cookie = try String(contentsOfFile: node.cookieFile, encoding: .utf8)
        let request = #"{"method":"waitforblockheight","params":[2],"id":1}"#
        let waiting = try Program.installed("curl").start(["-sS", "-u", cookie, "-d", request, node.base])
        while try node.requests()["waitforblockheight"] == nil, waiting.isRunning() { usleep(10_000) }
        let hash = try node.mine(1)[0]
        #expect(
            try waiting.wait().output
                == "{\"result\":{\"hash\":\"\(hash)\",\"height\":2},\"error\":null,\"id\":1}\n")
    }

    @Test("Its chain outlives it, on the same port", arguments: [true, false])
    func restart(isClean: Bool) throws {
        let node = try TestNode(mining: 3)
        let tip = try node.mine(2)[1]
        if isClean { try node.stop() } else { try node.kill() }
        #expect(throws: TestError.self) { try node.get("/rest/chaininfo.json") }
        try node.start()
        #expect(try node.result("getbestblockhash") == tip)
        #expect(try node.mine(1).count == 1)
    }

    private static let statusAndBody = ["-w", "%{http_code}"]

    @Test("Errors and their statuses are those of Core's HTTP server")
    func errors() throws {
        let node = try TestNode()
        func post(_ request: String, as credentials: String? = nil) throws -> String {
            try text(node.post(request, credentials: credentials, options: Self.statusAndBody))
        }
        #expect(
            try post(#"{"method":"getblockhash","params":[1],"id":"x"}"#)
                == "{\"result\":null,\"error\":{\"code\":-8,\"message\":\"Block height out of range\"},\"id\":\"x\"}\n500"
        )
        #expect(
            try post(#"{"jsonrpc":"2.0","method":"getblockhash","params":[1],"id":1}"#)
                == "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-8,\"message\":\"Block height out of range\"},\"id\":1}\n200"
        )
        #expect(
            try post(#"{"method":"stop","id":1}"#)
                == "{\"result\":null,\"error\":{\"code\":-32601,\"message\":\"Method not found\"},\"id\":1}\n404"
        )
        #expect(
            try post(#"{"method":"getblock","#)
                == "{\"result\":null,\"error\":{\"code\":-32700,\"message\":\"Parse error\"},\"id\":null}\n500"
        )
        #expect(
            try post(#"{"method":"gettxoutsetinfo","params":["muhash",0],"id":1}"#).contains(
                "{\"code\":-8,\"message\":\"Querying specific block heights requires coinstatsindex\"}"))
        #expect(try post("{}", as: "__cookie__:00") == "401")
        #expect(try post("{}", as: "") == "401")
        #expect(
            try text(node.post("{}", credentials: "", options: ["-D", "-", "-o", "/dev/null"])).contains(
                "WWW-Authenticate: Basic realm=\"jsonrpc\"\r\n"))
        let unknown = String(repeating: "a", count: 64)
        #expect(
            try text(node.get("/rest/block/\(unknown).bin", options: Self.statusAndBody))
                == "\(unknown) not found\r\n404")
        try node.set(.rest(false))
        #expect(try text(node.get("/rest/chaininfo.json", options: Self.statusAndBody)) == "404")
    }

    @Test("The table of gettxoutsetinfo, also where it is told to lie")
    func coinStatistics() throws {
        let scratch = try Scratch()
        let node = try TestNode(mining: 2)
        struct Statistics: Decodable {
            let bestblock, muhash: String
            let txouts: Int
        }
        let rows = try (0...2).map { height in
            let muhash = String(repeating: "\(height)f", count: 32)
            return
                "\(height)\t\(try node.result("getblockhash", height) as String)\t\(height)\t\(height)50\t\(muhash)\n"
        }
        try node.set(.coinStats(file: scratch.write(rows.joined(), to: "expected.tsv")))
        let honest: Statistics = try node.result("gettxoutsetinfo", "muhash", 2)
        #expect(honest.txouts == 2 && honest.muhash == String(repeating: "2f", count: 32))
        #expect(
            try text(node.post(#"{"method":"gettxoutsetinfo","params":["muhash",2],"id":1}"#)).contains(
                "\"total_amount\":0.00000250,"))
        try node.set(.lie(height: 2))
        let lie: Statistics = try node.result("gettxoutsetinfo", "muhash", 2)
        #expect(lie.bestblock == honest.bestblock && lie.muhash != honest.muhash)
    }

    @Test("A fault meets as many requests of its method as it was made for")
    func faults() throws {
        let node = try TestNode(mining: 2)
        let tip: String = try node.result("getbestblockhash")
        let request = "{\"method\":\"getblockheader\",\"params\":[\"\(tip)\",false],\"id\":1}"
        let right = try text(node.post(request))
        func answer(_ fault: TestNode.Fault) throws -> String {
            try node.fail(fault, method: "getblockheader", count: 1)
            let _: Int = try node.result("getblockcount")
            let answer = try text(node.post(request, options: Self.statusAndBody))
            #expect(try text(node.post(request)) == right, "\(fault)")
            return answer
        }
        #expect(try answer(.status(403)) == "403")
        #expect(try answer(.status(503)) == "Work queue depth exceeded503")
        #expect(try answer(.warmup).contains("{\"code\":-28,\"message\":\"Loading block index…\"}"))
        #expect(try answer(.error(code: -1, message: "x")).contains("{\"code\":-1,\"message\":\"x\"}"))
        #expect(try answer(.html).hasSuffix("</html>\n200"))
        #expect(try answer(.truncated) == right.prefix(right.count / 2) + "200")
        #expect(try answer(.wrongID).contains("\"id\":\"of another request\"}"))
        #expect(try answer(.delay(seconds: 0.01)) == right + "200")
        let other = try answer(.otherBlock)
        #expect(other.count == right.count + 3 && !other.hasPrefix(right))
        for fault in [TestNode.Fault.close, .cut] {
            #expect(throws: TestError.self) { try answer(fault) }
            #expect(try text(node.post(request)) == right)
        }
        try node.fail(.endless(seconds: 0.001), method: "rest/block")
        for _ in 1...2 {
            #expect(throws: TestError.self) {
                try node.get("/rest/block/\(tip).bin", options: ["--max-time", "0.3"])
            }
        }
        try node.clearFaults()
        #expect(try node.get("/rest/block/\(tip).bin").count > 80)
    }
}
