import TestSupport
import Testing

@testable import Concord
@testable import ConcordFiles
@testable import ConcordTree

@Suite struct ShardMergeTests {
    let scratch: Scratch

    init() throws {
        scratch = try Scratch()
    }

    struct Merged: Equatable {
        var outpoint: Outpoint
        var body: [UInt8]
    }

    /// Merges a shard on the disk (none for nil) with the sections of some heights.
    func merge(_ before: [TestCoin]?, _ sections: [[UInt8]], line: ShardContents? = nil) throws -> [Merged] {
        // The sections must outlive the merge.
        let all = UnsafeMutableRawBufferPointer.allocate(
            byteCount: sections.reduce(1) { $0 + $1.count }, alignment: 1)
        defer { all.deallocate() }
        var changes = ShardChanges()
        var start = 0
        for (height, section) in sections.enumerated() {
            let place = UnsafeMutableRawBufferPointer(rebasing: all[start..<start + section.count])
            place.copyBytes(from: section)
            try changes.add(UnsafeRawBufferPointer(place), height: height)
            start += section.count
        }
        changes.sort()
        let reader = try before.map { coins in
            let bytes = TestCoin.encode(coins)
            return try ShardReader(
                try scratch.write(Zstd.frame(bytes), to: "before.zst"),
                expected: line ?? ShardReaderTests.line(bytes, coins: coins.count))
        }
        var merge = ShardMerge(before: reader, changes: changes)
        var merged: [Merged] = []
        while let body = try merge.next() {
            merged.append(Merged(outpoint: merge.outpoint, body: [UInt8](body)))
        }
        return merged
    }

    static func coin(_ txid: UInt8, _ index: UInt32, amount: UInt64 = 1) -> TestCoin {
        TestCoin(
            outpoint: Outpoint(txid: Digest(every: txid), index: index), code: 2, amount: amount,
            script: [0x51])
    }

    static func merged(_ coins: [TestCoin]) -> [Merged] {
        coins.map { Merged(outpoint: $0.outpoint, body: $0.body) }
    }

    @Test func withoutChangesTheShardStays() throws {
        let coins = [Self.coin(1, 0), Self.coin(1, 300), Self.coin(2, 0)]
        #expect(try merge(coins, []) == Self.merged(coins))
        #expect(try merge([], []) == [])
        #expect(try merge(nil, []) == [])
        #expect(try merge(coins, [[0], [0]]) == Self.merged(coins))
    }

    @Test func fromNothingTheChangesAreTheShard() throws {
        let coins = [Self.coin(1, 0), Self.coin(1, 300), Self.coin(2, 0)]
        #expect(try merge(nil, [section(created: coins)]) == Self.merged(coins))
        #expect(try merge([], [section(created: coins)]) == Self.merged(coins))
    }

    @Test func coinsComeBeforeBetweenAndBehind() throws {
        let before = [Self.coin(2, 1), Self.coin(4, 1)]
        let created = [Self.coin(1, 0), Self.coin(2, 0), Self.coin(2, 2), Self.coin(3, 0), Self.coin(5, 0)]
        let after = (before + created).sorted { $0.outpoint < $1.outpoint }
        #expect(try merge(before, [section(created: created)]) == Self.merged(after))
        let spent = before.map(\.outpoint)
        #expect(try merge(before, [section(spent: spent, created: created)]) == Self.merged(created))
        #expect(try merge(before, [section(spent: spent)]) == [])
    }

    @Test func aCoinSpentAndMadeAgainIsTheNewOne() throws {
        let (old, new) = (Self.coin(2, 1), Self.coin(2, 1, amount: 9))
        #expect(
            try merge([old], [section(spent: [old.outpoint]), section(created: [new])]) == Self.merged([new]))
        #expect(try merge([old], [section(spent: [old.outpoint], created: [new])]) == Self.merged([new]))
        #expect(
            try merge(
                [old], [section(spent: [old.outpoint], created: [new]), section(spent: [old.outpoint])]) == []
        )
    }

    @Test func changesThatDoNotFitAreRefused() {
        let (a, b) = (Self.coin(2, 1), Self.coin(2, 2))
        for before in [nil, [], [b]] as [[TestCoin]?] {
            #expect(throws: ChangeError(outpoint: a.outpoint, height: 0, isSpend: true)) {
                try merge(before, [section(spent: [a.outpoint])])
            }
        }
        #expect(throws: ChangeError(outpoint: a.outpoint, height: 1, isSpend: false)) {
            try merge([a, b], [[0], section(created: [a])])
        }
    }

    @Test func aShardThatIsNotWhatItsManifestSaysIsRefused() {
        let coins = [Self.coin(1, 0), Self.coin(2, 0)]
        let line = ShardReaderTests.line(TestCoin.encode(coins), coins: 3)
        let error = #expect(throws: FileError.self) {
            try merge(coins, [section(created: [Self.coin(3, 0)])], line: line)
        }
        #expect(error?.message == "holds 2 coins, the manifest says 3")
    }

    @Test func manyCoinsAndBlocksAgainstADictionary() throws {
        var random = SeededRandom()
        for _ in 0..<5 {
            let before = TestCoin.some(Int.random(in: 0...600, using: &random), using: &random)
            var set = Dictionary(uniqueKeysWithValues: before.map { ($0.outpoint, $0.body) })
            var sections: [[UInt8]] = []
            for _ in 0..<10 {
                let spent = set.keys.filter { _ in Int.random(in: 0..<5, using: &random) == 0 }
                for outpoint in spent { set[outpoint] = nil }
                let created =
                    (TestCoin.some(20, using: &random)
                    + before.filter { _ in Int.random(in: 0..<5, using: &random) == 0 })
                    .filter { set[$0.outpoint] == nil }
                for coin in created { set[coin.outpoint] = coin.body }
                sections.append(section(spent: spent, created: created))
            }
            let expected = set.keys.sorted().map { Merged(outpoint: $0, body: set[$0] ?? []) }
            #expect(try merge(before, sections) == expected, "seed \(random.seed)")
        }
    }
}
