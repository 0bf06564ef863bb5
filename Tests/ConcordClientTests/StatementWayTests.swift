import Concord
import Testing

@testable import ConcordClient

/// The way from an epoch's snapshot to a block, statement by statement.
@Suite struct StatementChainTests {
    /// Heights 100 to 110.
    static func chain() throws -> [Statement] {
        let parameters = try #require(TreeParameters(checking: 16, epoch: 50))
        var statements: [Statement] = []
        for height in 100...110 {
            let block = SHA256.hash("block \(height)")
            let patch = SHA256.hash("patch \(height)")
            let root = height == 100 ? SHA256.hash("root") : nil
            let history =
                root
                ?? Statement.history(after: statements[height - 101].history, block: block, patchRoot: patch)
            statements.append(
                Statement(
                    network: .regtest, parameters: parameters, height: height, block: block,
                    parent: SHA256.hash("block \(height - 1)"), coins: 1, amount: 1, muhash: .zero,
                    patchRoot: patch,
                    history: history, snapshotRoot: root))
        }
        return statements
    }

    @Test func aWholeChain() throws {
        let chain = try Self.chain()
        for count in 1...chain.count {
            #expect(StatementChain.firstBroken(in: Array(chain.prefix(count))) == nil)
        }
    }

    @Test func whereItIsBroken() throws {
        let chain = try Self.chain()
        #expect(StatementChain.firstBroken(in: []) != nil)
        #expect(StatementChain.firstBroken(in: Array(chain.dropFirst())) != nil)
        func broken(_ change: (inout [Statement]) -> Void) -> Int? {
            var changed = chain
            change(&changed)
            return StatementChain.firstBroken(in: changed)
        }
        let other = SHA256.hash("other")
        #expect(broken { $0[0].snapshotRoot = nil } != nil)
        #expect(broken { $0[0].snapshotRoot = other } != nil)
        for i in 1..<chain.count {
            #expect(broken { $0[i].patchRoot = other } == i)
            #expect(broken { $0[i].history = other } == i)
            #expect(broken { $0[i].parent = other } == i)
            #expect(broken { $0[i].block = other } == i)
            #expect(broken { $0[i].network = .main } == i)
            #expect(broken { $0[i].height += 1 } != nil)
            if i < chain.count - 1 { #expect(broken { $0.remove(at: i) } != nil) }
            if i < chain.count - 1 { #expect(broken { $0.swapAt(i, i + 1) } != nil) }
        }
        #expect(broken { $0.insert($0[3], at: 3) } != nil)
    }
}
