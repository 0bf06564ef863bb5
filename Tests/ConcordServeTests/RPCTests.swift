import TestSupport
import Testing

@testable import ConcordServe

/// JSON-RPC as Bitcoin Core speaks it: the shapes of both versions, its codes, its HTTP statuses.
@Suite struct RPCTests {
    let scenario: ServedScenario

    init() throws { scenario = try ServedScenario() }

    private func expect(
        _ body: String, _ status: Int, _ text: String, _ location: SourceLocation = #_sourceLocation
    ) throws {
        let answer = try scenario.post(body)
        #expect(answer.status == status, sourceLocation: location)
        #expect(answer.text == text + (text.isEmpty ? "" : "\n"), sourceLocation: location)
    }

    @Test func version1() throws {
        let count = #"{"result":65,"error":null,"id":1}"#
        try expect(#"{"method":"getblockcount","params":[],"id":1}"#, 200, count)
        try expect(#"{"jsonrpc":"1.0","method":"getblockcount","id":1}"#, 200, count)
        try expect(#"{"jsonrpc":null,"method":"getblockcount","params":null,"id":1}"#, 200, count)
        try expect(#"{"method":"getblockcount"}"#, 200, #"{"result":65,"error":null}"#)
        try expect(
            #"{"method":"getblockcount","id":"a\"é\u0001"}"#, 200,
            #"{"result":65,"error":null,"id":"a\"é\u0001"}"#)
        try expect(
            #"{"method":"x","id":null}"#, 404,
            #"{"result":null,"error":{"code":-32601,"message":"Method not found"},"id":null}"#)
        try expect(
            #"{"method":"getblockhash","params":[66],"id":2.5}"#, 500,
            #"{"result":null,"error":{"code":-8,"message":"Block height out of range"},"id":2.5}"#)
    }

    /// HTTP says success whatever the call ends with; a call without an id gets no answer.
    @Test func version2() throws {
        try expect(
            #"{"jsonrpc":"2.0","method":"getblockcount","id":1}"#, 200,
            #"{"jsonrpc":"2.0","result":65,"id":1}"#)
        try expect(
            #"{"jsonrpc":"2.0","method":"x","id":1}"#, 200,
            #"{"jsonrpc":"2.0","error":{"code":-32601,"message":"Method not found"},"id":1}"#)
        try expect(#"{"jsonrpc":"2.0","method":"getblockcount"}"#, 204, "")
        try expect(#"{"jsonrpc":"2.0","method":"x"}"#, 204, "")
        try expect(
            #"{"jsonrpc":"2.0","method":"getblockcount","id":null}"#, 200,
            #"{"jsonrpc":"2.0","result":65,"id":null}"#)
    }

    @Test func batches() throws {
        try expect("[]", 200, "[]")
        try expect(
            #"[{"method":"getblockcount","id":1},{"jsonrpc":"2.0","method":"getblockcount"},7,"#
                + #"{"jsonrpc":"2.0","method":"x","id":2}]"#, 200,
            #"[{"result":65,"error":null,"id":1},"#
                + #"{"result":null,"error":{"code":-32600,"message":"Invalid Request object"},"id":null},"#
                + #"{"jsonrpc":"2.0","error":{"code":-32601,"message":"Method not found"},"id":2}]"#)
        try expect(#"[{"jsonrpc":"2.0","method":"getblockcount"}]"#, 204, "")
        let many = [String](repeating: #"{"method":"uptime"}"#, count: 1001)
        let most = try scenario.post("[\(many.dropLast().joined(separator: ","))]")
        #expect(most.status == 200 && most.body.count == 1000 * 25 + 1002)
        try expect(
            "[\(many.joined(separator: ","))]", 400,
            #"{"result":null,"error":{"code":-32600,"message":"a batch has at most 1000 calls, not 1001"},"id":null}"#
        )
    }

    @Test(
        arguments: [
            (#"{"id":1}"#, 400, -32600, "Missing method"),
            (#"{"method":7}"#, 400, -32600, "Method must be a string"),
            (#"{"method":"uptime","params":7}"#, 400, -32600, "Params must be an array or object"),
            (#"{"jsonrpc":"3.0","method":"uptime"}"#, 400, -32600, "JSON-RPC version not supported"),
            (#"{"jsonrpc":2,"method":"uptime"}"#, 400, -32600, "jsonrpc field must be a string"),
            ("7", 500, -32700, "Top-level object parse error"), ("", 500, -32700, "Parse error"),
            ("{", 500, -32700, "Parse error"), ("\u{feff}x", 500, -32700, "Parse error"),
        ])
    func whatIsNoCall(body: String, status: Int, code: Int, message: String) throws {
        let answer = try scenario.post(body)
        let error = JSONValue(reading: answer.body)?["error"]
        #expect(answer.status == status, "\(answer.text)")
        #expect(error?["code"] == .number(code) && error?["message"] == .string(message), "\(answer.text)")
    }

    /// Neither the parser's stack nor its time.
    @Test func deepAndBroken() throws {
        let login = try scenario.login
        let service = try scenario.service()
        for text in [
            String(repeating: "[", count: 1 << 20), String(repeating: "{\"a\":", count: 200_000),
            String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000),
            #"{"method":"getblockcount","params":"# + String(repeating: "[", count: 600)
                + String(repeating: "]", count: 600) + "}",
        ] {
            #expect(service.post(text, login).status == 500)
        }
        let deep = String(repeating: "[", count: 500) + String(repeating: "]", count: 500)
        #expect(service.post(#"{"method":"uptime","id":\#(deep)}"#, login).status == 200)
        let bytes = WebRequest(
            "POST", "/", host: "localhost", authorization: login, body: [0xff, 0xfe, 0x00, 0x7b])
        #expect(service.answer(bytes).status == 500)
    }

    @Test func whoHasNoCookie() throws {
        let service = try scenario.service()
        for login in [nil, "Basic", "Basic eDp5"] {
            let answer = service.post(#"{"method":"getblockcount"}"#, login)
            #expect(answer.status == 401 && answer.body.isEmpty)
            #expect(answer.headers["WWW-Authenticate"] == #"Basic realm="jsonrpc""#)
        }
        let get = service.get("/")
        #expect(get.status == 405 && get.text == "JSONRPC server handles only POST requests")
    }

    // MARK: parameters

    private func error(_ method: String, _ parameters: String) throws -> RPCError? {
        let answer = JSONValue(reading: try scenario.call(method, parameters).body)?["error"]
        guard case .number(let digits)? = answer?["code"], case .string(let message)? = answer?["message"],
            let code = Int(digits).flatMap(RPCError.Code.init(rawValue:))
        else { return nil }
        return RPCError(code, message)
    }

    @Test func byNameAndByPlace() throws {
        let hash = MadeTree.chain.newest.hash.reversedHex
        let hex = JSONValue.string(MadeTree.chain.header(at: 65).hex)
        for parameters in [
            "[\"\(hash)\",false]", "{\"blockhash\":\"\(hash)\",\"verbose\":false}",
            "{\"args\":[\"\(hash)\"],\"verbose\":false}", "{\"args\":[\"\(hash)\",false]}",
        ] {
            #expect(try scenario.result("getblockheader", parameters) == hex)
        }
        #expect(
            try error("getblockheader", "{\"args\":[\"\(hash)\"],\"blockhash\":\"\(hash)\"}")
                == RPCError(
                    .invalidParameter,
                    "Parameter blockhash specified twice both as positional and named argument"))
        #expect(
            try error("getblockhash", #"{"height":1,"hight":2}"#)
                == RPCError(.invalidParameter, "Unknown named parameter hight"))
    }

    @Test func tooManyAndTooFew() throws {
        for (method, parameters) in [
            ("getblockhash", "[]"), ("getblockhash", "[1,2]"), ("getblockcount", "[1]"),
            ("getblockhash", "{}"),
        ] {
            let error = try #require(try error(method, parameters))
            #expect(error.code == .misc && error.message.hasPrefix(method))
        }
    }

    /// As Core's test/functional/rpc_misc and others see it.
    @Test func wrongTypes() throws {
        #expect(
            try error("getblockhash", #"["1"]"#)
                == RPCError(
                    .type,
                    """
                    Wrong type passed:
                    {
                        "Position 1 (height)": "JSON value of type string is not of expected type number"
                    }
                    """))
        #expect(try error("getblockheader", #"[1,"x"]"#)?.message.contains("Position 2 (verbose)") == true)
        #expect(try error("getblockheader", "[null]")?.code == .type)
        #expect(try error("getblockheader", #"{"verbose":true}"#)?.message.contains("type null") == true)
        #expect(try error("getblockhash", "[1.5]") == RPCError(.misc, "JSON integer out of range"))
        #expect(try error("getblockhash", "[2147483648]") == RPCError(.misc, "JSON integer out of range"))
        #expect(
            try error("getblockheader", #"["00"]"#)
                == RPCError(.invalidParameter, "hash must be of length 64 (not 2, for '00')"))
        let digits = String(repeating: "g", count: 64)
        #expect(
            try error("getblockheader", "[\"\(digits)\"]")
                == RPCError(.invalidParameter, "hash must be hexadecimal string (not '\(digits)')"))
    }

    @Test func whatOthersKnow() throws {
        for (method, words) in [
            ("getrawtransaction", "no transactions"), ("sendrawtransaction", "broadcast"),
            ("getmempoolinfo", "no mempool"), ("estimatesmartfee", "no fees"),
            ("getblock", "no transactions"),
            ("listunspent", "scantxoutset"), ("dumptxoutset", "concord export"),
        ] {
            let error = try #require(try error(method, "[]"))
            #expect(error.code == .methodNotFound && error.message.hasPrefix("Method not found: "))
            #expect(error.message.contains(words), "\(error.message)")
        }
    }

    @Test func help() throws {
        guard case .string(let all) = try scenario.result("help") else { throw TestError("no words") }
        #expect(
            all == """
                getbestblockhash
                getblockchaininfo
                getblockcount
                getblockhash height
                getblockheader "blockhash" ( verbose )
                gettxoutsetinfo ( hash_type hash_or_height use_index )
                help ( command )
                scantxoutset "action" ( scanobjects )
                uptime
                """)
        guard case .string(let one) = try scenario.result("help", #"["uptime"]"#) else {
            throw TestError("no words")
        }
        #expect(one.hasPrefix("uptime\n\n"))
        #expect(try scenario.result("help", #"["x"]"#) == .string("help: unknown command: x"))
        #expect(try scenario.result("uptime") == .number(0))
    }
}
