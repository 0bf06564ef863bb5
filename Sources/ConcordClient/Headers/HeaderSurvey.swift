import Concord
import ConcordFiles
import ConcordTransfers

/// Follows the header chains of all authorities that were heard, and holds the agreed block to the one with most work:
/// authorities sign, miners pay.
///
/// An authority's chain is that of the newest block it attests, and ends there: headers that do not lead to a block that
/// the authority signed are a host's word, and count for nothing. Where that block lies on a chain that is followed already,
/// the stored one or another authority's, there is nothing to fetch, nor where the last headers that the survey brought
/// continue the stored chain; else the headers come from the authority's URLs in turn, until one leads to that block.
/// Whoever attests nothing as high as a pinned start's block is not asked.
///
/// Of the stored chain only that part counts that a key of the list has signed a block of, or that Bitcoin Core's source
/// knows: what a key alone led to that was removed goes with it.
public struct HeaderSurvey: ~Copyable {
    /// What came of one authority.
    public struct Followed: Sendable {
        /// Whether the newest block that it attests lies on a chain that was followed.
        public let leads: Bool
        /// Nil where that block lies on the chain with most work.
        public let branch: Branch?
        /// What its hosts did wrong.
        public let problems: [Fault]
        /// Bytes of headers received.
        public let bytes: Int
    }

    /// A chain that is not the one with most work.
    public struct Branch: Sendable {
        /// The last height that both share; -1 for none.
        public let fork: Int
        /// Its blocks above that.
        public let depth: Int
        /// `HeaderFollower.work`.
        public let work: UInt128
    }

    /// Whose chain has more work, and where it came from.
    public struct Rival: Sendable {
        public let name: AuthorityName
        /// The URL it came from, or all of the authority's.
        public let urls: [String]
    }

    public enum End: Sendable {
        /// The agreed block lies on the chain with most work; of several with as much, on one of them.
        case mostWork
        /// It lies on this branch. `rivals` are the authorities with the chain that has more; none if it is known from an
        /// earlier run only.
        case lessWork(Branch, rivals: [Rival])
        /// No chain that could be followed leads to it.
        case noHeaders
    }

    public struct Report: Sendable {
        public let end: End
        /// Where the headers begin; nil for the genesis block.
        public let start: PinnedStart?
        /// The last block of the chain with most work, and its work from the genesis block on; nil where nothing could
        /// be followed.
        public let best: (tip: BlockID, work: UInt128)?
        /// One an authority, in their order.
        public let authorities: [Followed]
        /// The chain's blocks from the first height of the agreed one's epoch, or a lower one that was asked for, to the
        /// agreed one; none unless it lies on the chain with most work.
        public let blocks: [BlockID]
        /// What the header of the first block of the agreed one's epoch says of its time, in seconds since 1970; 0 where
        /// there are no `blocks`.
        public let epochTime: Int64
        /// Whether the block that was agreed on before is higher, and no chain with more work has left it.
        public let isRolledBack: Bool
        /// The latest time of a header that is more than two hours ahead of this machine's clock, in seconds since 1970; nil
        /// if none is.
        public let ahead: Int64?
    }

    let heard: [AuthorityObservation]
    let agreed: Statement
    /// Places in `heard`, those who agree in front.
    let order: [Int]
    /// How many agree.
    let agreeing: Int
    let reader: TreeReader
    let log: AttestationLog
    let now: Int64
    let before: AttestationLog.Agreed?
    let lowest: Int
    let progress: (_ height: Int, _ of: Int) -> Void
    var store: HeaderStore
    /// Branches of the stored chain, and where they came from.
    var branches: [(chain: HeaderBranch, authority: Int, url: String)] = []
    /// Where the stored chain came from and what was stored before, if another one has taken its place in this run.
    var adopted: (authority: Int, url: String, before: HeaderBranch?)?
    var asking = TreeReader.Asking()
    /// Hosts of all who agree, while that chain is followed which they all have.
    var pool: [TreeReader.Place] = []
    var problems: [[Fault]]
    var bytes: [Int]
    var ahead: Int64?

