import TestSupport
import Testing

@testable import Concord

@Suite struct ShardChangesTests {
    static func coin(_ txid: UInt8, _ index: UInt32, amount: UInt64 = 1) -> TestCoin {
        TestCoin(
            outpoint: Outpoint(txid: Digest(every: txid), index: index), code: 2, amount: amount,
            script: [0x51])
    }

    /// What a shard holds after the sections of some heights; both in the simplest way that merges.
    static func apply(_ sections: [(height: Int, bytes: [UInt8])], to before: [TestCoin]) throws -> [Outpoint:
        [UInt8]]
    {
        var changes = ShardChanges()
        var set = Dictionary(uniqueKeysWithValues: before.map { ($0.outpoint, $0.body) })
        // The bytes must outlive the merge.
        let all = sections.flatMap(\.bytes)
        try all.withBytes { raw in
            var start = 0
            for section in sections {
                try changes.add(
                    UnsafeRawBufferPointer(rebasing: raw[start..<start + section.bytes.count]),
                    height: section.height)
                start += section.bytes.count
            }
            changes.sort()
            var previous: Outpoint?
            while let outpoint = changes.nextOutpoint {
                if let previous, previous >= outpoint { Issue.record("\(previous) and then \(outpoint)") }
                previous = outpoint
                if let body = set[outpoint] {
                    set[outpoint] = try body.withBytes { try changes.apply(to: $0).map { [UInt8]($0) } }
                } else {
                    set[outpoint] = try changes.apply(to: nil).map { [UInt8]($0) }
                }
            }
        }
        return set
    }

    @Test func spentCoinsGoAndCreatedOnesCome() throws {
        let (a, b, c) = (Self.coin(1, 0), Self.coin(1, 1), Self.coin(0, 9))
        let after = try Self.apply([(7, section(spent: [a.outpoint], created: [c]))], to: [a, b])
        #expect(after == [b.outpoint: b.body, c.outpoint: c.body])
    }

    @Test func createdThenSpentByALaterBlock() throws {
        let a = Self.coin(1, 0)
        let after = try Self.apply(
            [(7, section(created: [a])), (8, section(spent: [a.outpoint]))], to: [])
        #expect(after.isEmpty)
    }

    @Test func spentThenCreatedByALaterBlock() throws {
        let (old, new) = (Self.coin(1, 0, amount: 5), Self.coin(1, 0, amount: 6))
        let after = try Self.apply(
            [(7, section(spent: [old.outpoint])), (8, section(created: [new]))], to: [old])
        #expect(after == [new.outpoint: new.body])
    }

