import Concord
import ConcordFiles
import TestSupport
import Testing

@testable import ConcordClient

/// An authority that signs another network, or a tree that is cut otherwise, than the others of a list.
@Suite struct OtherTreeTests {
    enum Other: CaseIterable, Sendable {
        case network, epoch, shards

        /// The tree of carol, so.
        func tree() throws -> MadeTree {
            let carol = try MadeTree.carol.get()
            switch self {
            case .network:
                var tree = carol
                try tree.changeAll { $0.statement.network = .signet }
                return tree
            case .epoch:
                let parameters = TreeParameters(shards: 4, epoch: 25)
                return try MadeTree(MadeTree.chain, name: "carol", key: carol.key, parameters: parameters)
            case .shards:
                let parameters = TreeParameters(shards: 8, epoch: 20)
                return try MadeTree(MadeTree.chain, name: "carol", key: carol.key, parameters: parameters)
            }
        }

        static let trees = Result { try allCases.reduce(into: [:]) { $0[$1] = try $1.tree() } }
    }

    private let trees: [MadeTree]
    private let other: (Other) throws -> ScriptedSite = { try #require(Other.trees.get()[$0]).site }

    init() throws { trees = try MadeTree.all() }

    private func evidence(_ scenario: ClientScenario) throws -> [String] {
        let folder = PlainTree("\(scenario.home)/evidence")
        return folder.files()
    }

    private func expectCarolIsLeftOut(_ run: ClientRun, _ scenario: ClientScenario) throws {
        #expect(run.end == .done(65), "\(run.end)")
        #expect(run.verdict(of: "carol") == .invalid)
        #expect(run.verdict(of: "alice") == .agrees && run.verdict(of: "bob") == .agrees)
        let faults = run.faults(of: "carol")
        #expect(faults.count == 1 && faults.first?.isOfOtherTree == true, "\(faults)")
        let files = try evidence(scenario)
        #expect(
            files.count == 3
                && files.allSatisfy { $0.hasPrefix("other-tree-carol-") && $0.contains("/carol") }, "\(files)"
        )
        let signed = try #require(files.first { $0.hasSuffix(".txt") })
        let folder = PlainTree("\(scenario.home)/evidence")
        let attestation = try SignedAttestation(
            checking: folder.read(signed), signature: folder.read("\(signed).sig"),
            key: trees[2].key.publicKey)
        let common = TreeKind(.regtest, MadeTree.parameters)
        #expect(TreeKind(attestation.statement) != common)
    }

    /// - Parameter isKnown: whether carol was seen to sign the right tree before.
    @Test(arguments: Other.allCases, [false, true]) func mostOfAListSayWhatItIsOf(kind: Other, isKnown: Bool)
        throws
    {
        let scenario = try ClientScenario(trees)
        if isKnown { #expect(scenario.check().end == .done(65)) }
        scenario.serve(try other(kind), at: ClientScenario.url("carol"))
        for _ in 0..<2 { try expectCarolIsLeftOut(scenario.fetch(), scenario) }
        #expect(try scenario.installed() == 65)
        scenario.serve(trees[2])
        let run = scenario.fetch()
        #expect(run.end == .done(65) && run.verdict(of: "carol") == .agrees, "\(run.faults)")
    }

    /// A trustnet says it for its authorities, also where they are few.
    @Test(arguments: Other.allCases, [2, 3]) func aTrustnetSaysWhatItIsOf(kind: Other, members: Int) throws {
        let scenario = try ClientScenario()
        let listed = members == 2 ? [trees[1], trees[2]] : trees
        let net = try MadeTrustnet(listed.map { ($0, [ClientScenario.url($0)]) }, minimum: 1)
        for tree in listed { scenario.serve(tree) }
        scenario.serve(net.site, at: "http://net.example")
        try scenario.change { try $0.use(net.key.publicKey, ["http://net.example"]) }
        scenario.policy.minimum = 1
        scenario.serve(try other(kind), at: ClientScenario.url("carol"))
        let first = scenario.fetch()
        if members == 3 { try expectCarolIsLeftOut(first, scenario) }
        #expect(first.end == .done(65) && first.verdict(of: "carol") == .invalid)
        scenario.serve(trees[2])
        let run = scenario.fetch()
        #expect(run.end == .done(65) && run.verdict(of: "carol") == .agrees, "\(run.faults)")
    }

    /// All but one host may be down: what a trustnet is of is known all the same.
    @Test(arguments: Other.allCases) func aTrustnetWhereNobodyElseIsThere(kind: Other) throws {
        let scenario = try ClientScenario()
        let net = try MadeTrustnet(trees.map { ($0, [ClientScenario.url($0)]) })
        scenario.serve(net.site, at: "http://net.example")
        try scenario.change { try $0.use(net.key.publicKey, ["http://net.example"]) }
        scenario.serve(try other(kind), at: ClientScenario.url("carol"))
        let run = scenario.check()
        #expect(run.end == .noAgreement)
        #expect(run.verdict(of: "carol") == .invalid && run.verdict(of: "alice") == .unreachable)
        for tree in trees { scenario.serve(tree) }
        #expect(scenario.fetch().end == .done(65))
    }

    @Test(arguments: Other.allCases) func oneAgainstOne(kind: Other) throws {
        let scenario = try ClientScenario([trees[1], trees[2]])
        scenario.serve(try other(kind), at: ClientScenario.url("carol"))
        for _ in 0..<2 { #expect(scenario.check().end == .incompatible) }
        scenario.serve(trees[2])
        #expect(scenario.fetch().end == .done(65))
        #expect(try scenario.installed() == 65)
    }

    /// One host of two serves it: what carol signed is what she signed.
    @Test(arguments: Other.allCases) func oneOfTwoMirrors(kind: Other) throws {
        let scenario = try ClientScenario([trees[0], trees[1]])
        scenario.serve(try other(kind), at: ClientScenario.url("other"))
        try scenario.trust(trees[2], at: [ClientScenario.url("carol"), ClientScenario.url("other")])
        let run = scenario.fetch()
        #expect(run.end == .done(65))
        #expect(run.verdict(of: "carol") == .invalid)
        #expect(run.faults(of: "carol").contains { $0.isOfOtherTree })
        scenario.serve(trees[2].site, at: ClientScenario.url("other"))
        let next = scenario.fetch()
        #expect(next.end == .done(65) && next.verdict(of: "carol") == .agrees)
    }
}

extension Fault {
    fileprivate var isOfOtherTree: Bool {
        if case .otherTree = kind { true } else { false }
    }
}
