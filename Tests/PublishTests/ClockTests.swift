import Concord
import ConcordBuild
import ConcordChain
import ConcordPublish
import ConcordFiles
import ConcordTree
import Foundation
import TestSupport
import Testing

/// The time of an attestation is signed for ever.
@Suite struct ClockTests {
    /// Publishes the fixture up to a height in this process, with a clock of the test's.
    static func publish(to height: Int, at now: Int64, in scratch: Scratch) throws -> Publisher.Report? {
        let reference = try ReferenceTree.of(.regtestRich)
        let source = try BlockFolder(reference.publication.datadir, network: .regtest)
        let state = try Folder(scratch.path("state"))
        guard let name = AuthorityName("alice") else { throw TestError("alice is no name") }
        let tree = try Folder(scratch.path("tree"))
        var publisher = Publisher(
            SetBuilder(
                source: try BestChain.scan(source, cache: state), data: tree,
                parameters: TreeParameters(shards: 16, epoch: 50), level: 1, isFixed: { _ in true }),
            tree: tree, state: state,
            signer: Publisher.Signer(
                key: SigningKey.generate(), name: name, software: Software.name, note: nil))
        return try publisher.run(to: height, now: { now }, tell: { _ in })
    }

    /// mkchain's blocks are ten minutes apart from the regtest genesis block on.
    static let genesis: Int64 = 1_296_688_602

    @Test func aClockBehindTheChainIsRefused() throws {
        let scratch = try Scratch()
        let error = #expect(throws: FileError.self) {
            try Self.publish(to: 100, at: Self.genesis + 600 * 60 - 7201, in: scratch)
        }
        #expect(
            error?.description.contains("height 60 ") == true
                && error?.description.contains("set the clock") == true)
        // What was published before that is whole, and nothing of the batch is.
        let attested = try Folder.names(in: scratch.path("tree/attestations/0000050"))
        #expect(attested.allSatisfy { $0.hasPrefix("0000050-") })
    }

    @Test func aClockTwoHoursBehindIsNot() throws {
        let scratch = try Scratch()
        let report = try Self.publish(to: 60, at: Self.genesis + 600 * 60 - 7200, in: scratch)
        #expect(report?.statement.height == 60 && report?.blocks == 61)
    }
}
