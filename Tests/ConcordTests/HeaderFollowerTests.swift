import TestSupport
import Testing

@testable import Concord

@Suite struct HeaderFollowerTests {
    static func follow(
        _ headers: [UInt8], _ network: Network, knownBlocks: [BlockID] = []
    ) throws(HeaderFault) -> HeaderFollower {
        var follower = HeaderFollower(network, knownBlocks: knownBlocks)
        try headers.withBytes { raw throws(HeaderFault) in try follower.follow(raw) }
        return follower
    }

    static func fault(_ headers: [UInt8], _ network: Network = .regtest, knownBlocks: [BlockID] = [])
        -> HeaderFault?
    {
        do throws(HeaderFault) {
            _ = try follow(headers, network, knownBlocks: knownBlocks)
            return nil
        } catch {
            return error
        }
    }

    static func parse(_ header: [UInt8]) throws -> BlockHeader { try BlockHeaderTests.parse(header) }

    // MARK: The main network's first 4,313 headers

    static let needsMainnet = ConditionTrait.enabled(
        if: ChainFixture.mainnet4312.isThere,
        "mainnet-4312 is real chain data and not committed: it is read from ../shared/fixtures")
    static let mainnet = Result { try ChainFixture.mainnet4312.headers() }

    @Test(needsMainnet) func theMainNetworksHeaders() throws {
        let headers = try Self.mainnet.get()
        let follower = try Self.follow(headers, .main)
        let last = try #require(try ChainFixture.mainnet4312.answers().last)
        #expect(follower.height == 4312 && follower.tip?.hash.reversedHex == last.block)
        // Difficulty 1 is 2^32 + 2^16 + 1 hashes.
        #expect(follower.work == 4313 * 0x1_0001_0001)
        #expect(try follower.latestTime == (0...4312).map { try Self.parse(headers.header($0)).time }.max())
    }

