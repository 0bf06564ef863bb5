import Foundation
import TestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// `run --follow` on a folder that changes under it, and what ends it.
@Suite(.waits) struct FollowTests {
    /// Waits until the tree's hint is this.
    static func wait(
        for latest: String, in tree: PlainTree, _ run: RunningProgram, seconds: Double = 120
    ) throws {
        let deadline = Date().addingTimeInterval(seconds)
        while (try? tree.text("latest.txt")) != latest + "\n" {
            guard run.isRunning() else {
                throw TestError("it ended: \(try run.wait().errors)")
            }
            guard Date() < deadline else {
                throw TestError("latest.txt is \((try? tree.text("latest.txt")) ?? "not there")")
            }
            usleep(10_000)
        }
    }

    /// Puts the fixture's files in place of what is there, as they were when `tip` was the best block.
    static func replace(_ publication: Publication, _ files: CoreFiles, tip: String?) throws {
        let fresh = publication.scratch.path("fresh")
        try publication.fixture.unpack(into: fresh)
        if let tip { try CoreFiles("\(fresh)/blocks", sameAs: files).rewind(to: tip) }
        // Never with some of its files only, which would be another chain.
        let old = publication.scratch.path("old")
        try FileManager.default.moveItem(atPath: publication.datadir, toPath: old)
        try FileManager.default.moveItem(atPath: fresh, toPath: publication.datadir)
        try FileManager.default.removeItem(atPath: old)
    }

    @Test(arguments: [SIGTERM, SIGINT])
    func branchesAreFollowedUntilASignal(signal: Int32) throws {
        let answers = try ChainFixture.regtestRich.answers()
        let publication = try Publication(.regtestRich)
        let files = try publication.coreFiles()
        let branches = try ReorganisationTests.branches(files, best: Set(answers.map(\.block)))
        try files.rewind(to: branches[0].tip)
        let run = try publication.start("--follow")
        try Self.wait(for: "\(branches[0].height) \(branches[0].tip)", in: publication.tree, run)
        for branch in branches[1...] {
            try Self.replace(publication, files, tip: branch.tip)
            try Self.wait(for: "\(branch.height) \(branch.tip)", in: publication.tree, run)
        }
        try Self.replace(publication, files, tip: nil)
        try Self.wait(for: "330 \(answers[330].block)", in: publication.tree, run)
        run.send(signal)
        let outcome = try run.wait()
        #expect(outcome.isSuccess, "\(outcome.errors)")
        for branch in branches {
            #expect(
                outcome.output.contains(
                    "reorganisation: the best chain has left block \(branch.tip) at height \(branch.height)\n"
                ))
        }
        #expect(
            outcome.output.hasSuffix(
                "stopped by a signal: \(publication.tree.root) is whole, at height 330\n"))
        // A stale branch keeps its attestations, and no block was attested twice.
        #expect(
            publication.tree.files(under: "attestations").count == 2 * (331 + branches.flatMap(\.own).count))
        let journal = try publication.journal.files().map { try publication.journal.text($0) }.joined()
        let noted = journal.split(separator: "\n").map { $0.split(separator: " ")[1] }
        #expect(Set(noted).count == noted.count && noted.count == files.blocks.count)
        let verified = try Program.built("concord").run("verify", publication.tree.root, "--deep")
        #expect(verified.isSuccess, "\(verified.output)")
    }

    @Test func aSignalEndsARunBetweenTwoSteps() throws {
        let reference = try ReferenceTree.of(.regtestRich)
        var (publication, outcome) = try Self.signalled(reference)
        // One that was done before the signal came shows nothing.
        for _ in 0..<9 where outcome.isSuccess { (publication, outcome) = try Self.signalled(reference) }
        #expect(outcome.status == 1 && outcome.errors.contains("stopped by a signal"), "\(outcome.errors)")
        let verified = try Program.built("concord").run("verify", publication.tree.root, "--deep")
        #expect(verified.isSuccess, "\(verified.output)")
        try publication.publish()
        try expectSame(publication.tree, reference.tree)
    }

    /// A run that gets a signal once the first attestations are there.
    private static func signalled(_ reference: ReferenceTree) throws -> (Publication, Program.Outcome) {
        let publication = try Publication(
            .regtestRich, datadir: reference.publication.datadir, key: reference.publication.key)
        let run = try publication.start()
        while run.isRunning(), publication.tree.files(under: "attestations").isEmpty { usleep(500) }
        run.send(SIGTERM)
        return (publication, try run.wait())
    }

    /// Every object on a line of its own.
    @Test func eachChangeIsALineOfJSON() throws {
        let answers = try ChainFixture.regtestRich.answers()
        let publication = try Publication(.regtestRich)
        let files = try publication.coreFiles()
        let tip = try files.block(at: 300, below: answers[330].block)
        try files.rewind(to: tip.hash)
        let run = try publication.start("--follow", "--json", "--to", "320")
        try Self.wait(for: "300 \(tip.hash)", in: publication.tree, run)
        try Self.replace(publication, files, tip: nil)
        let outcome = try run.wait()
        #expect(outcome.isSuccess, "\(outcome.errors)")
        let heights = try outcome.output.split(separator: "\n").map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])["height"]
                as? Int
        }
        #expect(heights == [300, 320])
    }

    @Test func blocksWaitForTheirConfirmations() throws {
        let answers = try ChainFixture.regtestRich.answers()
        let publication = try Publication(.regtestRich)
        let outcome = try publication.publish("--confirmations", "6")
        #expect(outcome.output.contains("\nheight  324\n"))
        #expect(try publication.tree.text("latest.txt") == "324 \(answers[324].block)\n")
        #expect(try publication.publish("--confirmations", "6").output.hasPrefix("nothing new: "))
        // With fewer the rest comes; with more nothing is taken back.
        try publication.publish("--confirmations", "1")
        #expect(try publication.publish("--confirmations", "100").output.hasPrefix("nothing new: "))
        #expect(try publication.tree.text("latest.txt") == "329 \(answers[329].block)\n")
        let none = try publication.run("--confirmations", "331")
        #expect(none.status == 1 && none.errors.contains("331 confirmations are asked for"), "\(none.errors)")
    }

    /// Kills at all moments of following; the journal and the tree stay whole.
    @Test func aKilledFollowerIsContinuedByTheNext() throws {
        let answers = try ChainFixture.regtestRich.answers()
        let reference = try ReferenceTree.of(.regtestRich)
        let publication = try Publication(.regtestRich, key: reference.publication.key)
        let files = try publication.coreFiles()
        var tip = 40
        var kills = 0
        while tip < 330 {
            tip = min(tip + 15, 330)
            try Self.replace(publication, files, tip: tip == 330 ? nil : answers[tip].block)
            let run = try publication.start("--follow")
            usleep(useconds_t.random(in: 1000..<250_000))
            run.send(SIGKILL)
            #expect(try run.wait().signal == SIGKILL)
            kills += 1
        }
        #expect(kills == 20)
        try publication.publish()
        let verified = try Program.built("concord").run("verify", publication.tree.root, "--deep")
        #expect(verified.isSuccess, "\(verified.output)")
        try expectSame(publication.tree, reference.tree)
    }
}
