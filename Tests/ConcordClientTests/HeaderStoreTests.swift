import Concord
import ConcordFiles
import TestSupport
import Testing

@testable import ConcordClient

/// The client's own copy of the headers.
@Suite struct HeaderStoreTests {
    let scratch: Scratch
    /// Regtest's first 5,001 headers: two waypoints and a part.
    static let chain = TestHeaders.genesis + TestHeaders.chain(5000)
    static let path = "headers/regtest.bin"

    init() throws {
        scratch = try Scratch()
    }

    func open(_ network: Network = .regtest) throws -> HeaderStore {
        try HeaderStore(Folder(scratch.folder), network)
    }

    static func headers(_ heights: Range<Int>) -> [UInt8] {
        Array(chain[(heights.lowerBound * 80)..<(heights.upperBound * 80)])
    }

    static func hash(_ header: [UInt8]) -> Digest { header.withBytes { SHA256.double($0) } }

    /// Opens it and takes over headers.
    @discardableResult
    func install(_ headers: [UInt8], from start: Int) throws -> Bool {
        var store = try open()
        return try store.install(try store.branch(headers, from: start))
    }

    /// What is stored, and what each of its heights says, is this chain.
    func expect(_ chain: [UInt8], _ location: SourceLocation = #_sourceLocation) throws {
        let store = try open()
        let count = chain.count / 80
        #expect(store.count == count && store.work == 2 * UInt128(count), sourceLocation: location)
        for height in [0, 1, 2014, 2015, 2016, 2017, 4031, 4032, count - 2, count - 1]
        where (0..<count).contains(height) {
            let block = BlockID(height: height, hash: Self.hash(chain.header(height)))
            #expect(try store.block(at: height) == block, sourceLocation: location)
        }
        #expect(try store.block(at: count) == nil && store.block(at: -1) == nil, sourceLocation: location)
        #expect(store.trunk?.tip == store.tip && store.trunk?.work == store.work, sourceLocation: location)
    }

    @Test func nothingIsStoredAtFirst() throws {
        let store = try open()
        #expect(store.count == 0 && store.tip == nil && store.work == 0)
        #expect(try store.block(at: 0) == nil)
        #expect(store.trunk == nil)
        #expect(try Folder.names(in: scratch.folder).isEmpty)
    }

    @Test(arguments: [1, 2, 2015, 2016, 2017, 4032, 4033, 5001])
    func whatIsInstalledIsThereAgain(count: Int) throws {
        try #expect(install(Self.headers(0..<count), from: 0))
        try expect(Self.headers(0..<count))
        #expect(try scratch.read(Self.path) == Self.headers(0..<count))
    }

    @Test func epochByEpoch() throws {
        var store = try open()
        for start in stride(from: 0, to: 5000, by: 1000) {
            let branch = try store.branch(Self.headers(start..<start + 1000), from: start)
            #expect(branch.fork == start - 1)
            try #expect(store.install(branch))
            #expect(store.count == start + 1000)
        }
        try expect(Self.headers(0..<5000))
    }

    /// The newest file of a tree begins below the tip, and has old headers and new ones.
    @Test func anOverlapIsNotWrittenAgain() throws {
        try install(Self.headers(0..<3500), from: 0)
        let store = try open()
        let branch = try store.branch(Self.headers(3000..<3600), from: 3000)
        #expect(branch.fork == 3499 && branch.headers == Self.headers(3500..<3600))
        // A tree that lags is a part of what is stored.
        let lagging = try store.branch(Self.headers(3000..<3100), from: 3000)
        #expect(lagging.fork == 3099 && lagging.headers.isEmpty && lagging.work == 6200)
        try #expect(!install(Self.headers(3000..<3100), from: 3000))
        try #expect(!install(Self.headers(3000..<3500), from: 3000))
        try #expect(install(Self.headers(3000..<3600), from: 3000))
        try expect(Self.headers(0..<3600))
    }

    @Test(arguments: [4999, 4500, 4032, 4031, 2016, 2015, 1000, 0])
    func aBranchWithMoreWorkReplacesTheRest(fork: Int) throws {
        try install(Self.chain, from: 0)
        let same = TestHeaders.chain(5000 - fork, on: Self.chain.header(fork), salt: 1)
        try #expect(!install(same, from: fork + 1))
        try expect(Self.chain)
        let more = same + TestHeaders.chain(1, on: same.header(4999 - fork), salt: 1)
        // With some headers below the fork, as in an epoch's file.
        let start = max(0, fork - 10)
        try #expect(install(Self.headers(start..<fork + 1) + more, from: start))
        try expect(Self.headers(0..<fork + 1) + more)
        // The first one comes back only with more work again.
        try #expect(!install(Self.headers(start..<5001), from: start))
        try expect(Self.headers(0..<fork + 1) + more)
    }

