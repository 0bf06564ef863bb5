import TestSupport
import Testing

@testable import Concord

/// Branches of a trunk of 40 blocks.
@Suite struct MostWorkTests {
    static let trunk = TestHeaders.genesis + TestHeaders.chain(40)

    /// A chain that leaves the trunk behind `fork`, as whole and as a branch.
    struct Chain {
        let whole: [UInt8]
        let branch: HeaderBranch

        init(fork: Int, _ headers: [UInt8]) throws {
            let shared = Array(MostWorkTests.trunk[..<((fork + 1) * 80)])
            whole = shared + headers
            branch = try HeaderBranch(
                from: HeaderFollowerTests.follow(shared, .regtest), following: headers)
        }

        init(fork: Int, _ count: Int, salt: UInt64) throws {
            try self.init(
                fork: fork, TestHeaders.chain(count, on: MostWorkTests.trunk.header(fork), salt: salt))
        }
    }

    static func hash(_ header: [UInt8]) -> Digest { header.withBytes { SHA256.double($0) } }

    static func onTrunk(_ height: Int) -> BlockID? {
        height <= 40 ? BlockID(height: height, hash: hash(trunk.header(height))) : nil
    }

    @Test func aBranchKnowsItsBlocks() throws {
        let chain = try Chain(fork: 30, 5, salt: 1)
        #expect(chain.branch.fork == 30 && chain.branch.tip.height == 35 && chain.branch.work == 72)
        for height in 31...35 {
            let block = BlockID(height: height, hash: Self.hash(chain.whole.header(height)))
            #expect(chain.branch.block(at: height) == block)
        }
        for height in [-1, 0, 30, 36, 100] { #expect(chain.branch.block(at: height) == nil) }
    }

    @Test func aFaultHasItsHeight() throws {
        let headers = TestHeaders.chain(5, on: Self.trunk.header(30))
        var changed = headers
        changed[2 * 80 + 4] ^= 1
        #expect(throws: HeaderFault(.notChild, height: 33)) { try Chain(fork: 30, changed) }
        #expect(throws: HeaderFault(.notChild, height: 31)) { try Chain(fork: 30, Array(headers[80...])) }
        #expect(throws: HeaderFault(.truncated, height: 0)) {
            try HeaderBranch(from: HeaderFollower(.regtest), following: [])
        }
    }

    /// Of equals it is the first.
    @Test func mostWorkWins() throws {
        let lagging = try Chain(fork: 38, []).branch
        let trunk = try Chain(fork: 40, []).branch
        let equal = try Chain(fork: 37, 3, salt: 1).branch
        let longer = try Chain(fork: 35, 6, salt: 2).branch
        #expect(MostWork(among: []) == nil)
        #expect(MostWork(among: [lagging, trunk, equal])?.best == 1)
        #expect(MostWork(among: [lagging, equal, trunk])?.best == 1)
        let compared = try #require(MostWork(among: [lagging, trunk, equal, longer]))
        #expect(compared.best == 3)
        #expect((0...3).map { compared.depth(of: $0) } == [3, 5, 5, 0])
        let first = try #require(MostWork(among: [lagging, trunk, equal]))
        #expect((0...2).map { first.depth(of: $0) } == [0, 0, 3])
    }

    /// The work counts, and not the blocks: a long chain of easy ones is nothing.
    @Test func fewerBlocksCanHaveMoreWork() throws {
        let long = try Chain(fork: 20, 30, salt: 1).branch
        var short = try Chain(fork: 25, 2, salt: 2).branch
        short.work = long.work + 1
        let compared = try #require(MostWork(among: [long, short]))
        #expect(compared.best == 1 && compared.depth(of: 0) == 30)
        short.work = long.work
        #expect(MostWork(among: [short, long])?.best == 0)
    }

    /// Random branches, and branches of branches, against whole lists of blocks.
    @Test func asListsOfBlocksSay() throws {
        var random = SeededRandom()
        for _ in 0..<40 {
            var chains: [Chain] = []
            for salt in 1...UInt64.random(in: 1...6, using: &random) {
                if let other = chains.randomElement(using: &random), Bool.random(using: &random) {
                    // Shares some of its headers with another branch.
                    let shared = Int.random(in: 0...other.branch.headers.count / 80, using: &random)
                    let own = Int.random(in: 0...5, using: &random)
                    let last = other.whole.header(other.branch.fork + shared)
                    try chains.append(
                        Chain(
                            fork: other.branch.fork,
                            Array(other.branch.headers[..<(shared * 80)])
                                + TestHeaders.chain(own, on: last, salt: salt)))
                } else {
                    let fork = Int.random(in: 30...40, using: &random)
                    let count = Int.random(in: 0...8, using: &random)
                    try chains.append(Chain(fork: fork, count, salt: salt))
                }
            }
            let compared = try #require(MostWork(among: chains.map(\.branch)))
            let blocks = chains.map { chain in
                (0..<chain.whole.count / 80).map { Self.hash(chain.whole.header($0)) }
            }
            let most = blocks.map(\.count).max()
            let best = try #require(blocks.firstIndex { $0.count == most })
            #expect(compared.best == best)
            for (i, hashes) in blocks.enumerated() {
                #expect(compared.depth(of: i) == hashes.filter { !blocks[best].contains($0) }.count)
                for (height, hash) in hashes.enumerated() {
                    #expect(
                        compared.contains(BlockID(height: height, hash: hash), trunk: Self.onTrunk)
                            == (height < blocks[best].count && blocks[best][height] == hash))
                }
            }
            for height in [0, 35, 60] {
                #expect(
                    !compared.contains(
                        BlockID(height: height, hash: Digest(every: 9)), trunk: Self.onTrunk))
            }
        }
    }
}
