import ConcordFiles
import TestSupport
import Testing

@testable import Concord
@testable import ConcordClient

/// The client's own copy of headers that begin at a pinned block.
@Suite struct PinnedHeaderStoreTests {
    private let scratch: Scratch
    private static let chain = HeaderStoreTests.chain
    /// Of height 1000, in the period that begins at 864 and the epoch that does at 950: its headers begin at 850.
    private static let start = PinnedStart(
        BlockID(height: 1000, hash: hash(1000)), work: 2 * 1001, .regtest,
        TreeParameters(shards: 4, epoch: 50))
    private static let path = "headers/regtest.from-850.bin"

    init() throws { scratch = try Scratch() }

    private static func hash(_ height: Int) -> Digest { HeaderStoreTests.hash(chain.header(height)) }
    private static func headers(_ heights: Range<Int>) -> [UInt8] { HeaderStoreTests.headers(heights) }

    private func open() throws -> HeaderStore {
        try HeaderStore(Folder(scratch.folder), .regtest, from: Self.start)
    }

    @discardableResult
    private func install(_ headers: [UInt8], from first: Int = 850) throws -> Bool {
        var store = try open()
        return try store.install(try store.branch(headers, from: first))
    }

    /// What is stored is this chain from the base on.
    private func expect(_ chain: [UInt8], _ location: SourceLocation = #_sourceLocation) throws {
        let store = try open()
        let end = 850 + chain.count / 80
        #expect(store.base == 850 && store.end == end && store.count == end - 850, sourceLocation: location)
        #expect(store.work == 2 * UInt128(end), sourceLocation: location)
        for height in [850, 851, 999, 1000, 1001, 3015, 3016, 3017, end - 2, end - 1] where height < end {
            let block = BlockID(height: height, hash: HeaderStoreTests.hash(chain.header(height - 850)))
            #expect(try store.block(at: height) == block, sourceLocation: location)
        }
        for height in [-1, 0, 849, end, Int.max - 1] {
            #expect(try store.block(at: height) == nil, sourceLocation: location)
        }
        #expect(store.trunk?.tip == store.tip && store.trunk?.work == store.work, sourceLocation: location)
    }

    private func expectNothing(_ location: SourceLocation = #_sourceLocation) throws {
        let store = try open()
        #expect(store.count == 0 && store.end == 850 && store.tip == nil, sourceLocation: location)
        #expect(store.work == 0 && store.trunk == nil, sourceLocation: location)
        for height in [-1, 0, 849, 850, 1000] {
            #expect(try store.block(at: height) == nil, sourceLocation: location)
        }
    }

    private func fault(_ headers: [UInt8], from first: Int = 850) throws -> HeaderFault? {
        let store = try open()
        return #expect(throws: HeaderFault.self) { try store.branch(headers, from: first) }
    }

    @Test func nothingIsStoredAtFirst() throws {
        #expect(Self.start.base == 850)
        try expectNothing()
        #expect(try Folder.names(in: scratch.folder).isEmpty)
    }

    @Test(arguments: [1001, 1002, 3016, 3017, 3018, 5001])
    func whatIsInstalledIsThereAgain(end: Int) throws {
        try #expect(install(Self.headers(850..<end)))
        try expect(Self.headers(850..<end))
        #expect(try scratch.read(Self.path) == Self.headers(850..<end))
        // A chain from the genesis block on has a file of its own.
        #expect(try HeaderStore(Folder(scratch.folder), .regtest).count == 0)
    }

    @Test func inParts() throws {
        try #expect(install(Self.headers(850..<1050)))
        try #expect(!install(Self.headers(850..<1050)))
        for start in stride(from: 1050, to: 5000, by: 50) {
            try #expect(install(Self.headers(start - 50..<start + 50), from: start - 50))
        }
        try expect(Self.headers(850..<5000))
        let store = try open()
        #expect(Array(store.epochs(to: 5061, TreeParameters(shards: 4, epoch: 50))) == [5000, 5050])
    }