    /// Files that are asked for at a time while a whole chain is followed.
    static let maxGroup = 64
    /// The same in bytes, for trees with long epochs.
    static let maxGroupBytes = 8 << 20
    var group: Int {
        max(1, min(Self.maxGroup, Self.maxGroupBytes / (agreed.parameters.epoch * BlockHeader.size)))
    }
    /// How far above the agreed block an authority's chain is followed: what is higher still says nothing more of it.
    static let maxAbove = 2016

    /// - Parameters:
    ///   - report: one that ended in agreement on `agreed`.
    ///   - store: of the same network; one with a pinned start is for these trees, and `agreed` is that block or above it.
    ///   - log: what keys were seen to sign.
    ///   - now: seconds since 1970.
    ///   - before: the newest block that was agreed on in earlier runs.
    ///   - lowest: from where on the report has the chain's blocks, if that is below the agreed one's epoch.
    ///   - progress: told how far headers are followed, and to which height.
    public init(
        _ report: Survey.Report, on agreed: Statement, store: consuming HeaderStore, reader: TreeReader,
        log: AttestationLog, now: Int64, after before: AttestationLog.Agreed?, blocksFrom lowest: Int,
        progress: @escaping (_ height: Int, _ of: Int) -> Void
    ) {
        heard = report.heard
        self.agreed = agreed
        let verdicts = report.outcome.verdicts
        let agreeing = heard.indices.filter { verdicts[$0] == .agrees }
        order = agreeing + heard.indices.filter { verdicts[$0] != .agrees }
        self.agreeing = agreeing.count
        self.store = store
        (self.reader, self.log, self.now) = (reader, log, now)
        (self.before, self.lowest) = (before, lowest)
        self.progress = progress
        problems = .init(repeating: [], count: heard.count)
        bytes = .init(repeating: 0, count: heard.count)
    }

    /// Follows them, and stores the chain with most work.
    public mutating func run() throws -> Report {
        try leaveUnsigned()
        for authority in order {
            guard let newest = newest(authority), newest.height >= lowestNewest, try !isKnown(newest) else {
                continue
            }
            // Without the agreed block's chain there is nothing; for more than that nobody waits for ever.
            asking.deadline =
                try isKnown(agreed.blockID) ? reader.deadline(after: reader.settings.surveyTime) : nil
            try ask(authority, newest)
        }
        var chains = branches.map(\.chain)
        if let before = adopted?.before { chains.append(before) }
        if let trunk = store.trunk { chains.append(trunk) }
        // Of several with as much work the first is the best: one with the agreed block, if it is among them.
        let (with, without) = try partitioned(chains)
        guard let most = MostWork(among: with + without) else { return try report(.noHeaders, nil) }
        guard !with.isEmpty else { return try report(.noHeaders, most) }
        var end = End.mostWork
        if try !most.contains(
            agreed.blockID, trunk: { height throws(FileError) in try store.block(at: height) })
        {
            let branch = branch(0, most)
            end = .lessWork(branch, rivals: try rivals(most, fork: branch.fork))
        }
        let result = try report(end, most)
        try store.install(most.branches[most.best])
        return result
    }

    /// Of a chain that ends below a pinned block nothing can be said that the stored one does not say.
    private var lowestNewest: Int { store.start?.block.height ?? 0 }

    // MARK: what is stored

    /// Leaves out what stands above every stored block that a key of the list has signed, and that is known otherwise.
    mutating func leaveUnsigned() throws {
        guard let tip = store.tip else { return }
        var highest = agreed.network.knownBlocks.map(\.height).filter { $0 <= tip.height }.max() ?? -1
        for one in heard {
            for signed in one.attestations where one.view.counts(at: signed.statement.height) {
                let block = signed.statement.blockID
                if block.height > highest, try store.block(at: block.height) == block {
                    highest = block.height
                }
            }
            let found = try log.highest(signedBy: one.authority.key) { block in
                if block.height <= highest { return true }
                guard one.view.counts(at: block.height) else { return false }
                return try store.block(at: block.height) == block
            }
            if let found, try store.block(at: found.height) == found { highest = max(highest, found.height) }
        }
        try store.leave(above: highest)
    }

    func newest(_ authority: Int) -> BlockID? { heard[authority].newest()?.statement.blockID }

