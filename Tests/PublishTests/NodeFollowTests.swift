import Foundation
import TestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// `run --follow --node`: what a live node does, and what its operator does to it.
@Suite("Following a node", .waits) struct NodeFollowTests {
    let node: TestNode
    let publication: Publication

    init() throws {
        node = try TestNode(mining: 105)
        var publication = try Publication(.regtestRich, datadir: node.folder)
        publication.epoch = 20
        publication.source = ["--node", node.base, "--cookie", node.cookieFile]
        self.publication = publication
    }

    private func wait(for hash: String, _ run: RunningProgram, seconds: Double = 60) throws {
        let deadline = Date().addingTimeInterval(seconds)
        while (try? publication.tree.text("latest.txt"))?.hasSuffix(" \(hash)\n") != true {
            guard run.isRunning() else { throw TestError("it ended: \(try run.wait().errors)") }
            guard Date() < deadline else {
                throw TestError("latest.txt is \((try? publication.tree.text("latest.txt")) ?? "not there")")
            }
            usleep(10_000)
        }
    }

    private func best() throws -> String { try node.result("getbestblockhash") }

    /// The tree is whole, and every block that was noted has an attestation; where the publisher was killed, it may
    /// miss one of blocks that the chain left before the next run.
    private func expectWhole(_ outcome: Program.Outcome, wasKilled: Bool = false) throws {
        #expect(outcome.isSuccess, "\(outcome.errors)")
        let verified = try Program.built("concord").run("verify", publication.tree.root, "--deep")
        #expect(verified.isSuccess, "\(verified.output)")
        let journal = try publication.journal.files().map { try publication.journal.text($0) }.joined()
        let noted = journal.split(separator: "\n").map { String($0.split(separator: " ")[1]) }
        #expect(Set(noted).count == noted.count)
        let attested = publication.tree.files(under: "attestations").filter { $0.hasSuffix(".txt") }
            .map { String($0.dropLast(4).suffix(64)) }
        let missing = Set(noted).subtracting(attested)
        #expect(attested.count + missing.count == noted.count)
        #expect(wasKilled || missing.isEmpty)
        for block in missing {
            struct Header: Decodable { let confirmations: Int }
            #expect(try node.result("getblockheader", block, as: Header.self).confirmations == -1)
        }
    }

    @Test("New blocks, reorganisations across epoch heights, a restart of the node")
    func theTipIsFollowed() throws {
        let run = try publication.start("--follow")
        try wait(for: try best(), run)
        for _ in 0..<3 {
            let hash = try #require(try node.mine(1).last)
            try wait(for: hash, run)
        }
        for depth in [1, 12, 3] {
            let left = try best()
            let hash = try #require(try node.reorganise(depth: depth).last)
            try wait(for: hash, run)
            #expect(left != hash)
        }
        try node.stop()
        try run.waitUntilItSays("waiting for it")
        try node.start()
        let hash = try #require(try node.mine(2).last)
        try wait(for: hash, run)
        run.send(SIGTERM)
        let outcome = try run.wait()
        try expectWhole(outcome)
        #expect(outcome.output.components(separatedBy: "reorganisation: ").count == 4, "\(outcome.output)")
        #expect(outcome.errors.contains("is back"), "\(outcome.errors)")
    }

    @Test("A node that is behind is waited for")
    func behind() throws {
        try node.set(.initialBlockDownload(true))
        let run = try publication.start("--follow")
        try run.waitUntilItSays("note: the node is not ready: it is in initial block download")
        #expect(publication.tree.files(under: "attestations").isEmpty)
        try node.set(.initialBlockDownload(false))
        try wait(for: try best(), run)
        run.send(SIGINT)
        let outcome = try run.wait()
        try expectWhole(outcome)
    }

    @Test("A signal while the node is away ends it within moments")
    func aSignalWhileItWaits() throws {
        let run = try publication.start("--follow")
        try wait(for: try best(), run)
        try node.stop()
        try run.waitUntilItSays("waiting for it")
        run.send(SIGTERM)
        try expectWhole(try run.wait(timeout: 20))
    }

    @Test("A name that the node does not know any more ends it")
    func denied() throws {
        let run = try publication.start("--follow")
        try wait(for: try best(), run)
        try node.fail(.status(403))
        let outcome = try run.wait(timeout: 120)
        #expect(outcome.status == 1 && outcome.errors.contains("rpcallowip"), "\(outcome.errors)")
        #expect(outcome.errors.contains("trying again"), "\(outcome.errors)")
    }

    @Test("Killed at all moments while blocks come and go")
    func kills() throws {
        var run = try publication.start("--follow")
        for i in 0..<25 {
            if i % 5 == 4 { _ = try node.reorganise(depth: 1 + i % 3) } else { _ = try node.mine(1) }
            usleep(useconds_t.random(in: 1000..<400_000))
            run.send(SIGKILL)
            _ = try run.wait()
            run = try publication.start("--follow")
        }
        // One that only this run can have attested.
        let last = try #require(try node.mine(1).last)
        try wait(for: last, run)
        run.send(SIGTERM)
        try expectWhole(try run.wait(), wasKilled: true)
    }
}
