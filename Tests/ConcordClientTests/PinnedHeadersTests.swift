import TestSupport
import Testing

@testable import Concord
@testable import ConcordClient

/// A client that follows headers from a pinned block on.
@Suite struct PinnedHeadersTests {
    private static let parameters = TreeParameters(shards: 1, epoch: 20)
    /// The pinned block is that of height 165, in the period that begins at 144: headers begin at 140.
    private static let headers = TestHeaders.genesis + TestHeaders.chain(205)
    private static let trees = Result {
        let alice = try MadeTree(MadeChain(tip: 6), name: "alice", parameters: parameters)
        return [alice, try alice.signed(as: "bob"), try alice.signed(as: "carol")]
    }

    static func pin(_ scenario: ClientScenario, _ headers: [UInt8] = headers, _ height: Int = 165) {
        let block = BlockID(height: height, hash: HeaderStoreTests.hash(headers.header(height)))
        scenario.prepare = { client in
            client.pinnedStart = { PinnedStart(block, work: 2 * UInt128(height + 1), $0, $1) }
        }
    }

    /// What an authority signs whose newest block is the last of these headers.
    private static func led(_ tree: MadeTree, _ headers: [UInt8], late: Int64 = 0) throws -> MadeTree {
        var tree = tree
        try tree.lead(headers, time: MadeTree.time + late)
        return tree
    }

    private static func scenario(to tip: Int = 205) throws -> ClientScenario {
        let scenario = try ClientScenario(trees.get().map { try led($0, headers(from: 0, to: tip)) })
        pin(scenario)
        return scenario
    }

    private static func serve(_ scenario: ClientScenario, _ headers: [UInt8], late: Int64 = 0) throws {
        for tree in try trees.get() { scenario.serve(try led(tree, headers, late: late)) }
    }

    /// An authority that signs these headers' last block.
    private static func mallory(_ headers: [UInt8]) throws -> MadeTree {
        try led(trees.get()[0].signed(as: "mallory"), headers)
    }

    private func stored(_ scenario: ClientScenario, from base: Int? = 140) -> [UInt8]? {
        let name = "headers/regtest\(base.map { ".from-\($0)" } ?? "").bin"
        return try? PlainTree(scenario.home).read(name)
    }

    private static func headers(from base: Int = 140, to tip: Int = 205) -> [UInt8] {
        Array(headers[(base * 80)..<((tip + 1) * 80)])
    }

    /// Another chain from a height on, which shares all blocks up to it.
    private static func branch(_ fork: Int, _ count: Int) -> [UInt8] {
        headers(from: 0, to: fork) + TestHeaders.chain(count, on: headers.header(fork), salt: 7)
    }

    // MARK: from the pinned block on

    /// The pinned block lies in the first of the epochs that come, or in the second or third.
    @Test(arguments: [155, 159, 160, 161, 165, 180, 205]) func nothingBelowTheBaseIsAskedFor(pinned: Int)
        throws
    {
        let scenario = try Self.scenario()
        Self.pin(scenario, Self.headers, pinned)
        let run = scenario.check()
        #expect(run.end == .done(205) && run.faults.isEmpty, "\(run.faults)")
        #expect(run.headerEpochs == [140, 160, 180, 200])
        #expect(stored(scenario) == Self.headers() && stored(scenario, from: nil) == nil)
        let headers = try #require(run.session?.headers)
        #expect(headers.start?.block.height == pinned && headers.best?.work == 2 * 206)
        #expect(headers.authorities.allSatisfy { $0.leads })
        #expect(headers.authorities.reduce(0) { $0 + $1.bytes } == 66 * 80)
        let again = scenario.check()
        #expect(again.end == .done(205) && again.wholeHeaderFiles.isEmpty)
    }

    @Test(arguments: [165, 166, 178, 179, 180], [181, 185, 205]) func onlyWhatIsNew(first: Int, then: Int)
        throws
    {
        let scenario = try Self.scenario(to: first)
        for height in [first, then] {
            try Self.serve(scenario, Self.headers(from: 0, to: height), late: Int64(height))
            let run = scenario.check()
            #expect(run.end == .done(height) && run.faults.isEmpty, "\(run.faults)")
            #expect(stored(scenario) == Self.headers(to: height))
            let lowest = height == then ? first / 20 * 20 : 140
            #expect(run.headerEpochs.allSatisfy { $0 >= lowest })
        }
    }

