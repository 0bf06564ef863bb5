import ConcordClient

/// Bitcoin Core's JSON-RPC, as far as a set and headers can answer it (httprpc.cpp: `HTTPReq_JSONRPC`).
struct RPCService: Sendable {
    private let cookie: Cookie
    private let methods: [RPCMethod]
    private let describe: @Sendable (any Error) -> String

    /// Of more calls in one request none is answered. Each may cost as much as a look at a shard.
    static let maxBatch = 1000

    init(_ methods: [RPCMethod], cookie: Cookie, describe: @escaping @Sendable (any Error) -> String) {
        self.methods = methods + [Self.help(methods)]
        (self.cookie, self.describe) = (cookie, describe)
    }

    func answer(_ request: WebRequest) -> WebAnswer {
        guard request.method == "POST" else {
            return .text(405, "JSONRPC server handles only POST requests")
        }
        guard cookie.isIn(request.authorization) else {
            return WebAnswer(401, ["WWW-Authenticate": "Basic realm=\"jsonrpc\""])
        }
        switch JSONValue(reading: request.body) {
        case .object(let members)?: return single(.object(members))
        case .array(let calls)?:
            guard calls.count <= Self.maxBatch else {
                return Self.refused(
                    RPCError(
                        .invalidRequest, "a batch has at most \(Self.maxBatch) calls, not \(calls.count)"))
            }
            return batch(calls)
        case nil: return Self.refused(RPCError(.parse, "Parse error"))
        default: return Self.refused(RPCError(.parse, "Top-level object parse error"))
        }
    }

    private static func refused(_ error: RPCError, _ request: RPCRequest = RPCRequest()) -> WebAnswer {
        .json(error.status, request.reply(.failure(error)), end: "\n")
    }

    private func single(_ value: JSONValue) -> WebAnswer {
        var request = RPCRequest()
        do throws(RPCError) {
            try request.read(value)
        } catch {
            return Self.refused(error, request)
        }
        let result = result(of: request)
        if request.isNotification { return WebAnswer(204) }
        // Version 2 knows no HTTP status but success.
        if case .failure(let error) = result, !request.isVersion2 { return Self.refused(error, request) }
        return .json(200, request.reply(result), end: "\n")
    }

    private func batch(_ calls: [JSONValue]) -> WebAnswer {
        var replies: [JSONValue] = []
        for call in calls {
            var request = RPCRequest()
            let answer: Result<JSONValue, RPCError>
            do throws(RPCError) {
                try request.read(call)
                answer = result(of: request)
            } catch {
                answer = .failure(error)
            }
            if !request.isNotification { replies.append(request.reply(answer)) }
        }
        if replies.isEmpty, !calls.isEmpty { return WebAnswer(204) }
        return .json(200, .array(replies), end: "\n")
    }

    private func result(of request: RPCRequest) -> Result<JSONValue, RPCError> {
        guard let method = methods.first(where: { $0.name == request.method }) else {
            let reason = UnknownMethod.reason(for: request.method)
            return .failure(RPCError(.methodNotFound, "Method not found" + (reason.map { ": \($0)" } ?? "")))
        }
        do {
            return .success(try method.call(request.parameters))
        } catch let error as RPCError {
            return .failure(error)
        } catch {
            return .failure(RPCError(.misc, describe(error)))
        }
    }

    private static func help(_ methods: [RPCMethod]) -> RPCMethod {
        let all = methods.map { "\($0.usage)" } + ["help ( command )"]
        return RPCMethod(
            name: "help", parameters: [.init(name: "command", type: "string")],
            summary: "List all commands, or say what one does."
        ) { values in
            guard case .string(let name) = values[0], !name.isEmpty else {
                return .string(all.sorted().joined(separator: "\n"))
            }
            guard let method = methods.first(where: { $0.name == name }) else {
                return .string("help: unknown command: \(name)")
            }
            return .string("\(method.usage)\n\n\(method.summary)")
        }
    }
}

/// Why methods that a user of Bitcoin Core may look for are not here.
enum UnknownMethod {
    static func reason(for method: String) -> String? {
        reasons.first { $0.methods.contains(method) }?.reason
    }

    private static let reasons: [(methods: Set<String>, reason: String)] = [
        (
            [
                "getrawtransaction", "gettxoutproof", "gettransaction", "listtransactions", "getblock",
                "getblockstats",
            ],
            "what is here are coins and headers, and no transactions or blocks"
        ),
        (
            ["sendrawtransaction", "testmempoolaccept", "submitpackage", "submitblock"],
            "this is connected to nobody, so it can send nothing: broadcast by another way"
        ),
        (
            [
                "getmempoolinfo", "getrawmempool", "getmempoolentry", "estimatesmartfee", "savemempool",
                "gettxspendingprevout",
            ], "this is connected to nobody, so it knows no mempool and no fees"
        ),
        (
            ["getnetworkinfo", "getpeerinfo", "getconnectioncount", "getnettotals", "addnode"],
            "this is connected to nobody"
        ),
        (
            [
                "getbalance", "getbalances", "listunspent", "getwalletinfo", "listwallets", "createwallet",
                "loadwallet", "getnewaddress", "sendtoaddress",
            ], "this keeps no keys and no wallets; `scantxoutset` finds the coins of descriptors"
        ),
        (
            ["gettxout"],
            "coins are found by their scripts here, not by transaction: ask `scantxoutset` for the address"
        ),
        (["dumptxoutset"], "`concord export` writes the same file"),
        (["stop"], "end `concord serve` where it was started"),
    ]
}
