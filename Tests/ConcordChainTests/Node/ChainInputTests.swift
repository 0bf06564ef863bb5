import Concord
import ConcordFiles
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import ConcordChain

/// What was told.
final class Told: Sendable {
    private let texts = Mutex<[String]>([])

    var all: [String] { texts.withLock { $0 } }

    @Sendable func note(_ text: String) { texts.withLock { $0.append(text) } }
}

@Suite("A chain from a node", .waits)
struct ChainInputTests {
    private let scratch: Scratch

    init() throws {
        scratch = try Scratch()
    }

    private func input(
        _ node: Node?, datadir: String? = nil, network: Network = .regtest, cache: String = "cache",
        tell: @escaping @Sendable (String) -> Void = { _ in }
    ) throws -> ChainInput {
        ChainInput(
            datadir: datadir, node: node, network: network, cache: try Folder(scratch.path(cache)),
            tell: tell,
            progress: { _ in })
    }

    private struct Pair: Equatable {
        let block: [UInt8]
        let undo: [UInt8]
    }

    /// All blocks, in batches as a builder asks for them.
    private func read(_ chain: any ChainSource) throws -> [Pair] {
        var pairs: [Pair] = []
        while pairs.count <= chain.tip {
            let end = min(pairs.count + chain.batch(from: pairs.count), chain.tip + 1)
            pairs += try read(chain, pairs.count..<end)
        }
        return pairs
    }

    private func read(_ chain: any ChainSource, _ heights: Range<Int>) throws -> [Pair] {
        let blocks = try chain.blocks(heights)
        var block = ByteBuffer()
        var undo = ByteBuffer()
        return try heights.map { height in
            try blocks.read(height, block: &block, undo: &undo)
            return Pair(block: [UInt8](block.bytes), undo: [UInt8](undo.bytes))
        }
    }

    @Test("By REST, by RPC alone and with a folder: the chain that is in the folder")
    func same() throws {
        let server = try TestNode(mining: 130)
        let folder = try input(nil, datadir: server.folder, cache: "a").chain()
        let blocks = try read(folder)
        #expect(blocks.count == 131 && blocks.contains { $0.undo.count > 20 })
        let headers = try (0...130).map { try folder.header(at: $0) }
        for (rest, datadir) in [(true, nil), (false, nil), (true, server.folder)] {
            try server.set(.rest(rest))
            let before = try server.requests()
            let chain = try input(
                Node(server), datadir: datadir, cache: "\(rest) \(datadir ?? "")"
            ).chain()
            #expect(chain.tip == 130 && chain.network == .regtest)
            #expect(try (0...130).map { try chain.header(at: $0) } == headers)
            #expect(try read(chain) == blocks)
            let asked = try server.requests().merging(before) { $0 - $1 }
            #expect(asked["rest/block"] ?? 0 == (rest && datadir == nil ? 131 : 0))
            #expect(asked["getblock"] ?? 0 == (datadir != nil ? 0 : rest ? 130 : 261))
        }
    }

    @Test("Of a folder and a node together, each block comes from the folder if it is there")
    func together() throws {
        let server = try TestNode(mining: 60)
        let copy = scratch.path("copy")
        try FileManager.default.createDirectory(atPath: copy, withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: "\(server.folder)/blocks", toPath: "\(copy)/blocks")
        try server.mine(20)
        let chain = try input(Node(server), datadir: copy).chain()
        let before = try server.requests()["getblock"] ?? 0
        #expect(try read(chain) == read(input(nil, datadir: server.folder, cache: "b").chain()))
        #expect(try server.requests()["getblock"] == before + 20)
        #expect(chain.batch(from: 0) == 61)
    }