    /// At 2016 and 4032 the targets are reckoned anew: the blocks were slow, and it stays the easiest.
    @Test(needsMainnet) func theMainNetworksFirstRetargets() throws {
        let headers = try Self.mainnet.get()
        var context = HeaderContext(HeaderRules(.main))
        for height in 0...4312 {
            let header = try Self.parse(headers.header(height))
            if height % 2016 == 0, height > 0 {
                #expect(context.requiredBits(time: header.time) == 0x1d00_ffff)
                for bits in [0x1d00_fffe, 0x1d01_0000, 0x1c7f_ffff] as [UInt32] {
                    #expect(
                        context.fault(version: header.version, time: header.time, bits: bits)
                            == .bits(found: bits, required: 0x1d00_ffff))
                }
            }
            context.append(time: header.time, bits: header.bits)
        }
    }

    @Test(needsMainnet, arguments: [1, 2015, 2016, 4032, 4312])
    func oneChangeIsSeen(height: Int) throws {
        let headers = try Self.mainnet.get()
        // Version, parent, time, bits, nonce.
        for (byte, reason) in [
            (0, HeaderFault.Reason.noWork), (4, .notChild), (35, .notChild), (68, .noWork), (72, .noWork),
            (76, .noWork), (79, .noWork),
        ] {
            var changed = headers
            changed[height * 80 + byte] ^= 1
            #expect(Self.fault(changed, .main) == HeaderFault(reason, height: height))
        }
        var without = headers
        without.removeSubrange(height * 80..<(height + 1) * 80)
        if height < 4312 { #expect(Self.fault(without, .main) == HeaderFault(.notChild, height: height)) }
    }

    /// Where the chain should have another block, at any height.
    @Test(needsMainnet) func theChainMustPassThroughKnownBlocks() throws {
        let headers = try Self.mainnet.get()
        let follower = try Self.follow(Array(headers[..<(3001 * 80)]), .main)
        let block = try #require(follower.tip)
        let other = Digest(every: 7)
        let last = BlockID(height: 4000, hash: other)
        #expect(Self.fault(headers, .main, knownBlocks: [block]) == nil)
        #expect(
            Self.fault(headers, .main, knownBlocks: [block, last])
                == HeaderFault(.notKnown(other), height: 4000))
        #expect(
            Self.fault(headers, .main, knownBlocks: [BlockID(height: 3000, hash: other), last])
                == HeaderFault(.notKnown(other), height: 3000))
        // Not reached.
        #expect(Self.fault(headers, .main, knownBlocks: [BlockID(height: 4313, hash: other)]) == nil)
    }

    // MARK: Regtest

    @Test func aChainOfBitcoinCores() throws {
        let headers = try ChainFixture.regtestRich.headers()
        let last = try #require(try ChainFixture.regtestRich.answers().last)
        let follower = try Self.follow(headers, .regtest)
        #expect(follower.tip?.hash.reversedHex == last.block && "\(follower.height)" == last.height)
        #expect(follower.work == 2 * UInt128(headers.count / 80))
    }

    @Test func inPiecesAsInOne() throws {
        let headers = TestHeaders.genesis + TestHeaders.chain(300)
        let whole = try Self.follow(headers, .regtest)
        var pieces = HeaderFollower(.regtest)
        #expect(pieces.tip == nil && pieces.height == -1 && pieces.work == 0)
        for place in 0...300 {
            try headers.header(place).withBytes { raw throws(HeaderFault) in try pieces.follow(raw) }
            #expect(pieces.height == place)
        }
        #expect(pieces.tip == whole.tip && pieces.work == whole.work && whole.height == 300)
    }

    @Test(arguments: Network.allCases) func onlyTheNetworksOwnFirstBlock(network: Network) {
        let regtest = Self.fault(TestHeaders.genesis, network)
        let main = Self.fault(BlockHeaderTests.genesis, network)
        #expect(regtest == (network == .regtest ? nil : HeaderFault(.notGenesis, height: 0)))
        #expect(main == (network == .main ? nil : HeaderFault(.notGenesis, height: 0)))
    }

    /// What a miner can get wrong; the follower stands before it, and goes on with a good one.
    @Test func eachFaultHasItsReason() throws {
        let before = TestHeaders.genesis + TestHeaders.chain(20)
        let parent = before.header(20)
        let median = try Self.parse(before.header(15)).time
        for (header, reason) in [
            (TestHeaders.child(of: before.header(19), salt: 1), .notChild),
            (
                TestHeaders.child(of: parent, bits: 0x207f_fffe),
                .bits(found: 0x207f_fffe, required: 0x207f_ffff)
            ),
            (
                TestHeaders.child(of: parent, bits: 0x2070_0000),
                .bits(found: 0x2070_0000, required: 0x207f_ffff)
            ),
            (TestHeaders.child(of: parent, time: median), .tooEarly),
            (TestHeaders.child(of: parent, time: median - 1), .tooEarly),
            (TestHeaders.child(of: parent, version: 3), .version(3)),
            (TestHeaders.child(of: parent, version: 0x8000_0004), .version(.min + 4)),
            (Array(parent.prefix(79)), .truncated),
        ] as [([UInt8], HeaderFault.Reason)] {
            var follower = try Self.follow(before, .regtest)
            #expect(throws: HeaderFault(reason, height: 21)) {
                try header.withBytes { raw throws(HeaderFault) in try follower.follow(raw) }
            }
            #expect(follower.height == 20)
            try TestHeaders.child(of: parent, time: median + 1).withBytes {
                raw throws(HeaderFault) in try follower.follow(raw)
            }
            #expect(follower.height == 21)
        }
    }

    @Test func aHashAboveItsTarget() {
        let before = TestHeaders.genesis + TestHeaders.chain(3)
        var header = TestHeaders.child(of: before.header(3))
        var isMet = true
        while isMet {
            header[77] += 1
            isMet = (try? Self.parse(header).meetsItsTarget) ?? false
        }
        #expect(Self.fault(before + header) == HeaderFault(.noWork, height: 4))
    }

    @Test func faultsInWords() {
        #expect(
            HeaderFault(.bits(found: 0x1d00_fffe, required: 0x1d00_ffff), height: 2016).description
                == "the header of height 2016 names the target 1d00fffe, where the rules ask for 1d00ffff")
        #expect(
            HeaderFault(.notChild, height: 7).description
                == "the header of height 7 is not the child of the one before")
    }

    // MARK: What is built in

    @Test func knownBlocksAreInOrder() {
        for network in Network.allCases {
            let known = network.knownBlocks
            #expect(known.count == [.main: 5, .testnet4: 3, .signet: 3, .regtest: 0][network])
            #expect(known.map(\.height) == known.map(\.height).sorted())
            // A hash with so many zeros was worked for.
            for block in known { #expect(block.hash.reversedHex.hasPrefix("000000")) }
        }
    }

    @Test func knownWorkIsBitcoinCores() {
        #expect(
            Network.allCases.map { String($0.knownWork, radix: 16) }
                == ["1128750f82f4c366153a3a030", "9a0fe15d0177d086304", "b463ea0a4b8", "0"])
    }
}
