import Concord
import TestSupport
import Testing

@testable import ConcordClient

/// Wallets: shards are held where coins are, all others are followed, and what is shown is what the chain says.
@Suite struct WalletFetchTests {
    private let trees: [MadeTree]

    init() throws { trees = try WalletTree.all() }

    private func shards(_ run: ClientRun) -> Set<String> {
        Set(run.requests.filter { $0.url.contains("/shards/") }.map { String($0.url.suffix(7).prefix(3)) })
    }

    private func digits(_ branch: Int, _ index: Int) throws -> String {
        TreePath.shardDigits(try WalletTree.script(branch, index).withBytes(WalletTree.parameters.shard(of:)))
    }

    @Test func aFirstStart() throws {
        let scenario = try WalletTree.scenario(at: 45, [WalletTree.wallet()])
        let run = scenario.fetch()
        #expect(run.end == .done(45) && run.faults.isEmpty, "\(run.end) \(run.faults)")
        #expect(try WalletTree.found(scenario) == WalletTree.expected(at: 45))
        // Where its coins were at the snapshot of height 40: one was spent before that.
        let held = try Set([digits(0, 0), digits(0, 3), digits(1, 1), digits(0, 4)])
        #expect(shards(run).isSuperset(of: try [digits(0, 0), digits(0, 3), digits(1, 1)]))
        // By chance of the filters a few more.
        #expect(shards(run).count <= held.count + 2)
        let result = try #require(run.result)
        #expect(result.held?.count == shards(run).count && result.followed.count > 20)
        #expect(result.filters == result.followed.count + shards(run).count)
        #expect(scenario.leftovers.isEmpty)
        let again = scenario.fetch()
        #expect(again.end == .done(45) && again.result.map { $0.shards + $0.filters + $0.sections } == 0)
    }

    /// Every block of it, from any other one: what is shown is what the chain says, and a payment fetches no shard.
    @Test(arguments: [
        [41, 44, 45, 47, 48, 53, 59, 60, 61, 65], [39, 65], [45, 64], [59, 60], [5, 43, 62],
    ])
    func itMovesOn(heights: [Int]) throws {
        let scenario = try WalletTree.scenario(at: heights[0], [WalletTree.wallet()])
        #expect(scenario.fetch().end == .done(heights[0]))
        #expect(try WalletTree.found(scenario) == WalletTree.expected(at: heights[0]))
        for height in heights.dropFirst() {
            try WalletTree.serve(height, scenario)
            let run = scenario.fetch()
            #expect(run.end == .done(height) && run.faults.isEmpty, "\(height): \(run.end) \(run.faults)")
            #expect(try WalletTree.found(scenario) == WalletTree.expected(at: height), "height \(height)")
            // Of scripts that were not looked at before alone.
            let known = try Set((0..<20).flatMap { try [digits(0, $0), digits(1, $0)] })
                .subtracting([digits(0, 25), digits(0, 44)])
            #expect(shards(run).isDisjoint(with: known), "height \(height): \(shards(run))")
            #expect(scenario.leftovers.isEmpty)
        }
    }

    /// What is in use behind the gap is found, round by round.
    @Test func theGapGrows() throws {
        let scenario = try WalletTree.scenario(at: 58, [WalletTree.wallet()])
        let run = scenario.fetch()
        #expect(run.end == .done(58))
        #expect(try WalletTree.found(scenario) == WalletTree.expected(at: 58))
        let home = try Home(reading: scenario.home)
        #expect(try home.wallets.wallet("mine").accounts[0].used == [45, 3])
        let narrow = try WalletTree.scenario(at: 58, [WalletTree.wallet(5)])
        #expect(narrow.fetch().end == .done(58))
        // Those from 25 on are behind it.
        #expect(try Set(WalletTree.found(narrow)).isStrictSubset(of: WalletTree.expected(at: 58)))
    }

    @Test func keysMadeTodayNeedNothingOlder() throws {
        let wallet = try WalletTree.wallet(birth: .height(43))
        let scenario = try WalletTree.scenario(at: 43, [wallet])
        let run = scenario.fetch()
        #expect(run.end == .done(43) && run.result?.filters == 0 && run.result?.shards == 0, "\(run.end)")
        try WalletTree.serve(55, scenario)
        let later = scenario.fetch()
        #expect(later.end == .done(55) && later.result?.shards == 0)
        let after = try WalletTree.expected(at: 55).filter { (Int($0.prefix { $0 != " " }) ?? 0) > 43 }
        #expect(try WalletTree.found(scenario).isSuperset(of: after))
    }