    @Test func aCheckFollowsThemOnceAFetchHas() throws {
        let scenario = try Self.scenario(to: 180)
        scenario.policy.headers = .followIfStored
        #expect(scenario.check().headerEpochs.isEmpty && stored(scenario) == nil)
        scenario.policy.headers = .follow
        #expect(scenario.check().end == .done(180))
        scenario.policy.headers = .followIfStored
        try Self.serve(scenario, Self.headers, late: 9)
        #expect(scenario.check().end == .done(205))
        #expect(stored(scenario) == Self.headers())
    }

    // MARK: from the first block on

    @Test func allOfThemInTheSameHome() throws {
        let scenario = try Self.scenario(to: 180)
        #expect(scenario.check().end == .done(180))
        scenario.policy.headerStart = .full
        let run = scenario.check()
        #expect(run.end == .done(180) && run.headerEpochs == Set(stride(from: 0, through: 180, by: 20)))
        #expect(run.session?.headers?.start == nil && run.session?.headers?.best?.work == 2 * 181)
        #expect(stored(scenario, from: nil) == Self.headers(from: 0, to: 180))
        // Whoever has them goes on with them.
        scenario.policy.headerStart = .pinned
        try Self.serve(scenario, Self.headers, late: 9)
        let again = scenario.check()
        #expect(again.end == .done(205) && again.headerEpochs.allSatisfy { $0 >= 180 })
        #expect(stored(scenario, from: nil) == Self.headers(from: 0))
        #expect(stored(scenario) == Self.headers(to: 180))
    }

    /// Where the block in question lies below the pinned one.
    @Test(arguments: [6, 139, 145, 164]) func aBlockBelow(height: Int) throws {
        let scenario = try Self.scenario(to: height)
        let run = scenario.check()
        #expect(run.end == .done(height) && run.session?.headers?.start == nil)
        #expect(stored(scenario) == nil)
        #expect(stored(scenario, from: nil) == Self.headers(from: 0, to: height))
        // That does not reach the pinned block, and stays as it is.
        try Self.serve(scenario, Self.headers, late: 9)
        #expect(scenario.check().end == .done(205))
        #expect(stored(scenario) == Self.headers())
        #expect(stored(scenario, from: nil) == Self.headers(from: 0, to: height))
    }

    /// A file from the first block on that reaches the pinned one.
    @Test(arguments: [165, 166, 205]) func aFileWithAllOfThem(height: Int) throws {
        let scenario = try Self.scenario()
        try scenario.scratch.write(
            Self.headers(from: 0, to: height), to: "home/headers/regtest.bin")
        let run = scenario.check()
        #expect(run.end == .done(205) && run.session?.headers?.start == nil)
        #expect(stored(scenario) == nil && stored(scenario, from: nil) == Self.headers(from: 0))
    }

    // MARK: branches