    /// FORMAT.md: applying removes the spent, then adds the created.
    @Test func spentAndCreatedByOneBlock() throws {
        let (old, new) = (Self.coin(1, 0, amount: 5), Self.coin(1, 0, amount: 6))
        let section = TestSupport.section(spent: [old.outpoint], created: [new])
        #expect(try Self.apply([(7, section)], to: [old]) == [new.outpoint: new.body])
        #expect(throws: ChangeError(outpoint: old.outpoint, height: 7, isSpend: true)) {
            try Self.apply([(7, section)], to: [])
        }
    }

    @Test func fourTimesOverInFourBlocks() throws {
        let coins = (1...3).map { Self.coin(1, 0, amount: $0) }
        let out = coins[0].outpoint
        let after = try Self.apply(
            [
                (1, section(created: [coins[0]])), (2, section(spent: [out])),
                (3, section(created: [coins[1]])), (4, section(spent: [out], created: [coins[2]])),
            ], to: [])
        #expect(after == [out: coins[2].body])
    }

    @Test func aSpendOfNothingIsRefused() {
        let a = Self.coin(1, 0)
        #expect(throws: ChangeError(outpoint: a.outpoint, height: 7, isSpend: true)) {
            try Self.apply([(7, section(spent: [a.outpoint]))], to: [Self.coin(1, 1)])
        }
        // Twice, in two blocks.
        #expect(throws: ChangeError(outpoint: a.outpoint, height: 8, isSpend: true)) {
            try Self.apply(
                [(7, section(spent: [a.outpoint])), (8, section(spent: [a.outpoint]))], to: [a])
        }
        // Before it is there: the order of heights counts.
        #expect(throws: ChangeError(outpoint: a.outpoint, height: 7, isSpend: true)) {
            try Self.apply([(7, section(spent: [a.outpoint])), (8, section(created: [a]))], to: [])
        }
    }

    @Test func aSecondCreationIsRefused() {
        let a = Self.coin(1, 0)
        #expect(throws: ChangeError(outpoint: a.outpoint, height: 7, isSpend: false)) {
            try Self.apply([(7, section(created: [a]))], to: [a])
        }
        #expect(throws: ChangeError(outpoint: a.outpoint, height: 8, isSpend: false)) {
            try Self.apply([(7, section(created: [a])), (8, section(created: [a]))], to: [])
        }
    }

    @Test func errorsNameCoinAndHeight() {
        let outpoint = Outpoint(txid: Digest(every: 0xab), index: 3)
        let name = String(repeating: "ab", count: 32) + ":3"
        #expect(
            "\(ChangeError(outpoint: outpoint, height: 9, isSpend: true))"
                == "the patch of height 9 spends \(name), which is not there")
        #expect(
            "\(ChangeError(outpoint: outpoint, height: 9, isSpend: false))"
                == "the patch of height 9 creates \(name), which is there already")
    }

    @Test func manyBlocksAgainstADictionary() throws {
        var random = SeededRandom()
        var set: [Outpoint: [UInt8]] = [:]
        let before = TestCoin.some(50, using: &random)
        for coin in before { set[coin.outpoint] = coin.body }
        var sections: [(Int, [UInt8])] = []
        for height in 1...30 {
            let spent = set.keys.filter { _ in Int.random(in: 0..<4, using: &random) == 0 }.sorted()
            for outpoint in spent { set[outpoint] = nil }
            // New ones, and some that were spent before come again.
            let created =
                TestCoin.some(10, using: &random).filter { set[$0.outpoint] == nil }
                + before.filter { set[$0.outpoint] == nil && Int.random(in: 0..<4, using: &random) == 0 }
            let ordered = created.sorted { $0.outpoint < $1.outpoint }
            for coin in ordered { set[coin.outpoint] = coin.body }
            sections.append((height, section(spent: spent, created: ordered)))
        }
        #expect(try Self.apply(sections, to: before) == set, "seed \(random.seed)")
    }

    @Test func removeAllForgetsEverything() throws {
        let section = TestSupport.section(created: [Self.coin(1, 0)])
        try section.withBytes { raw in
            var changes = ShardChanges()
            var found = [changes.isEmpty, changes.nextOutpoint == nil]
            try changes.add(raw, height: 1)
            found += [!changes.isEmpty]
            changes.removeAll()
            found += [changes.isEmpty, changes.nextOutpoint == nil]
            #expect(found == [true, true, true, true, true])
        }
    }

    /// What the sections of some heights come to as one, and its bytes.
    static func net(_ sections: [(height: Int, bytes: [UInt8])]) throws -> [UInt8] {
        var changes = ShardChanges()
        let all = sections.flatMap(\.bytes)
        return try all.withBytes { raw in
            var start = 0
            for section in sections {
                try changes.add(
                    UnsafeRawBufferPointer(rebasing: raw[start..<start + section.bytes.count]),
                    height: section.height)
                start += section.bytes.count
            }
            changes.sort()
            var out = ByteBuffer()
            try changes.appendNet(to: &out)
            return [UInt8](out.bytes)
        }
    }

    @Test func netOfWhatComesAndGoesIsNothing() throws {
        let (a, b) = (Self.coin(1, 0), Self.coin(2, 7))
        #expect(
            try Self.net([(7, section(created: [a, b])), (8, section(spent: [a.outpoint, b.outpoint]))]) == [
                0
            ])
        #expect(try Self.net([]) == [0])
    }

    @Test func netKeepsWhatWasThereAndIsAnother() throws {
        let (old, new) = (Self.coin(1, 0, amount: 5), Self.coin(1, 0, amount: 6))
        let net = try Self.net([(7, section(spent: [old.outpoint])), (9, section(created: [new]))])
        #expect(net == section(spent: [old.outpoint], created: [new]))
    }

    @Test func netOfWhatCannotBeIsRefused() throws {
        let a = Self.coin(1, 0)
        #expect(throws: ChangeError(outpoint: a.outpoint, height: 8, isSpend: false)) {
            try Self.net([(7, section(created: [a])), (8, section(created: [a]))])
        }
        #expect(throws: ChangeError(outpoint: a.outpoint, height: 8, isSpend: true)) {
            try Self.net([(7, section(spent: [a.outpoint])), (8, section(spent: [a.outpoint]))])
        }
    }

    /// Many blocks that spend and create at random: in one section they make of a set what they make of it one by one.
    @Test(arguments: 0..<20 as Range<UInt64>) func netMakesTheSame(seed: UInt64) throws {
        var random = SeededRandom("net \(seed)")
        let before = (0..<40).map { Self.coin(UInt8($0 % 9), UInt32($0), amount: 1) }.sorted {
            $0.outpoint < $1.outpoint
        }
        var unspent = before
        var sections: [(height: Int, bytes: [UInt8])] = []
        for height in 1...30 {
            unspent.shuffle(using: &random)
            let spent = unspent.prefix(.random(in: 0...5, using: &random)).map(\.outpoint).sorted()
            unspent.removeAll { spent.contains($0.outpoint) }
            let room = (0..<60).map { Self.coin(UInt8($0 % 9), UInt32($0), amount: UInt64(height)) }
                .filter { coin in !unspent.contains { $0.outpoint == coin.outpoint } }
            let created = room.shuffled(using: &random).prefix(.random(in: 0...5, using: &random))
                .sorted { $0.outpoint < $1.outpoint }
            unspent += created
            sections.append((height, section(spent: spent, created: created)))
        }
        let expected = Dictionary(uniqueKeysWithValues: unspent.map { ($0.outpoint, $0.body) })
        #expect(try Self.apply(sections, to: before) == expected)
        #expect(try Self.apply([(30, try Self.net(sections))], to: before) == expected)
        // Packed in the middle, and gone on with.
        let half =
            [(15, try Self.net(Array(sections[..<15])))] + sections[15...].map { ($0.height, $0.bytes) }
        #expect(try Self.apply(half, to: before) == expected)
    }
}