    @Test func filtersOfAllShards() throws {
        let scenario = try WalletTree.scenario(at: 45, [WalletTree.wallet()])
        scenario.privacy.takesAllFilters = true
        let run = scenario.fetch()
        #expect(run.end == .done(45) && run.result?.filters == 64)
        #expect(try WalletTree.found(scenario) == WalletTree.expected(at: 45))
    }

    @Test func coverStaysTheSame() throws {
        let scenario = try WalletTree.scenario(at: 45, [WalletTree.wallet()])
        scenario.privacy.cover = 5
        let run = scenario.fetch()
        let bare = try WalletTree.scenario(at: 45, [WalletTree.wallet()])
        let held = try #require(bare.fetch().result?.held)
        let covered = try #require(run.result?.held)
        #expect(covered.count >= held.count && Set(covered).isSuperset(of: held))
        scenario.privacy.cover = nil
        try WalletTree.serve(62, scenario)
        #expect(Set(try #require(scenario.fetch().result?.held)).isSuperset(of: covered))
        #expect(try WalletTree.found(scenario) == WalletTree.expected(at: 62))
    }

    /// A wallet that comes later, into a home that has one.
    @Test func anotherWallet() throws {
        let scenario = try WalletTree.scenario(at: 45, [WalletTree.wallet()])
        #expect(scenario.fetch().end == .done(45))
        let address = try Descriptor("raw(\(trees[0].chain.scripts(at: 30)[7].hex))")
        let other = try Wallet("other", on: .regtest, [Wallet.Account(address)])
        try Home(scenario.home).wallets.add(other)
        let run = scenario.fetch()
        #expect(run.end == .done(45) && run.result?.shards ?? 9 <= 1)
        #expect(try WalletTree.found(scenario, "other").count == 1)
        #expect(try WalletTree.found(scenario) == WalletTree.expected(at: 45))
        try Home(scenario.home).wallets.remove("mine")
        try WalletTree.serve(60, scenario)
        let alone = scenario.fetch()
        #expect(alone.result?.held?.count == 1 && alone.result?.followed == [])
        #expect(try WalletTree.found(scenario, "other").count == 1)
    }

    /// What is installed as a whole answers for wallets too.
    @Test func theWholeSetIsThere() throws {
        let scenario = try WalletTree.scenario(at: 45, [WalletTree.wallet()])
        let run = scenario.fetch(.all)
        #expect(run.end == .done(45) && run.result?.held == nil && run.result?.filters == 0)
        #expect(try WalletTree.found(scenario) == WalletTree.expected(at: 45))
        try WalletTree.serve(65, scenario)
        #expect(scenario.fetch().end == .done(65))
        #expect(try WalletTree.found(scenario) == WalletTree.expected(at: 65))
    }

    @Test func history() throws {
        let scenario = try WalletTree.scenario(at: 58, [WalletTree.wallet()])
        #expect(scenario.fetch().end == .done(58))
        let home = try Home(reading: scenario.home)
        let scripts = try home.wallets.wallet("mine").scripts().map(\.script)
        let history = CoinHistory(try home.installed(.regtest))
        let entries = try history.entries(of: scripts)
        #expect(history.start == 40)
        // That of 44 came and went inside the delta from 41 to 50.
        #expect(entries.map(\.coin.height) == [5, 33, 38, 44, 52, 55, 56])
        #expect(entries.allSatisfy { $0.spent == nil })
        let early = try WalletTree.scenario(at: 46, [WalletTree.wallet()])
        #expect(early.fetch().end == .done(46))
        try WalletTree.serve(49, early)
        #expect(early.fetch().end == .done(49))
        let later = try Home(reading: early.home)
        let seen = try CoinHistory(later.installed(.regtest))
            .entries(of: later.wallets.wallet("mine").scripts().map(\.script))
        #expect(seen.filter { $0.spent != nil }.map(\.spent) == [47...47])
    }
}