    /// The chain is another one above the pinned block, on a stored chain and on none.
    @Test(arguments: [165, 166, 179, 180, 204], [true, false])
    func aReorganisation(fork: Int, isKnown: Bool) throws {
        let scenario = try Self.scenario()
        if isKnown { #expect(scenario.check().end == .done(205)) }
        let other = Self.branch(fork, 210 - fork)
        try Self.serve(scenario, other, late: 100)
        #expect(scenario.check().end == .done(210))
        #expect(stored(scenario) == Array(other[(140 * 80)...]))
    }

    /// One authority has a chain with more work that is not the pinned block's: nobody goes there, whoever signs.
    @Test(arguments: [0, 139, 140, 150, 164], [true, false]) func aBranchBelow(fork: Int, isKnown: Bool)
        throws
    {
        let scenario = try Self.scenario()
        if isKnown { #expect(scenario.check().end == .done(205)) }
        let mallory = try Self.mallory(Self.branch(fork, 300))
        try scenario.trust(mallory, at: [ClientScenario.url(mallory)])
        for _ in 0..<2 {
            let run = scenario.check()
            #expect(run.end == .done(205))
            let faults = run.faults(of: "mallory")
            #expect(faults.contains { $0.isOfAnotherChain }, "\(faults)")
            #expect(run.headerEpochs.allSatisfy { $0 >= 140 })
        }
        #expect(stored(scenario) == Self.headers())
        for tree in try Self.trees.get() { try scenario.distrust(tree) }
        #expect(scenario.check().end == .noHeaders)
    }

    /// Above the pinned block it is a chain like any other.
    @Test(arguments: [165, 170, 190]) func aHeavierChainAbove(fork: Int) throws {
        let scenario = try Self.scenario()
        let mallory = try Self.mallory(Self.branch(fork, 100))
        try scenario.trust(mallory, at: [ClientScenario.url(mallory)])
        for _ in 0..<2 {
            let run = scenario.check()
            #expect(run.end == .lessWork(depth: 205 - fork) && run.rivals == ["mallory"])
        }
        try scenario.distrust(mallory)
        #expect(scenario.check().end == .done(205))
    }

    /// Whoever is not as far as the pinned block is nobody's trouble.
    @Test(arguments: [6, 130, 150, 164]) func anAuthorityThatLags(height: Int) throws {
        let scenario = try Self.scenario()
        scenario.serve(try Self.led(Self.trees.get()[2], Self.headers(from: 0, to: height)))
        for _ in 0..<2 {
            let run = scenario.check()
            #expect(run.end == .done(205) && run.faults.isEmpty, "\(run.faults)")
            #expect(run.verdict(of: "carol") == .lagging)
            #expect(run.headerEpochs.allSatisfy { $0 >= 140 })
            #expect(run.session?.headers?.authorities.map { $0.leads } == [true, true, height >= 140])
        }
    }

    // MARK: what is wrong

    /// Cut short, or with a changed byte too, below the pinned block's end at 2080 and above it.
    @Test(arguments: [0, 79, 2000, 2080, 3000, 5280], [false, true])
    func aDamagedStoreIsFollowedAgain(size: Int, isChanged: Bool) throws {
        let scenario = try Self.scenario()
        #expect(scenario.check().end == .done(205))
        var damaged = Array(Self.headers().prefix(size))
        if isChanged, size > 100 { damaged[size - 50] ^= 1 }
        try scenario.scratch.write(damaged, to: "home/headers/regtest.from-140.bin")
        #expect(scenario.check().end == .done(205))
        #expect(stored(scenario) == Self.headers())
    }

    @Test(arguments: [139, 150, 164]) func hostsThatMakeUpWhatLiesBelow(fork: Int) throws {
        let scenario = try Self.scenario()
        for tree in try Self.trees.get() {
            var tree = try Self.led(tree, Self.headers)
            tree.serve(headers: Self.branch(fork, 205 - fork))
            scenario.serve(tree)
        }
        let run = scenario.check()
        #expect(run.end == .noHeaders && run.faults.contains { $0.isOfAnotherChain }, "\(run.faults)")
        #expect(stored(scenario) == nil)
        try Self.serve(scenario, Self.headers)
        #expect(scenario.check().end == .done(205))
    }

    // MARK: far above

    private static let farHeaders = TestHeaders.genesis + TestHeaders.chain(599)
    private static let farTrees = Result {
        try [2, 5].map { epoch in
            var tree = try MadeTree(
                MadeChain(tip: 6), name: "alice", parameters: TreeParameters(shards: 1, epoch: epoch))
            try tree.lead(farHeaders)
            return tree
        }
    }

    /// More epochs than are followed in memory, above the pinned block and below it.
    @Test(arguments: [(5, 160, 140), (2, 154, 144), (2, 287, 144), (2, 298, 288)])
    func manyEpochs(parameters: (epoch: Int, pinned: Int, base: Int)) throws {
        let (epoch, pinned, base) = parameters
        let alice = try #require(Self.farTrees.get().first { $0.parameters.epoch == epoch })
        let scenario = try ClientScenario([alice])
        Self.pin(scenario, Self.farHeaders, pinned)
        // A host that goes away, and is there again.
        let counter = RequestCounter()
        scenario.bendAll { site in
            site.bent { request, answer in
                guard request.path.hasPrefix("headers/"), request.range == nil else { return }
                if counter.next() > 80 { answer = ScriptedAnswer(.refuses) }
            }
        }
        let first = scenario.check()
        #expect(first.end == .noHeaders && first.headerEpochs.min() == base, "\(first.end)")
        scenario.serve(alice)
        let run = scenario.check()
        #expect(run.end == .done(599) && run.faults.isEmpty, "\(run.faults)")
        #expect(stored(scenario, from: base) == Array(Self.farHeaders[(base * 80)...]))
        // What came the first time stays, but for what shows that the host has the same chain.
        let (epochs, leading) = (599 / epoch - base / epoch + 1, pinned / epoch - base / epoch + 1)
        #expect(run.wholeHeaderFiles.count <= epochs - max(64, leading) + leading + 3)
    }
}

extension Fault {
    /// Whether it is that a header is not the one that is known.
    fileprivate var isOfAnotherChain: Bool {
        guard case .header(let fault) = kind, case .notKnown = fault.reason else { return false }
        return true
    }
}

extension ClientRun {
    /// The epochs whose headers were asked for as a whole file.
    fileprivate var headerEpochs: Set<Int> {
        Set(wholeHeaderFiles.compactMap { Int($0.suffix(11).dropLast(4)) })
    }
}
