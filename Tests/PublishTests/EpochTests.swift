import Concord
import TestSupport
import Testing

/// A snapshot, with the patches of its epoch applied by slow code, is the next snapshot, byte for byte; and deltas are the net
/// change of their blocks.
@Suite(.waits) struct EpochTests {
    @Test func patchesOfRegtestLeadFromSnapshotToSnapshot() throws { try Self.walk(.regtestRich) }

    @Test(.needsMainnet) func patchesOfMainnetLeadFromSnapshotToSnapshot() throws {
        try Self.walk(.mainnet4312)
    }

    static func walk(_ fixture: ChainFixture) throws {
        let unpacked = try ReferenceTree.of(fixture).unpacked
        let answers = try fixture.answers()
        var sets = [PlainSet](repeating: PlainSet(), count: fixture.shards)
        var (epochs, deltas) = (0, 0)
        // By span, the sets where the next delta begins.
        var before: [Int: [PlainSet]] = [:]
        for (height, answer) in answers.enumerated() {
            let name = "\(digits(height))-\(answer.block)"
            let patch = try unpacked.read("patches/\(digits(height - height % fixture.epoch))/\(name)")
            for (shard, section) in try patchSections(patch, shards: fixture.shards).enumerated() {
                try sets[shard].apply(section: section)
            }
            for span in [10, 100] where height % span == 0 && height > 0 && fixture.epoch > span {
                let delta = "deltas/\(digits(height - height % fixture.epoch))/\(name)-\(span)"
                let sections = try patchSections(unpacked.read(delta), shards: fixture.shards)
                for (shard, section) in sections.enumerated() {
                    var set = try #require(before[span])[shard]
                    // No more than it takes.
                    let size = set.difference(from: sets[shard])
                    #expect(try PlainSet.changes(section: section) == size, "\(delta), \(shard)")
                    try set.apply(section: section)
                    #expect(set.bytes == sets[shard].bytes, "\(delta), \(shard)")
                }
                deltas += 1
            }
            for span in [10, 100] where height % span == 0 { before[span] = sets }
            guard height % fixture.epoch == 0 || height == answers.count - 1 else { continue }
            #expect(sets.reduce(0) { $0 + $1.count } == Int(answer.coins))
            guard height % fixture.epoch == 0 else { continue }
            let files = unpacked.files(under: "snapshots/\(name)/shards")
            #expect(files.count == fixture.shards)
            for (file, set) in zip(files, sets) {
                #expect(try unpacked.read(file) == set.bytes, "\(file)")
            }
            epochs += 1
        }
        #expect(epochs == (answers.count - 1) / fixture.epoch + 1)
        #expect(deltas == unpacked.files(under: "deltas").count && deltas > 30)
    }
}
