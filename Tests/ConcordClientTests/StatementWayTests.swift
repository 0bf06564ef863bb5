import Concord
import Testing

@testable import ConcordClient

/// The way from a statement to one above it, by the digests that each names.
@Suite struct StatementWayTests {
    static let parameters = TreeParameters(shards: 16, epoch: 200)

    /// All statements of heights 200 to 399, and of 400.
    static func chain() -> [Statement] {
        var statements: [Statement] = []
        for height in 200...400 {
            let root = height % 200 == 0 ? SHA256.hash("root") : nil
            statements.append(
                Statement(
                    network: .regtest, parameters: parameters, height: height,
                    block: SHA256.hash("block \(height)"), parent: SHA256.hash("block \(height - 1)"),
                    coins: 1,
                    amount: 1, muhash: .zero, muhashes: .zero, patchRoot: SHA256.hash("patch \(height)"),
                    deltas: parameters.deltaSpans(at: height).map { SHA256.hash("delta \(height) \($0)") },
                    history: parameters.historySpans(at: height).map { statements[height - $0 - 200].digest },
                    snapshotRoot: root))
        }
        return statements
    }

    private static func way(_ base: Int, _ target: Int) -> [Statement] {
        let all = chain()
        return ([base] + parameters.steps(from: base, to: target).map(\.height)).map { all[$0 - 200] }
    }

    @Test(arguments: [
        (200, 200), (200, 201), (200, 210), (200, 337), (200, 399), (205, 333), (237, 312), (390, 399),
    ])
    func theFewestFiles(base: Int, target: Int) throws {
        let statements = Self.way(base, target)
        let way = try #require(StatementWay(statements))
        #expect(way.statements == statements && way.statements.count <= 28)
        var height = base
        for file in way.files {
            #expect(file.heights.lowerBound == height + 1)
            #expect(file.root == statements.first { $0.blockID == file.block }?.root(ofSpan: file.span))
            height = file.block.height
        }
        #expect(height == target)
        // No way with one file less: the largest spans, as often as they fit.
        if (base, target) == (200, 337) {
            #expect(way.files.map(\.span) == [100, 10, 10, 10] + .init(repeating: 1, count: 7))
        }
    }

    @Test func whereItIsBroken() throws {
        let statements = Self.way(200, 337)
        func broken(_ change: (inout [Statement]) -> Void) -> Int? {
            var changed = statements
            change(&changed)
            return StatementWay.firstBroken(in: changed)
        }
        #expect(broken { _ in } == nil)
        let other = SHA256.hash("other")
        for i in statements.indices {
            // Whoever changes one has to change all above it.
            let next = i < statements.count - 1 ? i + 1 : nil
            #expect(broken { $0[i].patchRoot = other } == next)
            #expect(broken { $0[i].muhashes = other } == next)
            #expect(broken { $0[i].coins += 1 } == next)
            if i > 0 { #expect(broken { $0[i].history = $0[i].history.map { _ in other } } == i) }
            if i > 0, i < statements.count - 1 { #expect(broken { $0.remove(at: i) } != nil) }
            if i > 0 { #expect(broken { $0.swapAt(i, i - 1) } != nil) }
        }
        #expect(StatementWay([]) == nil)
    }

    /// Nothing leads down across an epoch height.
    @Test func anEpochHeightNamesNothing() {
        let all = Self.chain()
        #expect(StatementWay([all[199], all[200]]) == nil && StatementWay([all[200]]) != nil)
    }
}
