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
        for (number, step) in made.trees.enumerated().flatMap({ tree in tree.element.map { (tree.offset, $0) }
        }) {
            let folder = try BlockFolder(step.folder, network: .regtest)
            let cache = try Scratch()
            let chain = try BestChain.scan(folder, cache: Folder(cache.path("cache")))
            let hashes = (0...chain.tip).map { chain.blockID(at: $0).hash.reversedHex }
            guard hashes == step.best else {
                undecided += 1
                // Nothing in the files decides on the engine's block.
                #expect(hashes == Array(step.best.dropLast()), "tree \(number), \(step.folder)")
                #expect(chain.undecided.count > 1)
                continue
            }
            #expect(chain.undecided.isEmpty)
        }
        print("undecided: \(undecided) of \(made.trees.joined().count)")
    }
}
