import TestSupport
import Testing

@testable import Concord

/// Headers that are followed from a block that is known: the same as from the genesis block on.
@Suite struct PinnedStartTests {
    private static let regtest = TestHeaders.genesis + TestHeaders.chain(400)

    static func start(
        _ headers: [UInt8], _ height: Int, _ network: Network, epoch: Int
    ) throws -> PinnedStart {
        let follower = try HeaderFollowerTests.follow(Array(headers[..<((height + 1) * 80)]), network)
        return PinnedStart(
            BlockID(height: height, hash: try #require(follower.tip).hash), work: follower.work, network,
            TreeParameters(shards: 4, epoch: epoch))
    }

    private static func follow(
        _ headers: [UInt8], from start: PinnedStart, _ network: Network
    ) throws(HeaderFault) -> HeaderFollower {
        try headers.withBytes { raw throws(HeaderFault) in
            try HeaderFollower(network, at: start, above: raw)
        }
    }

    private static func headers(_ headers: [UInt8], of start: PinnedStart) -> [UInt8] {
        Array(headers[(start.base * 80)..<((start.block.height + 1) * 80)])
    }

    // MARK: Where it begins

    /// The lower of its period's first block and the tenth before it, down to where a file begins.
    @Test(arguments: [
        // The period's first block is 937,440: it lies below the pinned block's epoch, in it, and an epoch begins below both.
        (Network.main, 938_343, 100, 937_400), (.main, 938_343, 1000, 937_000),
        (.main, 938_343, 10_000, 930_000), (.main, 938_343, 2016, 937_440), (.main, 938_343, 1, 937_440),
        // A period's first block, its last, and those about the tenth.
        (.main, 4032, 1, 4022), (.main, 4032, 2016, 2016), (.main, 4031, 1, 2016), (.main, 4041, 1, 4031),
        (.main, 4042, 1, 4032), (.main, 4043, 1, 4032),
        (.main, 0, 1000, 0), (.main, 5, 1, 0), (.main, 11, 7, 0),
        // Regtest's periods have 144 blocks.
        (.regtest, 165, 20, 140), (.regtest, 150, 20, 140), (.regtest, 200, 1, 144),
    ])
    func theBase(network: Network, height: Int, epoch: Int, base: Int) {
        let start = PinnedStart(
            BlockID(height: height, hash: .zero), work: 0, network, TreeParameters(shards: 4, epoch: epoch))
        #expect(start.base == base && start.count == height - base + 1)
    }

    /// What kernel/chainparams.cpp has together for the main network.
    @Test func whatIsBuiltIn() throws {
        let parameters = TreeParameters(shards: 1024, epoch: 1000)
        let start = try #require(Network.main.pinnedStart(parameters))
        #expect(
            start.block.description
                == "938343 00000000000000000000ccebd6d74d9194d8dcdc1d177c478e094bfad51ba5ac")
        #expect(String(start.work, radix: 16) == "1128750f82f4c366153a3a030" && start.base == 937_000)
        for network in Network.allCases where network != .main {
            #expect(network.pinnedStart(parameters) == nil)
        }
    }

    // MARK: The same as from the genesis block on

    /// Periods begin at 2016 and 4032.
    @Test(
        HeaderFollowerTests.needsMainnet,
        arguments: [0, 5, 2015, 2016, 2017, 3000, 4030, 4031, 4032, 4042, 4312], [1, 1000, 2016, 100_000])
    func theMainNetworksHeaders(height: Int, epoch: Int) throws {
        let headers = try HeaderFollowerTests.mainnet.get()
        let start = try Self.start(headers, height, .main, epoch: epoch)
        var full = try HeaderFollowerTests.follow(Array(headers[..<((height + 1) * 80)]), .main)
        var pinned = try Self.follow(Self.headers(headers, of: start), from: start, .main)
        for next in height + 1...4313 {
            #expect(pinned.tip == full.tip && pinned.work == full.work)
            if next == 4313 { break }
            try headers.header(next).withBytes { raw throws(HeaderFault) in
                try full.follow(raw)
                try pinned.follow(raw)
            }
        }
    }

    private static func fault(_ header: [UInt8], after follower: HeaderFollower) -> HeaderFault? {
        var follower = follower
        do throws(HeaderFault) {
            try header.withBytes { raw throws(HeaderFault) in try follower.follow(raw) }
            return nil
        } catch {
            return error
        }
    }

