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
        /// The last block of the chain with most work, and its work from the genesis block on; nil where nothing could
        /// be followed.
        public let best: (tip: BlockID, work: UInt128)?
        /// One an authority, in their order.
        public let authorities: [Followed]
        /// The chain's blocks from the first height of the agreed one's epoch to the agreed one; none unless it lies on
        /// the chain with most work.
        public let blocks: [BlockID]
        /// Whether the block that was agreed on before is higher, and no chain with more work has left it.
        public let isRolledBack: Bool
        /// The latest time of a header that is more than two hours ahead of this machine's clock, in seconds since 1970; nil
        /// if none is.
        public let ahead: Int64?
    }

    private let heard: [AuthorityObservation]
    private let agreed: Statement
    /// Places in `heard`, those who agree in front.
    private let order: [Int]
    /// How many agree.
    private let agreeing: Int
    private let reader: TreeReader
    private let log: AttestationLog
    private let now: Int64
    private let before: AttestationLog.Agreed?
    private let progress: (_ height: Int, _ of: Int) -> Void
    private var store: HeaderStore
    /// Branches of the stored chain, and where they came from.
    private var branches: [(chain: HeaderBranch, authority: Int, url: String)] = []
    /// Where the stored chain came from and what was stored before, if another one has taken its place in this run.
    private var adopted: (authority: Int, url: String, before: HeaderBranch?)?
    private var asking = TreeReader.Asking()
    /// Hosts of all who agree, while that chain is followed which they all have.
    private var pool: [TreeReader.Place] = []
    private var problems: [[Fault]]
    private var bytes: [Int]
    private var ahead: Int64?

    /// Files that are asked for at a time while a whole chain is followed.
    private static let maxGroup = 64
    /// The same in bytes, for trees with long epochs.
    private static let maxGroupBytes = 8 << 20
    private var group: Int {
        max(1, min(Self.maxGroup, Self.maxGroupBytes / (agreed.parameters.epoch * BlockHeader.size)))
    }
    /// How far above the agreed block an authority's chain is followed: what is higher still says nothing more of it.
    private static let maxAbove = 2016

    /// - Parameters:
    ///   - report: one that ended in agreement on `agreed`.
    ///   - store: of the same network.
    ///   - log: what keys were seen to sign.
    ///   - now: seconds since 1970.
    ///   - before: the newest block that was agreed on in earlier runs.
    ///   - progress: told how far headers are followed, and to which height.
    public init(
        _ report: Survey.Report, on agreed: Statement, store: consuming HeaderStore, reader: TreeReader,
        log: AttestationLog, now: Int64, after before: AttestationLog.Agreed?,
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
        self.before = before
        self.progress = progress
        problems = .init(repeating: [], count: heard.count)
        bytes = .init(repeating: 0, count: heard.count)
    }

    /// Follows them, and stores the chain with most work.
    public mutating func run() throws -> Report {
        try leaveUnsigned()
        for authority in order {
            guard let newest = newest(authority), try !isKnown(newest) else { continue }
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

    // MARK: what is stored

    /// Leaves out what stands above every stored block that a key of the list has signed, and that is known otherwise.
    private mutating func leaveUnsigned() throws {
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

    private func newest(_ authority: Int) -> BlockID? { heard[authority].newest()?.statement.blockID }

    /// Whether a block lies on the stored chain or a branch of it that was followed.
    private func isKnown(_ block: BlockID) throws(FileError) -> Bool {
        if try store.block(at: block.height) == block { return true }
        if adopted?.before?.block(at: block.height) == block { return true }
        return branches.contains { $0.chain.block(at: block.height) == block }
    }

    /// Whether a block lies on a branch of the stored chain.
    private func contains(_ chain: HeaderBranch, _ block: BlockID) throws(FileError) -> Bool {
        block.height > chain.fork
            ? chain.block(at: block.height) == block : try store.block(at: block.height) == block
    }

    /// Those with the agreed block, that with most work in front, and the others.
    private func partitioned(
        _ chains: [HeaderBranch]
    ) throws(FileError) -> (with: [HeaderBranch], without: [HeaderBranch]) {
        var (with, without): ([HeaderBranch], [HeaderBranch]) = ([], [])
        for chain in chains {
            if try contains(chain, agreed.blockID) { with.append(chain) } else { without.append(chain) }
        }
        return (with.sorted { $0.work > $1.work }, without)
    }

    // MARK: following

    private mutating func ask(_ authority: Int, _ newest: BlockID) throws {
        if try askTail(authority) { return }
        if try !isKnown(agreed.blockID), pool.isEmpty {
            try followAgreed()
            if try isKnown(newest) || askTail(authority) { return }
        }
        for place in heard[authority].places {
            do {
                guard let chain = try follow(place, to: newest, authority) else { return }
                branches.append((chain, authority, place.url))
                return
            } catch let fault as Fault {
                problems[authority].append(fault)
                // That its key does not sign what so many headers lead to is not its host's doing.
                if case .tooFar = fault.kind { return }
            } catch let fault as HeaderFault {
                problems[authority].append(self.fault(place, fault.height, .header(fault)))
            }
        }
    }

    /// Whether the last headers that the survey brought continue the stored chain.
    private mutating func askTail(_ authority: Int) throws -> Bool {
        guard let tail = heard[authority].tail, let chain = try continued(by: tail.headers, from: tail.start)
        else { return false }
        branches.append((chain, authority, heard[authority].authority.urls[0]))
        return true
    }

    /// Follows the chain up to the agreed block, from all hosts of those who agree at once: it is the same at each. Where
    /// that leads nowhere, for a host made headers up, each is asked alone.
    private mutating func followAgreed() throws {
        let first = order[0]
        pool = order[..<agreeing].flatMap { heard[$0].places }
        defer { pool = [] }
        guard pool.count > 1 else { return }
        do {
            guard let chain = try followHeaders(pool[0], to: agreed.height, agreed.blockID, first),
                chain.block(at: agreed.height) == agreed.blockID
            else { return }
            // What the others add to it is then a few headers.
            if branches.isEmpty, chain.fork == store.count - 1, try store.install(chain) { return }
            branches.append((chain, first, pool[0].url))
        } catch is Fault {
        } catch is HeaderFault {
        }
    }

    private func fault(_ place: TreeReader.Place, _ height: Int, _ kind: Fault.Kind) -> Fault {
        Fault(
            authority: place.authority, url: place.url,
            asked: .headers(epoch: agreed.parameters.epochStart(of: max(0, height))),
            path: TreePath.headers(epochOf: max(0, height), agreed.parameters), kind)
    }

    /// The chain that these headers make of the stored one; nil if they do not continue it by the rules.
    private mutating func continued(by headers: [UInt8], from start: Int) throws -> HeaderBranch? {
        guard store.count > 0, try store.isContinued(by: headers, from: start) else { return nil }
        do { return try store.branch(headers, from: start).onTime(now, &ahead) } catch is HeaderFault {
            return nil
        } catch is HeaderBranch.Ahead { return nil }
    }

    /// The chain of a tree up to the newest block that its authority attests, or, where that is far above the agreed one, up
    /// to a lower one that it attests too. Nil where it is the stored chain now.
    private mutating func follow(
        _ place: TreeReader.Place, to newest: BlockID, _ authority: Int
    ) throws -> HeaderBranch? {
        let height = min(newest.height, agreed.height + Self.maxAbove)
        let chain = try followHeaders(place, to: height, height == newest.height ? newest : nil, authority)
        let led = try chain.map { $0.block(at: height) } ?? store.block(at: height)
        if height == newest.height {
            guard led == newest else { throw fault(place, height, .leadsElsewhere(newest)) }
        } else {
            guard let led, try attests(led, authority) else {
                throw fault(place, height, .tooFar(newest.height - agreed.height))
            }
        }
        return chain
    }

    /// Whether an authority attests a block below its newest.
    private mutating func attests(_ block: BlockID, _ authority: Int) throws -> Bool {
        let one = heard[authority].authority
        let reply = try reader.answer(
            .attestation(of: block, agreed.parameters, keys: [one.key]), at: one.places, asking)
        bytes[authority] += reply.bytes
        return reply.answer?.statement.blockID == block
    }

    /// - Parameter goal: the block that must stand at the height; nil for one that the authority attests too.
    private mutating func followHeaders(
        _ place: TreeReader.Place, to height: Int, _ goal: BlockID?, _ authority: Int
    ) throws -> HeaderBranch? {
        let parameters = agreed.parameters
        if let chain = try followLast(place, to: height, authority) { return chain }
        // Down to where it leaves the stored chain, in growing steps.
        var start = parameters.epochStart(of: min(height, store.count))
        var (step, isOnTop) = (parameters.epoch, true)
        var first = try fetch(place, [start], to: height, authority)
        while start > 0, try !store.isContinued(by: first, from: start) {
            isOnTop = false
            start = max(0, start - step)
            step *= 2
            first = try fetch(place, [start], to: height, authority)
        }
        let epochs = Array(stride(from: start, through: height, by: parameters.epoch))
        if isOnTop, branches.isEmpty, adopted == nil, epochs.count > group {
            return try followFar(place, first, epochs, to: height, goal, authority)
        }
        var headers = first
        var chain = try branch(headers, from: start, place, height)
        for part in stride(from: 1, to: epochs.count, by: group) {
            headers += try fetch(
                place, Array(epochs[part..<min(part + group, epochs.count)]), to: height, authority)
            chain = try branch(headers, from: start, place, height)
            progress(chain.tip.height, height)
        }
        return chain
    }

    /// A chain that goes on far above the stored one, followed on the disk. It takes the stored one's place.
    private mutating func followFar(
        _ place: TreeReader.Place, _ first: [UInt8], _ epochs: [Int], to height: Int, _ goal: BlockID?,
        _ authority: Int
    ) throws -> HeaderBranch? {
        var next = try store.successor()
        var epochs = epochs
        if next.count > store.count {
            // Where an earlier run ended, if this tree has the same blocks there.
            let start = agreed.parameters.epochStart(of: min(next.count, height))
            let there = try fetch(place, [start], to: height, authority)
            if try next.isContinued(by: there, from: start) {
                epochs.removeAll { $0 < start }
                // What it has of this epoch, and above, is what this tree says now.
                try next.leave(above: start - 1)
            } else {
                try next.leave(above: store.count - 1)
            }
        }
        for part in stride(from: 0, to: epochs.count, by: group) {
            let group = Array(epochs[part..<min(part + group, epochs.count)])
            let headers = try fetch(place, group, to: height, authority)
            let chain: HeaderBranch
            do { chain = try next.branch(headers, from: group[0]).onTime(now, &ahead) } catch let late
                as HeaderBranch.Ahead
            {
                throw fault(place, height, .headersAhead(late.time))
            }
            if chain.tip.height > next.count - 1 { try next.install(chain) }
            progress(chain.tip.height, height)
        }
        let newest = newest(authority) ?? agreed.blockID
        guard let led = try next.block(at: height), goal == nil || led == goal else {
            throw fault(place, height, .leadsElsewhere(goal ?? newest))
        }
        if goal == nil, try !attests(led, authority) {
            throw fault(place, height, .tooFar(newest.height - agreed.height))
        }
        let before = try store.headers(from: epochs[0])
        try store.adopt(next)
        // What others attest may lie on the end of what was stored, and that has less work now.
        let left = before.isEmpty ? nil : try store.branch(before, from: epochs[0])
        adopted = (authority, place.url, left.flatMap { $0.headers.isEmpty ? nil : $0 })
        return nil
    }

    private mutating func branch(
        _ headers: [UInt8], from start: Int, _ place: TreeReader.Place, _ height: Int
    ) throws -> HeaderBranch {
        do { return try store.branch(headers, from: start).onTime(now, &ahead) } catch let late
            as HeaderBranch.Ahead
        {
            throw fault(place, height, .headersAhead(late.time))
        }
    }

    /// The chain of a tree whose last headers continue the stored one, in the same epoch; nil if it has to be looked for
    /// further down.
    private mutating func followLast(
        _ place: TreeReader.Place, to height: Int, _ authority: Int
    ) throws -> HeaderBranch? {
        let start = agreed.parameters.epochStart(of: height)
        let lowest = store.count - HeaderTail.depth - 1
        guard lowest > start, lowest <= height else { return nil }
        let reply = try reader.answer(
            .headers(lowest...height, agreed.parameters), at: pool.isEmpty ? [place] : pool, asking)
        bytes[authority] += reply.bytes
        guard let headers = reply.answer else {
            guard let fault = reply.faults.last else { return nil }
            switch fault.kind {
            case .wrongRange, .refused: return nil
            default: throw fault
            }
        }
        return try continued(by: headers, from: lowest)
    }

    /// The headers of epochs, one after the other: all of them are whole but the one that `height` lies in, which ends
    /// there.
    private mutating func fetch(
        _ place: TreeReader.Place, _ epochs: [Int], to height: Int, _ authority: Int
    ) throws -> [UInt8] {
        var parts = [[UInt8]](repeating: [], count: epochs.count)
        var fault: Fault?
        var elsewhere: [Fault] = []
        var received = 0
        let parameters = agreed.parameters
        for (part, start) in epochs.enumerated() {
            let last = min(height, start + parameters.epoch - 1)
            try reader.ask(
                .headers(start...last, parameters), at: pool.isEmpty ? [place] : pool, asking
            ) { reply in
                received += reply.bytes
                if let headers = reply.answer {
                    parts[part] = headers
                    elsewhere += reply.faults.filter(\.isInvalid)
                } else {
                    fault = fault ?? reply.faults.last
                }
            }
        }
        try reader.run()
        bytes[authority] += received
        for fault in elsewhere {
            guard let i = heard.firstIndex(where: { $0.authority.name == fault.authority }),
                !problems[i].contains(where: { $0.url == fault.url })
            else { continue }
            problems[i].append(fault)
        }
        if let fault { throw fault }
        for (start, headers) in zip(epochs, parts) where start != parameters.epochStart(of: height) {
            guard headers.count == parameters.epoch * BlockHeader.size else {
                throw HeaderFault(.truncated, height: start + headers.count / BlockHeader.size)
            }
        }
        return Array(parts.joined())
    }

    // MARK: what came of it

    private func report(_ end: End, _ most: MostWork?) throws(FileError) -> Report {
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
        if case .mostWork = end, let best {
            for height in agreed.epochStart...agreed.height {
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
            end: end, best: best.map { ($0.tip, $0.work) }, authorities: followed, blocks: blocks,
            isRolledBack: isRolledBack, ahead: ahead)
    }

    /// The chains on which a block lies.
    private func places(of block: BlockID, _ most: MostWork) throws(FileError) -> [Int] {
        var places: [Int] = []
        for (place, chain) in most.branches.enumerated() where try contains(chain, block) {
            places.append(place)
        }
        return places
    }

    private func branch(_ place: Int, _ most: MostWork) -> Branch {
        let (chain, depth) = (most.branches[place], most.depth(of: place))
        return Branch(fork: chain.tip.height - depth, depth: depth, work: chain.work)
    }

    /// Whoever attests a block of the chain with most work that does not lie on the agreed block's, and where it came
    /// from.
    private func rivals(_ most: MostWork, fork: Int) throws(FileError) -> [Rival] {
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

extension HeaderBranch {
    /// A header on the way is more than two hours ahead of this machine's clock.
    fileprivate struct Ahead: Error {
        let time: Int64
    }

    fileprivate func onTime(_ now: Int64, _ ahead: inout Int64?) throws(Ahead) -> HeaderBranch {
        guard Int64(latestTime) > now + Int64(HeaderRules.maxAhead) else { return self }
        ahead = max(ahead ?? 0, Int64(latestTime))
        throw Ahead(time: Int64(latestTime))
    }
}
