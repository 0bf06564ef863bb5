import Concord
import ConcordClient
import Synchronization
import TestSupport
import Testing

@testable import ConcordServe

/// `scantxoutset` and `gettxoutsetinfo`.
@Suite struct SetScanTests {
    let scenario: ServedScenario
    let chain = MadeTree.chain

    init() throws { scenario = try ServedScenario() }

    private func script(_ height: Int, _ place: Int) -> [UInt8] { chain.scripts(at: height)[place] }

    /// In Bitcoin Core's order of fields.
    @Test func aScan() throws {
        let address = try #require(Address.text(for: script(7, 0), on: .regtest))
        let state = try scenario.served().read { $0.installed }
        let coins = try CoinLookup(state).coins(of: [script(7, 0), script(60, 2)]).flatMap { $0 }
        let texts = try coins.map { coin in
            let script = script(coin.height, Int(coin.outpoint.index))
            let plain = "addr(\(Address.text(for: script, on: .regtest) ?? ""))"
            return """
                {"txid":"\(coin.outpoint.txid.reversedHex)","vout":\(coin.outpoint.index),\
                "scriptPubKey":"\(script.hex)","desc":"\(try Descriptor(plain).description)",\
                "amount":0.0000100\(coin.outpoint.index),"coinbase":true,"height":\(coin.height),\
                "blockhash":"\(chain.blockID(at: coin.height).hash.reversedHex)",\
                "confirmations":\(66 - coin.height)}
                """
        }
        let ordered = coins[0].outpoint < coins[1].outpoint ? texts : texts.reversed()
        let answer = try scenario.call(
            "scantxoutset",
            #"["start",["addr(\#(address))",{"desc":"raw(\#(script(60, 2).hex))","range":[0,5]},"#
                + #""raw(\#(script(60, 2).hex))"]]"#)
        #expect(
            answer.text == """
                {"result":{"success":true,"txouts":\(state.statement.coins),"height":65,\
                "bestblock":"\(chain.newest.hash.reversedHex)","unspents":[\(ordered.joined(separator: ","))],\
                "total_amount":0.00002002},"error":null,"id":1}

                """)
    }

