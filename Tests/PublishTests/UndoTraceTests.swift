import Concord
import ConcordChain
import ConcordFiles
import ConcordTree
import TestSupport
import Testing

@testable import ConcordBuild

@Suite("What is kept and read again to check undo data", .waits)
struct UndoTraceTests {
    /// In little memory the coins are gone over group by group.
    @Test(arguments: [1 << 20, 12_000])
    func groups(most: Int) throws {
        let spend = try BentChain.spend { $0.height > 105 && $0.made <= 100 }
        let chain = try BentChain(isBegun: false)
        try chain.bend(spend, .amount)
        let source = try BestChain.scan(
            BlockFolder(chain.scratch.path("node"), network: .regtest),
            cache: Folder(chain.scratch.path("cache")))
        let trace = UndoTrace(source: source, before: nil, heights: 0...150, most: most)
        let found = try trace.run()
        #expect(found?.height == spend.height)
        #expect(found?.description.contains(spend.outpoint.description) == true)
        #expect(try trace.run(only: CoinMark.mark(of: spend.outpoint))?.height == spend.height)
        // Blocks below are right.
        let before = UndoTrace(source: source, before: nil, heights: 0...spend.height - 1, most: most)
        #expect(try before.run() == nil)
        // Of a set that is not there, nothing can be spent.
        let without = UndoTrace(source: source, before: nil, heights: 101...150, most: most)
        #expect(try without.run()?.description.contains("which the set does not have") == true)
    }

    private func marks(made: [(UInt32, UInt8)] = [], spent: [(UInt32, UInt8)] = []) -> CoinMarks {
        var marks = CoinMarks()
        marks.created = made.map {
            CoinMark(Outpoint(txid: Digest(every: 3), index: $0.0), hash: Digest(every: $0.1))
        }
        marks.spent = spent.map {
            CoinMark(Outpoint(txid: Digest(every: 3), index: $0.0), hash: Digest(every: $0.1))
        }
        return marks
    }

    private static func block(_ height: Int) -> BlockID { BlockID(height: height, hash: Digest(every: 1)) }

    @Test func aCoinIsKnownUntilItIsSpent() throws {
        let recent = RecentCoins(memory: 1 << 16)
        var alarms = try recent.follow(
            [marks(made: [(1, 1), (2, 2)]), marks(spent: [(1, 1)]), marks(spent: [(2, 9), (3, 3)])],
            newest: Self.block(3))
        #expect(alarms.map(\.block) == [2])
        #expect(alarms.first?.outpoint == CoinMark.mark(of: Outpoint(txid: Digest(every: 3), index: 2)))
        // Both are spent: nothing is known of them.
        #expect(recent.goesOn(from: Self.block(3)))
        alarms = try recent.follow([marks(spent: [(1, 7), (2, 7)])], newest: Self.block(4))
        #expect(alarms.isEmpty)
        // One that is made again is what it was made last.
        alarms = try recent.follow(
            [marks(made: [(5, 1)]), marks(made: [(5, 2)]), marks(spent: [(5, 2)])], newest: Self.block(7))
        #expect(alarms.isEmpty)
    }

    /// On another branch another coin may have been made.
    @Test func anotherBranchKnowsNothing() throws {
        let recent = RecentCoins(memory: 1 << 16)
        #expect(recent.goesOn(from: nil))
        _ = try recent.follow([marks(made: [(1, 1)])], newest: Self.block(1))
        #expect(!recent.goesOn(from: Self.block(2)))
        #expect(try recent.follow([marks(spent: [(1, 2)])], newest: Self.block(3)).isEmpty)
    }

    /// A table of eight places, against a dictionary that forgets nothing.
    @Test func whatIsForgottenRaisesNoAlarm() throws {
        var random = SeededRandom()
        let recent = RecentCoins(memory: 128)
        var known: [UInt32: UInt8] = [:]
        var alarms = 0
        for height in 1...2000 {
            let index = UInt32.random(in: 0..<12, using: &random)
            let byte = UInt8.random(in: 1...2, using: &random)
            let isSpend = Bool.random(using: &random)
            let raised = try recent.follow(
                [isSpend ? marks(spent: [(index, byte)]) : marks(made: [(index, byte)])],
                newest: Self.block(height))
            if isSpend {
                if !raised.isEmpty {
                    #expect(known[index] != nil && known[index] != byte, "seed \(random.seed)")
                }
                alarms += raised.count
                known[index] = nil
            } else {
                #expect(raised.isEmpty)
                known[index] = byte
            }
        }
        #expect(alarms > 100, "seed \(random.seed)")
    }
}
