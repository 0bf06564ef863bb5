import Foundation
import TestSupport
import Testing

/// Blocks that Bitcoin Core stored and refused are never signed, whatever their siblings spend.
@Suite(.waits) struct RefusedBlocksTests {
    /// One run after each block that the engine was given: what is signed was connected by it. Epochs are short, so
    /// that refused blocks come at their heights too.
    @Test func onlyWhatTheEngineConnectedIsSigned() throws {
        var random = SeededRandom()
        let made = try CoreTrees(1, steps: 30, seed: random.next())
        var publication = try Publication(.regtestRich, datadir: made.trees[0][0].folder)
        (publication.shards, publication.epoch) = (4, 3)
        let datadir = publication.scratch.path("node")
        publication.source = ["--datadir", datadir]
        var connected: Set<String> = []
        var notes = 0
        for step in made.trees[0] {
            if FileManager.default.fileExists(atPath: datadir) {
                try FileManager.default.removeItem(atPath: datadir)
            }
            try FileManager.default.moveItem(atPath: step.folder, toPath: datadir)
            connected.formUnion(step.connected)
            let outcome = try publication.run()
            #expect(outcome.isSuccess, "\(outcome.errors)")
            if outcome.errors.contains("is not taken yet") { notes += 1 }
            let latest = try publication.tree.text("latest.txt").split(whereSeparator: \.isWhitespace)
            #expect(connected.contains(String(latest.last ?? "")))
        }
        print("not taken at once: \(notes)")
        let signed = publication.tree.files(under: "attestations").filter { $0.hasSuffix(".txt") }
        // All but its tip at most.
        #expect(signed.count >= (made.trees[0].last?.best.count ?? 0) - 1)
        for file in signed {
            let block = file.dropLast(4).split(separator: "-").last.map(String.init) ?? ""
            #expect(connected.contains(block), "\(file)")
        }
    }
}