    @Test func theEpochsToFetchAtFirst() throws {
        let store = try open()
        #expect(
            Array(store.epochs(to: 1020, TreeParameters(shards: 4, epoch: 50))) == [850, 900, 950, 1000])
    }

    @Test(arguments: [1000, 1001, 2500, 3015, 3016, 3017, 4999])
    func aBranchWithMoreWorkReplacesTheRest(fork: Int) throws {
        try install(Self.headers(850..<5001))
        let same = TestHeaders.chain(5000 - fork, on: Self.chain.header(fork), salt: 1)
        let shared = Self.headers(fork - 10..<fork + 1)
        try #expect(!install(shared + same, from: fork - 10))
        let more = same + TestHeaders.chain(1, on: same.header(4999 - fork), salt: 1)
        try #expect(install(shared + more, from: fork - 10))
        try expect(Self.headers(850..<fork + 1) + more)
        #expect(try scratch.read(Self.path) == Self.headers(850..<fork + 1) + more)
    }

    /// However much work it has, and whether anything is stored or not.
    @Test(arguments: [850, 851, 900, 998, 999]) func aBranchThatLeavesBelowThePinnedBlock(fork: Int) throws {
        let branch = TestHeaders.chain(4500, on: Self.chain.header(fork), salt: 1)
        let headers = Self.headers(850..<fork + 1) + branch
        #expect(try fault(headers) == HeaderFault(.notKnown(Self.hash(1000)), height: 1000))
        try install(Self.headers(850..<1500))
        let known = HeaderFault(.notKnown(Self.hash(fork + 1)), height: fork + 1)
        #expect(try fault(headers) == known)
        #expect(try fault(Array(headers[((fork - 850) * 80)...]), from: fork) == known)
        #expect(try fault(branch, from: fork + 1) == known)
        // One that ends below it is no chain yet.
        #expect(
            try fault(Self.headers(850..<fork + 1)) == HeaderFault(.truncated, height: fork + 1))
        try expect(Self.headers(850..<1500))
    }

    @Test(arguments: [true, false]) func whatLiesBelowTheBase(isStored: Bool) throws {
        if isStored { try install(Self.headers(850..<1500)) }
        for first in [-1, 0, 1, 800, 849] {
            let headers = Self.headers(max(0, first)..<1600)
            #expect(try fault(headers, from: first) == HeaderFault(.notChild, height: first))
            let store = try open()
            #expect(try !store.isContinued(by: headers, from: first))
        }
        let store = try open()
        #expect(try store.isContinued(by: Self.headers(850..<900), from: 850))
        #expect(try store.isContinued(by: Self.headers(900..<950), from: 900) == isStored)
        #expect(try fault([]) == HeaderFault(.truncated, height: 850))
        #expect(try fault(Self.headers(850..<1000)) == HeaderFault(.truncated, height: 1000))
    }

    // MARK: What a disk gives back

    /// What a write that was cut short left: all whole headers from the pinned block on.
    @Test func aFileThatWasCutOffAtAnyByte() throws {
        let whole = Self.headers(850..<1004)
        for size in whole.count - 400...whole.count {
            try scratch.write(whole.prefix(size), to: Self.path)
            let end = 850 + size / 80
            if end > 1000 { try expect(Self.headers(850..<end)) } else { try expectNothing() }
        }
    }

    @Test(arguments: [
        0, 1, 80, 1333, 150 * 80, 151 * 80 - 1, 151 * 80, 151 * 80 + 1, 2167 * 80, 4000 * 80 + 33,
    ])
    func aFileThatWasCutOffIsMadeWhole(size: Int) throws {
        let whole = Self.headers(850..<5001)
        try scratch.write(whole.prefix(size), to: Self.path)
        let end = size < 151 * 80 ? 850 : 850 + size / 80
        try #expect(install(Self.headers(end..<5001), from: end))
        #expect(try scratch.read(Self.path) == whole)
        try expect(whole)
    }

    @Test(arguments: [850, 863, 999, 1000, 1001, 3016, 3017, 5000])
    func aFileWithAFlippedBit(height: Int) throws {
        var changed = Self.headers(850..<5001)
        changed[(height - 850) * 80 + 10] ^= 4
        try scratch.write(changed, to: Self.path)
        if height > 1000 { try expect(Self.headers(850..<height)) } else { try expectNothing() }
        let end = height > 1000 ? height : 850
        try #expect(install(Self.headers(end..<5001), from: end))
        #expect(try scratch.read(Self.path) == Self.headers(850..<5001))
    }

    @Test func aFileOfSomethingElse() throws {
        let other = TestHeaders.chain(4000, salt: 3)
        for bytes in [
            Self.chain, other, [UInt8](repeating: 0, count: 200_000), Self.headers(849..<5001),
            Self.headers(850..<1000) + other,
        ] {
            try scratch.write(bytes, to: Self.path)
            try expectNothing()
            try #expect(install(Self.headers(850..<1100)))
            #expect(try scratch.read(Self.path) == Self.headers(850..<1100))
        }
        try scratch.write(Self.headers(850..<1100) + other, to: Self.path)
        try expect(Self.headers(850..<1100))
    }

    // MARK: Leaving and going on

    @Test(arguments: [-1, 0, 900, 1000, 1001, 3015, 3016, 3017, 4999, 5000, 6000])
    func leavesNothingBelowThePinnedBlock(height: Int) throws {
        try install(Self.headers(850..<5001))
        var store = try open()
        try store.leave(above: height)
        let left = min(max(height, 1000), 5000)
        #expect(store.tip == BlockID(height: left, hash: Self.hash(left)))
        #expect(try store.install(store.branch(Self.headers(left..<5001), from: left)) == (left < 5000))
        try expect(Self.headers(850..<5001))
    }

    @Test(arguments: [true, false]) func aSuccessor(isStored: Bool) throws {
        if isStored { try install(Self.headers(850..<1100)) }
        var store = try open()
        var next = try store.successor()
        #expect(next.end == store.end && next.tip == store.tip)
        for first in [850, 1050, 2050] {
            try next.install(next.branch(Self.headers(first..<first + 1000), from: first))
        }
        #expect(try scratch.read("headers/regtest.from-850.next.bin") == Self.headers(850..<3050))
        // What came stays for the next run.
        #expect(try store.successor().end == 3050)
        try store.adopt(next)
        #expect(store.end == 3050)
        try expect(Self.headers(850..<3050))
        #expect(try Folder.names(in: scratch.path("headers")) == ["regtest.from-850.bin"])
    }

    /// A branch that was followed when nothing was stored yet, as the others of one run are.
    @Test func branchesOfNothing() throws {
        var store = try open()
        let (short, long) = (Self.headers(850..<1200), Self.headers(850..<1300))
        let other = Self.headers(850..<1101) + TestHeaders.chain(300, on: Self.chain.header(1100), salt: 2)
        let branches = try [short, long, other].map { try store.branch($0, from: 850) }
        let most = try #require(MostWork(among: branches))
        #expect(most.best == 2 && most.depth(of: 0) == 99 && most.depth(of: 1) == 199)
        for branch in branches { try #expect(store.install(branch)) }
        try expect(other)
    }
}