    @Test func nothingFound() throws {
        let result = try scenario.result("scantxoutset", #"["start",["raw(51)"]]"#)
        #expect(result["unspents"] == .array([]) && result["success"] == .bool(true))
        #expect(try scenario.result("scantxoutset", #"["start",[]]"#)["unspents"] == .array([]))
        #expect(
            try scenario.call("scantxoutset", #"["start",[]]"#).text.contains(#""total_amount":0.00000000}"#))
    }

    @Test(
        arguments: [
            (#"["start"]"#, -1, "scanobjects argument is required for the start action"),
            (#"["begin"]"#, -8, "Invalid action 'begin'"),
            (#"["start",[7]]"#, -8, "Scan object needs to be either a string or an object"),
            (#"["start",[{}]]"#, -8, "Descriptor needs to be provided in scan object"),
            (#"["start",[{"desc":7}]]"#, -3, "JSON value of type number is not of expected type string"),
            (#"["start",[{"desc":"raw(51)","range":-1}]]"#, -8, "End of range is too high"),
            (
                #"["start",[{"desc":"raw(51)","range":[-1,1]}]]"#, -8,
                "Range should be greater or equal than 0"
            ),
            (
                #"["start",[{"desc":"raw(51)","range":[2,1]}]]"#, -8,
                "Range specified as [begin,end] must not have begin after end"
            ),
            (#"["start",[{"desc":"raw(51)","range":2147483648}]]"#, -8, "End of range is too high"),
            (#"["start",[{"desc":"raw(51)","range":1000000}]]"#, -8, "Range is too large"),
            (
                #"["start",[{"desc":"raw(51)","range":"1"}]]"#, -8,
                "Range must be specified as end or as [begin,end]"
            ),
            (#"["start",["51"]]"#, -5, "what was given"),
            (#"["start",["raw(5)"]]"#, -5, "what was given is"),
            (#"["start",["raw(51)#89f8spxm"]]"#, -5, "what was given is"),
            (#"["start",["addr(x)"]]"#, -5, "what was given is"),
            (#"["start",["pkh(02)"]]"#, -5, "what was given is"),
            (#"["start",["wsh(pk(02))"]]"#, -5, "what was given is"),
        ])
    func whatIsRefused(parameters: String, code: Int, words: String) throws {
        let answer = try scenario.call("scantxoutset", parameters)
        let error = JSONValue(reading: answer.body)?["error"]
        guard case .string(let message)? = error?["message"] else { throw TestError(answer.text) }
        #expect(error?["code"] == .number(code) && message.hasPrefix(words), "\(answer.text)")
    }

    /// A private key is not printed.
    @Test func secretsStayWhereTheyAre() throws {
        let key = "L4rK1yDtCWekvXuE6oXD9jCYfFNV2cWRpVuPLBcCU2z8TrisoyY1"
        for text in ["pkh(\(key))", "pk(\(key))", "wpkh(\(key))", "addr(\(key))", key] {
            let answer = try scenario.call("scantxoutset", #"["start",["\#(text)"]]"#)
            #expect(answer.status == 500 && !answer.text.contains(key.prefix(10)))
        }
    }

    @Test func oneAtATime() throws {
        let scan = SetScan()
        #expect(scan.progress == nil && !scan.abort())
        let set = SetMethods(home: try scenario.served(), scan: scan)
        let method = try #require(set.all.first { $0.name == "scantxoutset" })
        func call(_ action: String) throws -> JSONValue {
            try method.call(.array([.string(action), .array([])]))
        }
        #expect(try call("status") == .null && call("abort") == .bool(false))
        try scan.alone { () throws in
            #expect(try call("status") == .members(["progress": .number(0)]))
            let error = #expect(throws: RPCError.self) { try call("start") }
            #expect(
                error?.code == .invalidParameter && error?.message.contains("already in progress") == true)
            #expect(try call("abort") == .bool(true))
        }
        #expect(try call("status") == .null && call("start")["success"] == .bool(true))
    }

    /// What was found until then is given.
    @Test func anAbortedScan() throws {
        let scan = SetScan()
        let objects = try ScanObjects((1...65).map { .string("raw(\(script($0, 0).hex))") }, on: .regtest)
        let state = try scenario.served().read { $0 }
        let result = try scan.alone {
            #expect(scan.abort())
            return try scan.run(objects, in: state)
        }
        #expect(result["success"] == .bool(false) && result["unspents"] == .array([]))
        guard case .array(let all)? = try scan.alone({ try scan.run(objects, in: state) })["unspents"] else {
            throw TestError("no coins")
        }
        #expect(all.count == 65)
    }

    @Test func moreThanAnybodyNeeds() throws {
        func object(_ number: Int) -> JSONValue {
            .string("raw(51\(TestSupport.bytes { $0.append(UInt32(number)) }.hex))")
        }
        let most = (0..<ScanObjects.maxScripts).map(object)
        #expect(try ScanObjects(most + [object(0)], on: .regtest).scripts.count == most.count)
        #expect(throws: RPCError.self) { try ScanObjects(most + [object(most.count)], on: .regtest) }
    }

    @Test func shardsThatAreNotHere() throws {
        let scenario = try ServedScenario(MadeTree.all(), shards: .some([2]))
        let scripts = chain.scripts(at: 65)
        let here = try #require(scripts.first { $0.withBytes(MadeTree.parameters.shard(of:)) == 2 })
        let away = try #require(scripts.first { $0.withBytes(MadeTree.parameters.shard(of:)) != 2 })
        let one = try scenario.result("scantxoutset", #"["start",["raw(\#(here.hex))"]]"#)
        #expect(one["total_amount"] != .number("0.00000000"))
        let both = try scenario.call("scantxoutset", #"["start",["raw(\#(here.hex))","raw(\#(away.hex))"]]"#)
        #expect(both.status == 500 && both.text.contains("shardsMissing"))
    }

    // MARK: gettxoutsetinfo

    @Test func whatIsSaidOfTheSet() throws {
        let statement = try scenario.served().read { $0.installed.statement }
        let (head, end) = (
            """
            {"result":{"height":65,"bestblock":"\(chain.newest.hash.reversedHex)","txouts":\(statement.coins)
            """,
            ",\"total_amount\":\(Amount.bitcoin(statement.amount))},\"error\":null,\"id\":1}\n"
        )
        let muhash = ",\"muhash\":\"\(statement.muhash.reversedHex)\""
        for parameters in [
            #"["muhash"]"#, #"["muhash",65]"#, #"["muhash","\#(chain.newest.hash.reversedHex)",true]"#,
            #"{"hash_type":"muhash","use_index":false}"#,
        ] {
            #expect(try scenario.call("gettxoutsetinfo", parameters).text == head + muhash + end)
        }
        #expect(try scenario.call("gettxoutsetinfo", #"["none"]"#).text == head + end)
    }

    @Test(
        arguments: [
            ("[]", "hash_serialized_3 needs a pass"), (#"["hash_serialized_3"]"#, "hash_serialized_3 needs"),
            (#"["sha"]"#, "'sha' is not a valid hash_type"), (#"["muhash",64]"#, "only the installed block"),
            (#"["muhash",-1]"#, "only the installed block"), (#"["muhash",true]"#, "JSON value of type bool"),
            (#"["none","00"]"#, "hash_or_height must be of length 64"),
        ])
    func whatIsNotSaid(parameters: String, words: String) throws {
        let answer = try scenario.call("gettxoutsetinfo", parameters)
        guard case .string(let message)? = JSONValue(reading: answer.body)?["error"]?["message"] else {
            throw TestError(answer.text)
        }
        #expect(message.hasPrefix(words), "\(message)")
    }
}