    @Test("A second look asks for new headers only, and finds the way through a reorganisation")
    func again() throws {
        let server = try TestNode(mining: 100)
        let node = try Node(server)
        for (rest, cache) in [(true, "a"), (false, "b")] {
            try server.set(.rest(rest))
            if !rest { node.giveUpREST() }
            let one = try input(node, cache: cache)
            let first = try one.chain()
            let old = first.blockID(at: first.tip)
            try server.reorganise(depth: 7)
            let before = try server.requests()
            for input in [one, try input(node, cache: cache)] {
                let chain = try input.chain()
                #expect(chain.tip == first.tip + 1)
                #expect(
                    try chain.blockID(at: chain.tip).hash.reversedHex == server.result("getbestblockhash"))
                #expect(chain.blockID(at: first.tip - 7) == first.blockID(at: first.tip - 7))
                #expect(chain.blockID(at: first.tip - 6) != first.blockID(at: first.tip - 6))
                #expect(try chain.knows(old))
                #expect(try !chain.knows(BlockID(height: 3, hash: Digest(every: 7))))
                _ = try read(chain)
            }
            let asked = try server.requests().merging(before) { $0 - $1 }
            #expect(asked["rest/headers"] ?? 0 == (rest ? 1 : 0))
        }
    }

    @Test("A node of another network")
    func anotherNetwork() throws {
        let server = try TestNode(mining: 1)
        let error = #expect(throws: NodeError.self) {
            try input(Node(server, network: .main), network: .main).chain()
        }
        #expect(error?.kind == .unsuitable && error?.description.contains("--network regtest") == true)
    }

    @Test("Networks that are not published")
    func unpublishedNetworks() throws {
        let server = try TestNode(mining: 1)
        try server.set(.chainInfo(["chain": "test"]))
        var error = #expect(throws: NodeError.self) { try input(Node(server)).chain() }
        #expect(
            error?.kind == .unsuitable && error?.description.contains("test, which is not published") == true)
        try server.set(.chainInfo(["chain": "signet", "signet_challenge": "51"]))
        error = #expect(throws: NodeError.self) {
            try input(Node(server, network: .signet), network: .signet).chain()
        }
        #expect(
            error?.kind == .unsuitable && error?.description.contains("a challenge of its own") == true,
            "\(error!)")
        try server.set(.chainInfo(["chain": "signet", "signet_challenge": ChainInfo.signetChallenge]))
        _ = try Node(server, network: .signet).chainInfo()
        // Older nodes do not say it: a block that all know tells.
        try server.set(.chainInfo(["chain": "signet", "initialblockdownload": true]))
        _ = try Node(server, network: .signet).chainInfo()
        try server.set(.chainInfo(["chain": "signet", "initialblockdownload": false]))
        error = #expect(throws: NodeError.self) { try Node(server, network: .signet).chainInfo() }
        #expect(error?.kind == .unsuitable && error?.description.contains("too early to tell") == true)
        try server.set(.chainInfo(["chain": "signet", "blocks": 160_000]))
        try server.set(.blockHash(String(repeating: "07", count: 32)))
        error = #expect(throws: NodeError.self) { try Node(server, network: .signet).chainInfo() }
        #expect(error?.description.contains("a challenge of its own") == true)
        // kernel/chainparams.cpp, SigNetParams, m_assumeutxo_data.
        try server.set(.blockHash("0000003ca3c99aff040f2563c2ad8f8ec88bd0fd6b8f0895cfaf1ef90353a62c"))
        _ = try Node(server, network: .signet).chainInfo()
        // The magic of block files is made of it (BIP 325).
        let challenge = try #require([UInt8](hex: ChainInfo.signetChallenge))
        let serialised = [UInt8(challenge.count)] + challenge
        #expect(Array(serialised.withBytes { SHA256.double($0) }.bytes.prefix(4)) == Network.signet.magic)
    }

    @Test("A pruned node says what to do")
    func pruned() throws {
        let server = try TestNode(mining: 20)
        try server.set(.pruneHeight(10))
        let chain = try input(Node(server)).chain()
        let error = #expect(throws: NodeError.self) { try chain.blocks(5..<8) }
        #expect(error?.kind == .unsuitable)
        for part in ["pruned", "prune=0", "--datadir"] { #expect(error?.description.contains(part) == true) }
        _ = try chain.blocks(10..<21)
    }

    @Test(
        "Another block than was asked for",
        arguments: [("rest/block", true), ("getblock", true), ("getblock", false)])
    func anotherBlock(method: String, rest: Bool) throws {
        let server = try TestNode(mining: 20)
        try server.set(.rest(rest))
        let chain = try input(Node(server)).chain()
        try server.fail(.otherBlock, method: method)
        let error = #expect(throws: NodeError.self) { _ = try read(chain, 5..<8) }
        #expect(error?.kind == .contradiction)
        #expect(
            error?.description.contains("height 5") == true
                && error?.description.contains("another block") == true)
    }

    @Test("Headers that do not belong together", arguments: [true, false])
    func wrongHeaders(rest: Bool) throws {
        let server = try TestNode(mining: 20)
        try server.set(.rest(rest))
        let node = try Node(server)
        try server.fail(.otherBlock, method: rest ? "rest/headers" : "getblockheader")
        #expect(throws: NodeError.self) { try input(node).chain() }
        try server.clearFaults()
        #expect(try input(node).chain().tip == 20)
    }

    // MARK: readiness

    @Test("In initial block download, or with an old tip, a node is behind")
    func behind() throws {
        let server = try TestNode(mining: 20)
        let input = try input(Node(server))
        let time = Int64(Date().timeIntervalSince1970)
        try server.set(.initialBlockDownload(false))
        #expect(try input.readiness(now: time).isReady)
        // Nobody mines there steadily.
        #expect(try input.readiness(now: time + 100 * 86400).isReady)
        try server.set(.initialBlockDownload(true))
        let readiness = try input.readiness(now: time)
        #expect(
            readiness.reasons.count == 1
                && readiness.reasons[0].contains("initial block download, at height 20"))
    }

    @Test("A node that has left the chain it gave is not ready")
    func left() throws {
        let server = try TestNode(mining: 20)
        try server.set(.initialBlockDownload(false))
        let input = try input(Node(server))
        let chain = try input.chain()
        try server.reorganise(depth: 2)
        let reasons = try input.readiness(now: 0).reasons
        let hash = chain.blockID(at: 20).hash.reversedHex
        #expect(reasons == ["it has left block \(hash) of height 20"])
        _ = try input.chain()
        #expect(try input.readiness(now: 0).isReady)
    }

    @Test("The tip of a network that is mined steadily is at most a day old")
    func oldTip() throws {
        let server = try TestNode(chain: "main")
        try server.set(.initialBlockDownload(false))
        let input = try input(Node(server, network: .main), network: .main)
        let genesis: Int64 = 1_231_006_505
        #expect(try input.readiness(now: genesis + 86400).isReady)
        let reasons = try input.readiness(now: genesis + 86401 + 3600).reasons
        #expect(reasons.count == 1 && reasons[0].contains("of 2009-01-03T18:15:05Z, 25 hours ago"))
    }

    @Test("A folder alone is ready")
    func folderOnly() throws {
        let server = try TestNode(mining: 2)
        #expect(try input(nil, datadir: server.folder).readiness(now: 0).isReady)
    }

    // MARK: waiting

    @Test("A new block ends the wait, and so does the wish to stop", arguments: [true, false])
    func waiting(hasNode: Bool) throws {
        let server = try TestNode(mining: 5)
        let input = try input(hasNode ? Node(server) : nil, datadir: hasNode ? nil : server.folder)
        let chain = try input.chain()
        let tip = chain.blockID(at: chain.tip)
        var start = Date()
        try input.waitForChange(since: tip) { Date() > start.addingTimeInterval(1.5) }
        #expect((1.4...20).contains(Date().timeIntervalSince(start)))
        start = Date()
        Thread.detachNewThread {
            usleep(500_000)
            _ = try? server.mine(1)
        }
        try input.waitForChange(since: tip) { Date() > start.addingTimeInterval(120) }
        #expect(Date().timeIntervalSince(start) < 60)
        #expect(try input.chain().tip == 6)
    }

    @Test("A node that goes away is waited for, and told of once")
    func away() throws {
        let server = try TestNode(mining: 5)
        let told = Told()
        let input = try input(Node(server, tell: told.note), tell: told.note)
        let chain = try input.chain()
        try server.stop()
        Thread.detachNewThread {
            while !told.all.contains(where: { $0.hasSuffix("waiting for it") }) { usleep(10_000) }
            try? server.start()
            _ = try? server.mine(1)
        }
        let start = Date()
        try input.waitForChange(since: chain.blockID(at: 5)) { Date() > start.addingTimeInterval(120) }
        #expect(try input.chain().tip == 6)
        #expect(told.all.filter { $0.hasSuffix("waiting for it") }.count == 1)
        // A password that is wrong does not pass.
        try server.fail(.status(401))
        #expect(throws: NodeError.self) { try input.waitForChange(since: chain.blockID(at: 5)) { false } }
    }
}
