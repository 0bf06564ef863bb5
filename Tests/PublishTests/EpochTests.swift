import Concord
import TestSupport
import Testing

/// A snapshot, with the patches of its epoch applied by slow code, is the next snapshot, byte for byte.
@Suite(.waits) struct EpochTests {
    @Test func patchesOfRegtestLeadFromSnapshotToSnapshot() throws { try Self.walk(.regtestRich) }

    @Test(.needsMainnet) func patchesOfMainnetLeadFromSnapshotToSnapshot() throws {
        try Self.walk(.mainnet4312)
    }

    static func walk(_ fixture: ChainFixture) throws {
        let unpacked = try ReferenceTree.of(fixture).unpacked
        let answers = try fixture.answers()
        var sets = [PlainSet](repeating: PlainSet(), count: fixture.shards)
        var epochs = 0
        for (height, answer) in answers.enumerated() {
            let name = "\(digits(height))-\(answer.block)"
            let patch = try unpacked.read("patches/\(digits(height - height % fixture.epoch))/\(name)")
            for (shard, section) in try patchSections(patch, shards: fixture.shards).enumerated() {
                try sets[shard].apply(section: section)
            }
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
    }
}
