import Concord
import ConcordBuild
import ConcordChain
import ConcordFiles
import ConcordTree
import Foundation
import TestSupport
import Testing

@testable import ConcordPublish

/// The time of an attestation is signed for ever.
@Suite(.waits) struct ClockTests {
    /// Publishes the fixture up to a height in this process, with a clock of the test's.
    static func publish(
        to height: Int, at now: Int64, in scratch: Scratch, key: SigningKey = .generate(),
        clock: SigningClock = SigningClock()
    ) throws -> Publisher.Report? {
        let reference = try ReferenceTree.of(.regtestRich)
        let source = try BlockFolder(reference.publication.datadir, network: .regtest)
        let state = try Folder(scratch.path("state"))
        guard let name = AuthorityName("alice") else { throw TestError("alice is no name") }
        let tree = try Folder(scratch.path("tree"))
        var publisher = Publisher(
            SetBuilder(
                source: try BestChain.scan(source, cache: state), data: tree,
                parameters: TreeParameters(shards: 16, epoch: 50), level: 1, isFixed: { _ in true }),
            tree: tree, state: state, clock: clock,
            signer: Publisher.Signer(key: key, name: name, software: Software.name, note: nil))
        return try publisher.run(to: height, now: { now }, tell: { _ in })
    }

    /// mkchain's blocks are ten minutes apart from the regtest genesis block on.
    static let genesis: Int64 = 1_296_688_602

    @Test func aClockBehindTheChainIsRefused() throws {
        let scratch = try Scratch()
        // A fault that may pass by itself, so that --follow waits.
        let fault = #expect(throws: SigningClock.Fault.self) {
            try Self.publish(to: 60, at: Self.genesis + 600 * 60 - 7201, in: scratch)
        }
        let words = ["blocks is of \(Timestamp.text(Self.genesis + 600 * 60))", "Set the clock"]
        #expect(words.allSatisfy { fault?.description.contains($0) == true }, "\(fault?.description ?? "")")
        // Before any work, and so before anything is signed.
        #expect(try Folder.names(in: scratch.path("tree")).isEmpty)
        #expect(throws: SigningClock.Fault.self) {
            try Self.publish(
                to: 60, at: Self.genesis + 600 * 60 - 7201, in: scratch, clock: SigningClock(isTrusted: true))
        }
    }

    @Test func aClockTwoHoursBehindIsNot() throws {
        let scratch = try Scratch()
        let report = try Self.publish(to: 60, at: Self.genesis + 600 * 60 - 7200, in: scratch)
        #expect(report?.statement.height == 60 && report?.blocks == 61)
    }

    /// What was signed by a clock that was ahead is not gone on from in silence.
    @Test func theJournalIsInTheFuture() throws {
        let (scratch, key) = (try Scratch(), SigningKey.generate())
        let now = Self.genesis + 600 * 100
        _ = try Self.publish(to: 60, at: now + 86_400, in: scratch, key: key)
        let look = try PlainTree(scratch.path("tree")).look()
        let fault = #expect(throws: SigningClock.Fault.self) {
            try Self.publish(to: 80, at: now, in: scratch, key: key)
        }
        for words in ["signed at \(Timestamp.text(now + 86_400))", "wait until that time", "--allow-clock"] {
            #expect(fault?.description.contains(words) == true, "\(fault?.description ?? "")")
        }
        #expect(try PlainTree(scratch.path("tree")).look().files == look.files)
        // Nothing is to be signed: nothing is wrong with the clock.
        #expect(try Self.publish(to: 60, at: now, in: scratch, key: key)?.signatures == 0)
        let told = SigningClock(isTrusted: true)
        #expect(try Self.publish(to: 70, at: now, in: scratch, key: key, clock: told)?.signatures == 10)
        // Once the time is near, all is well.
        let later = now + 86_400 - 7200
        #expect(try Self.publish(to: 80, at: later, in: scratch, key: key)?.signatures == 10)
    }

    private struct Case: Sendable {
        let network: Network
        /// Seconds that the newest block and the newest attestation lie before the clock.
        let block, signed: Int64?
        let isAtTip: Bool?
        let isRefused: Bool
    }

    /// Ahead of both the newest block and what was signed last, where blocks come all the time.
    @Test func aClockThatIsAhead() throws {
        let now: Int64 = 1_800_000_000
        let day: Int64 = 86_400
        for one in [
            // A node at its tip, whatever was signed before.
            Case(network: .main, block: day, signed: day, isAtTip: true, isRefused: true),
            Case(network: .main, block: day, signed: nil, isAtTip: true, isRefused: true),
            Case(network: .signet, block: 7201, signed: 7201, isAtTip: true, isRefused: true),
            Case(network: .main, block: 7200, signed: day, isAtTip: true, isRefused: false),
            Case(network: .main, block: day, signed: 7200, isAtTip: true, isRefused: false),
            Case(network: .main, block: 60, signed: 40 * day, isAtTip: true, isRefused: false),
            // A folder, which may be of last year, until something was signed.
            Case(network: .main, block: 400 * day, signed: nil, isAtTip: nil, isRefused: false),
            Case(network: .main, block: day, signed: day, isAtTip: nil, isRefused: true),
            Case(network: .testnet4, block: day, signed: 600, isAtTip: nil, isRefused: false),
            // A node that is behind, and is to be signed for all the same.
            Case(network: .main, block: 30 * day, signed: 30 * day, isAtTip: false, isRefused: false),
            // Nobody mines there all the time.
            Case(network: .regtest, block: 400 * day, signed: 300 * day, isAtTip: true, isRefused: false),
            // A journal that is ahead.
            Case(network: .regtest, block: 0, signed: -7201, isAtTip: nil, isRefused: true),
            Case(network: .main, block: 0, signed: -7200, isAtTip: true, isRefused: false),
        ] {
            let check = { (isTrusted: Bool) in
                Result { () throws(SigningClock.Fault) in
                    try SigningClock(isAtTip: one.isAtTip, isTrusted: isTrusted).check(
                        now, network: one.network, newest: now, newestBlock: now - (one.block ?? 0),
                        newestSigned: one.signed.map { now - $0 })
                }
            }
            #expect((try? check(false).get()) == nil ? one.isRefused : !one.isRefused, "\(one)")
            #expect(throws: Never.self) { try check(true).get() }
        }
    }
}