    @Test func whatDoesNotFollowIsRefused() throws {
        try install(Self.headers(0..<3000), from: 0)
        let store = try open()
        func fault(_ headers: [UInt8], from start: Int) -> HeaderFault? {
            #expect(throws: HeaderFault.self) { try store.branch(headers, from: start) }
        }
        #expect(fault([], from: 3000) == HeaderFault(.truncated, height: 3000))
        #expect(
            fault(Array(Self.headers(3000..<3003).dropLast()), from: 3000)
                == HeaderFault(.truncated, height: 3002))
        // Beyond a gap, at another height, of a stranger.
        #expect(fault(Self.headers(3001..<3010), from: 3001) == HeaderFault(.notChild, height: 3001))
        #expect(fault(Self.headers(3000..<3010), from: 2999) == HeaderFault(.notChild, height: 2999))
        let stranger = TestHeaders.chain(3, on: TestHeaders.child(of: Self.chain.header(9), salt: 4))
        #expect(fault(stranger, from: 2000) == HeaderFault(.notChild, height: 2000))
        #expect(fault(Self.headers(1..<9), from: 0) == HeaderFault(.notGenesis, height: 0))
        #expect(fault(Self.headers(1..<9), from: -1) == HeaderFault(.notChild, height: -1))
        var changed = Self.headers(2990..<3010)
        changed[15 * 80 + 4] ^= 1
        #expect(fault(changed, from: 2990) == HeaderFault(.notChild, height: 3005))
        try expect(Self.headers(0..<3000))
    }

    /// A branch was followed, and then another one installed.
    @Test func aBranchOfWhatWasStoredBefore() throws {
        var store = try open()
        try store.install(store.branch(Self.headers(0..<101), from: 0))
        let late = try store.branch(
            TestHeaders.chain(10, on: Self.chain.header(100), salt: 1), from: 101)
        let other = try store.branch(
            TestHeaders.chain(7, on: Self.chain.header(95), salt: 2), from: 96)
        try store.install(other)
        #expect(throws: FileError.self) { try store.install(late) }
        #expect(store.tip == other.tip)
        #expect(try open().tip == other.tip)
    }

    @Test func theEpochsToFetch() throws {
        try install(Self.headers(0..<3000), from: 0)
        let store = try open()
        let parameters = TreeParameters(shards: 16, epoch: 1000)
        for (tip, epochs) in [
            (2500, [2000]), (2999, [2000]), (3000, [3000]), (3999, [3000]), (4000, [3000, 4000]),
            (6123, [3000, 4000, 5000, 6000]), (0, [0]), (999, [0]),
        ] {
            #expect(Array(store.epochs(to: tip, parameters)) == epochs)
        }
        #expect(Array(store.epochs(to: 3001, TreeParameters(shards: 16, epoch: 900))) == [2700])
        #expect(try store.isContinued(by: Self.headers(2000..<3010), from: 2000))
        #expect(try store.isContinued(by: Self.headers(3000..<3001), from: 3000))
        #expect(try !store.isContinued(by: Self.headers(3001..<3002), from: 3001))
        #expect(try !store.isContinued(by: [], from: 3000))
        let branch = TestHeaders.chain(9, on: TestHeaders.child(of: Self.chain.header(1998), salt: 3))
        #expect(try !store.isContinued(by: branch, from: 2000))
    }

    /// Whatever a write that was cut short, or a bad disk, left behind: what can be followed is there, and the rest comes
    /// again.
    @Test(arguments: [0, 1, 79, 80, 81, 2016 * 80 - 1, 2016 * 80, 2016 * 80 + 1, 4000 * 80 + 33])
    func aFileThatWasCutOff(size: Int) throws {
        try scratch.write(Self.chain[..<size], to: Self.path)
        let count = size / 80
        if count > 0 { try expect(Self.headers(0..<count)) } else { #expect(try open().count == 0) }
        try #expect(install(Self.headers(count..<5001), from: count))
        try expect(Self.chain)
        #expect(try scratch.read(Self.path) == Self.chain)
    }

    @Test(arguments: [0, 1, 2015, 2016, 3000, 5000])
    func aFileWithAFlippedBit(height: Int) throws {
        var changed = Self.chain
        changed[height * 80 + 10] ^= 4
        try scratch.write(changed, to: Self.path)
        #expect(try open().count == height)
        try #expect(install(Self.headers(height..<5001), from: height))
        #expect(try scratch.read(Self.path) == Self.chain)
    }

    @Test func aFileWithZerosBehindItsEnd() throws {
        try scratch.write(Self.headers(0..<100) + [UInt8](repeating: 0, count: 4096), to: Self.path)
        try expect(Self.headers(0..<100))
        try install(Self.headers(100..<101), from: 100)
        #expect(try scratch.read(Self.path) == Self.headers(0..<101))
    }

    @Test func networksHaveTheirOwn() throws {
        try install(Self.headers(0..<10), from: 0)
        #expect(try open(.main).count == 0)
        try scratch.write(Self.chain, to: "headers/signet.bin")
        #expect(try open(.signet).count == 0)
    }

    /// One run looks while another replaces the chain: it goes on with what it saw.
    @Test func anOpenStoreStaysWhatItWas() throws {
        try install(Self.headers(0..<3000), from: 0)
        let open = try open()
        let branch = TestHeaders.chain(2995, on: Self.chain.header(5), salt: 1)
        try #expect(install(branch, from: 6))
        #expect(try open.block(at: 2500)?.hash == Self.hash(Self.chain.header(2500)))
        #expect(try self.open().block(at: 2500)?.hash == Self.hash(branch.header(2494)))
    }
}
