import Concord
import ConcordFiles
import TestSupport
import Testing

@testable import ConcordClient

/// Wallets where hosts lie, runs end early, and chains reorganise: nothing wrong is ever shown.
@Suite struct WalletTroubleTests {
    private let trees: [MadeTree]

    init() throws { trees = try WalletTree.all() }

    enum Lie: String, CaseIterable, Sendable {
        /// A filter without a script, or another shard's.
        case emptyFilter, swappedFilter
        case shard, manifest, muhashes, statement
    }

    /// One of the three hosts lies, each in turn.
    @Test(arguments: Lie.allCases) func aHostThatLies(lie: Lie) throws {
        var named = 0
        for liar in trees {
            let scenario = try WalletTree.scenario(at: 45, [WalletTree.wallet()])
            let site = liar.cut(to: 45).site.bent { request, answer in
                let path = request.path
                func bend() { answer.body = answer.body.map { $0 ^ 0x11 } }
                switch lie {
                case .emptyFilter where path.contains("/filters/"): answer.body = [0]
                case .swappedFilter where path.contains("/filters/"):
                    answer.body = liar.files[path.replacing("/filters/00", with: "/filters/01")] ?? [0]
                case .shard where path.contains("/shards/"): bend()
                case .manifest where path.hasSuffix("/manifest.txt"): bend()
                case .muhashes where path.hasPrefix("muhashes/"): bend()
                case .statement where path.hasPrefix("attestations/") && !path.contains("/0000045-"):
                    answer.body = answer.body.map { $0 == UInt8(ascii: "7") ? UInt8(ascii: "8") : $0 }
                default: break
                }
            }
            scenario.serve(site, at: ClientScenario.url(liar))
            let run = scenario.fetch()
            #expect(run.end == .done(45), "\(run.end)")
            #expect(try WalletTree.found(scenario) == WalletTree.expected(at: 45))
            #expect(run.faults.allSatisfy { $0.url == ClientScenario.url(liar) }, "\(run.faults)")
            named += run.faults.isEmpty ? 0 : 1
            #expect(scenario.leftovers.isEmpty)
        }
        // Where it was asked at all.
        #expect(named > 0)
    }

    /// A run that ends at any moment leaves what was there before, or what is new.
    @Test func interruptedAtAnyTime() throws {
        let scenario = try WalletTree.scenario(at: 45, [WalletTree.wallet()])
        for height in [45, 58, 64] {
            try WalletTree.serve(height, scenario)
            for milliseconds in stride(from: 40, to: 1200, by: 90) {
                scenario.cancelAt = .milliseconds(milliseconds)
                let run = scenario.fetch()
                #expect(run.end == .cancelled || run.end == .done(height), "\(run.end)")
                if let set = try InstalledSet(in: Folder(reading: "\(scenario.home)/sets/regtest")) {
                    let expected = try WalletTree.expected(at: set.block.height)
                    #expect(try WalletTree.found(scenario).isSubset(of: expected))
                }
            }
            scenario.cancelAt = nil
            #expect(scenario.fetch().end == .done(height))
            #expect(try WalletTree.found(scenario) == WalletTree.expected(at: height))
            #expect(scenario.leftovers.isEmpty)
        }
    }

    /// Another chain has more work: from inside the epoch, and from before it began.
    @Test(arguments: [43, 38]) func aReorganisation(fork: Int) throws {
        let scenario = try WalletTree.scenario(at: 47, [WalletTree.wallet()])
        #expect(scenario.fetch().end == .done(47))
        let before = try WalletTree.outpoints(scenario)
        let chain = trees[0].chain.forked(at: fork, tip: 50, salt: 7)
        let first = try MadeTree(
            [(trees[0].chain.cut(to: 47), MadeTree.time), (chain, MadeTree.time)], name: "alice",
            key: trees[0].key, parameters: WalletTree.parameters)
        let others = try trees.dropFirst().map { try first.signed(as: "\($0.name)", by: $0.key) }
        for tree in [first] + others { scenario.serve(tree) }
        let run = scenario.fetch()
        #expect(run.end == .done(50) && run.faults.isEmpty, "\(run.end) \(run.faults)")
        let after = try WalletTree.outpoints(scenario)
        #expect(try WalletTree.found(scenario) == WalletTree.expected(at: 50))
        let fresh = try WalletTree.scenario(at: 45, [WalletTree.wallet()])
        for tree in [first] + others { fresh.serve(tree) }
        #expect(fresh.fetch().end == .done(50))
        #expect(try WalletTree.outpoints(fresh) == after && after != before)
    }

    /// What is known of followed shards is damaged or gone: that is said, and mended by the next fetch.
    @Test(arguments: [true, false]) func damagedBases(isGone: Bool) throws {
        let scenario = try WalletTree.scenario(at: 58, [WalletTree.wallet()])
        #expect(scenario.fetch().end == .done(58))
        let set = PlainTree("\(scenario.home)/sets/regtest")
        let path = try #require(set.files(under: "bases").first)
        let folder = Folder(reading: set.root)
        if isGone {
            try folder.remove(path)
        } else {
            var bytes = try set.read(path)
            bytes[bytes.count / 2] ^= 1
            try folder.write(bytes, at: path)
        }
        #expect(throws: SetDamage.self) { try WalletTree.found(scenario) }
        #expect(scenario.fetch().end == .done(58))
        #expect(try WalletTree.found(scenario) == WalletTree.expected(at: 58))
    }

    /// All hosts have removed what lies between: what has coins is fetched anew.
    @Test func hostsThatArePruned() throws {
        let scenario = try WalletTree.scenario(at: 10, [WalletTree.wallet()])
        #expect(scenario.fetch().end == .done(10))
        for tree in trees {
            let site = tree.site.bent { request, answer in
                if request.path.contains("/0000000/") || request.path.contains("/0000020/"),
                    !request.path.hasPrefix("attestations")
                {
                    answer = ScriptedAnswer(404)
                }
            }
            scenario.serve(site, at: ClientScenario.url(tree))
        }
        let run = scenario.fetch()
        #expect(run.end == .done(65) && run.result?.base == nil, "\(run.end)")
        #expect(try WalletTree.found(scenario) == WalletTree.expected(at: 65))
    }
}