    /// What a miner can get wrong, right after the pinned block and later.
    @Test(arguments: [143, 144, 145, 153, 154, 155, 200, 287], [1, 20, 100])
    func everyFaultAbove(height: Int, epoch: Int) throws {
        let start = try Self.start(Self.regtest, height, .regtest, epoch: epoch)
        for above in [0, 1, 9, 10, 11, 100] {
            let before = Array(Self.regtest[..<((height + above + 1) * 80)])
            let full = try HeaderFollowerTests.follow(before, .regtest)
            var pinned = try Self.follow(Self.headers(before, of: start), from: start, .regtest)
            try Array(before[((height + 1) * 80)...]).withBytes {
                raw throws(HeaderFault) in try pinned.follow(raw)
            }
            #expect(pinned.tip == full.tip && pinned.work == full.work)
            #expect(pinned.latestTime == full.latestTime)
            let parent = before.header(height + above)
            let median = try HeaderFollowerTests.parse(before.header(height + above - 5)).time
            for (header, isFault) in [
                (TestHeaders.child(of: before.header(height + above - 1), salt: 1), true),
                (TestHeaders.child(of: parent, bits: 0x207f_fffe), true),
                (TestHeaders.child(of: parent, time: median), true),
                (TestHeaders.child(of: parent, time: median + 1), false),
                (TestHeaders.child(of: parent, version: 3), true), (Array(parent.prefix(79)), true),
            ] {
                let fault = Self.fault(header, after: full)
                #expect((fault != nil) == isFault && Self.fault(header, after: pinned) == fault)
            }
        }
    }

    // MARK: What comes with it

    /// Each header from the base on is the one that the pinned block stands on.
    @Test func everyFaultBelow() throws {
        let start = try Self.start(Self.regtest, 165, .regtest, epoch: 20)
        let headers = Self.headers(Self.regtest, of: start)
        func fault(_ headers: [UInt8]) -> HeaderFault? {
            do throws(HeaderFault) {
                _ = try Self.follow(headers, from: start, .regtest)
                return nil
            } catch {
                return error
            }
        }
        #expect(fault(headers) == nil)
        for height in 140...165 {
            let hash = Self.regtest.header(height).withBytes { SHA256.double($0) }
            let expected = HeaderFault(.notKnown(hash), height: height)
            for byte in [0, 4, 35, 36, 68, 72, 76, 79] {
                var changed = headers
                changed[(height - 140) * 80 + byte] ^= 1
                #expect(fault(changed) == expected)
            }
            // Another block on the same parent, with work as good; and all from there on another chain.
            let other = TestHeaders.chain(166 - height, on: Self.regtest.header(height - 1), salt: 2)
            var replaced = headers
            replaced.replaceSubrange((height - 140) * 80..<(height - 139) * 80, with: other.prefix(80))
            #expect(fault(replaced) == expected)
            #expect(
                fault(Array(headers[..<((height - 140) * 80)] + other))?.reason
                    == .notKnown(start.block.hash))
        }
        for size in [0, 1, 79, 80, headers.count - 80, headers.count - 1] {
            #expect(
                fault(Array(headers.prefix(size))) == HeaderFault(.truncated, height: 140 + size / 80))
        }
        #expect(fault(headers + Self.regtest.header(166)) == HeaderFault(.truncated, height: 167))
        // Of other heights.
        #expect(fault(Array(Self.regtest[(139 * 80)..<(165 * 80)]))?.height == 165)
    }

    /// A chain as its owner holds it against others.
    @Test func aBranchOfNothing() throws {
        let start = try Self.start(Self.regtest, 165, .regtest, epoch: 20)
        let headers = Array(Self.regtest[(140 * 80)..<(301 * 80)])
        let branch = try HeaderBranch(.regtest, from: start, following: headers)
        #expect(branch.fork == 139 && branch.headers == headers && branch.work == 2 * 301)
        for height in 140...300 {
            let hash = Self.regtest.header(height).withBytes { SHA256.double($0) }
            #expect(branch.block(at: height) == BlockID(height: height, hash: hash))
        }
        #expect(branch.block(at: 139) == nil && branch.block(at: 301) == nil)
        for count in [0, 1, 25, 26] {
            let part = Array(headers.prefix(count * 80))
            if count == 26 {
                let alone = try HeaderBranch(.regtest, from: start, following: part)
                #expect(alone.tip == start.block && alone.work == start.work)
            } else {
                #expect(throws: HeaderFault(.truncated, height: 140 + count)) {
                    try HeaderBranch(.regtest, from: start, following: part)
                }
            }
        }
        let heavier = Array(headers.prefix(20 * 80)) + TestHeaders.chain(300, on: headers.header(19), salt: 3)
        #expect(throws: HeaderFault(.notKnown(start.block.hash), height: 165)) {
            try HeaderBranch(.regtest, from: start, following: heavier)
        }
    }
}
