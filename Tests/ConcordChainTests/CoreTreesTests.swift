import TestSupport
import Testing

@testable import Concord
@testable import ConcordChain
@testable import ConcordFiles

/// The chain that is read from block files against what Bitcoin Core's engine made of the same blocks.
@Suite struct CoreTreesTests {
    @Test func theTipIsCoresOrItsParent() throws {
        var random = SeededRandom()
        let made = try CoreTrees(4, steps: 30, seed: random.next())
        var undecided = 0
        for tree in made.trees {
            for step in tree {
                let cache = try Scratch()
                let chain = try BestChain.scan(
                    BlockFolder(step.folder, network: .regtest), cache: Folder(cache.path("cache")))
                let hashes = (0...chain.tip).map { chain.blockID(at: $0).hash.reversedHex }
                if hashes == step.best { continue }
                undecided += 1
                // Nothing in the files decides on the engine's block: the chain ends below it, or below others of the same
                // height, or in one of these. All of it was connected.
                let differing = zip(hashes, step.best).drop { $0 == $1 }.map(\.0)
                #expect(differing.allSatisfy(step.connected.contains), "\(step.folder)")
                #expect(hashes.count == step.best.count - (chain.undecided.isEmpty ? 0 : 1), "\(step.folder)")
            }
        }
        print("undecided: \(undecided) of \(made.trees.joined().count)")
    }
}