    /// Whether a block lies on the stored chain or a branch of it that was followed.
    func isKnown(_ block: BlockID) throws(FileError) -> Bool {
        if try store.block(at: block.height) == block { return true }
        if adopted?.before?.block(at: block.height) == block { return true }
        return branches.contains { $0.chain.block(at: block.height) == block }
    }

    /// Whether a block lies on a branch of the stored chain.
    func contains(_ chain: HeaderBranch, _ block: BlockID) throws(FileError) -> Bool {
        block.height > chain.fork
            ? chain.block(at: block.height) == block : try store.block(at: block.height) == block
    }

    /// Those with the agreed block, that with most work in front, and the others.
    func partitioned(
        _ chains: [HeaderBranch]
    ) throws(FileError) -> (with: [HeaderBranch], without: [HeaderBranch]) {
        var (with, without): ([HeaderBranch], [HeaderBranch]) = ([], [])
        for chain in chains {
            if try contains(chain, agreed.blockID) { with.append(chain) } else { without.append(chain) }
        }
        return (with.sorted { $0.work > $1.work }, without)
    }

    // MARK: what came of it

    func report(_ end: End, _ most: MostWork?) throws(FileError) -> Report {
        var followed: [Followed] = []
        for authority in heard.indices {
            var leads = false
            var own: Branch?
            if let newest = newest(authority), let most {
                let chains = try places(of: newest, most)
                leads = !chains.isEmpty
                if let first = chains.first, !chains.contains(most.best) { own = branch(first, most) }
            }
            followed.append(
                Followed(
                    leads: leads, branch: own, problems: problems[authority], bytes: bytes[authority]))
        }
        let best = most.map { $0.branches[$0.best] }
        var blocks: [BlockID] = []
        var epochTime: Int64 = 0
        if case .mostWork = end, let best {
            epochTime = try time(at: agreed.epochStart, on: best)
            for height in max(store.base, min(lowest, agreed.epochStart))...agreed.height {
                let block = height > best.fork ? best.block(at: height) : try store.block(at: height)
                if let block { blocks.append(block) }
            }
        }
        var isRolledBack = false
        if let before, let most, let best, before.block.height > agreed.height {
            isRolledBack = try most.contains(
                before.block, trunk: { height throws(FileError) in try store.block(at: height) })
            if best.work <= before.work { isRolledBack = true }
        }
        return Report(
            end: end, start: store.start, best: best.map { ($0.tip, $0.work) }, authorities: followed,
            blocks: blocks, epochTime: epochTime, isRolledBack: isRolledBack, ahead: ahead)
    }

    /// The time in the header of a chain's block.
    private func time(at height: Int, on chain: HeaderBranch) throws(FileError) -> Int64 {
        guard height > chain.fork else { return Int64(try store.header(at: height)?.header.time ?? 0) }
        // Seconds, little endian, behind version, parent and Merkle root.
        let place = (height - chain.fork - 1) * BlockHeader.size + 68
        return chain.headers.withBytes {
            Int64(UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: place, as: UInt32.self)))
        }
    }

    /// The chains on which a block lies.
    func places(of block: BlockID, _ most: MostWork) throws(FileError) -> [Int] {
        var places: [Int] = []
        for (place, chain) in most.branches.enumerated() where try contains(chain, block) {
            places.append(place)
        }
        return places
    }

    func branch(_ place: Int, _ most: MostWork) -> Branch {
        let (chain, depth) = (most.branches[place], most.depth(of: place))
        return Branch(fork: chain.tip.height - depth, depth: depth, work: chain.work)
    }

    /// Whoever attests a block of the chain with most work that does not lie on the agreed block's, and where it came
    /// from.
    func rivals(_ most: MostWork, fork: Int) throws(FileError) -> [Rival] {
        let best = most.branches[most.best]
        var rivals: [Rival] = []
        for authority in order {
            var source = branches.first {
                $0.authority == authority && $0.chain.tip == best.tip && $0.chain.fork == best.fork
            }?.url
            if let adopted, adopted.authority == authority, best.tip == store.tip { source = adopted.url }
            var attests = false
            if let newest = newest(authority), newest.height > fork { attests = try contains(best, newest) }
            if source != nil || attests {
                let own = heard[authority].authority
                rivals.append(Rival(name: own.name, urls: source.map { [$0] } ?? own.urls))
            }
        }
        return rivals
    }
}
