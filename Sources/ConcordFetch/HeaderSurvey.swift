import Concord
import ConcordFiles
import ConcordTransfers

/// Follows the header chains of all authorities that were heard, and holds the agreed block to the one with most work:
/// authorities sign, miners pay.
///
/// An authority's chain is that of the newest block it attests. Where that block lies on a chain that is followed
/// already, the stored one or another authority's, there is nothing to fetch, nor where the last headers that the survey
/// brought continue the stored chain; else the headers come from the authority's URLs in turn, until one leads to that
/// block. Whoever serves a chain that can be followed, it counts.
public struct HeaderSurvey: ~Copyable {
    /// What came of one authority.
    public struct Followed: Sendable {
        /// Whether the newest block that it attests lies on a chain that was followed.
        public let leads: Bool
        /// Nil where that block lies on the chain with most work.
        public let branch: Branch?
        /// What its hosts did wrong, in words that name the URL.
        public let problems: [String]
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

    public enum End: Sendable {
        /// The agreed block lies on the chain with most work; of several with as much, on one of them.
        case mostWork
        /// It lies on this branch. `rivals` are the authorities with the chain that has more, and the URL it came from
        /// or all of their own; none if it is known from an earlier run only.
        case lessWork(Branch, rivals: [(name: AuthorityName, urls: [String])])
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
    private let transfers: Transfers
    private let now: Int64
    private let before: AttestationLog.Agreed?
    private let progress: (_ height: Int, _ of: Int) -> Void
    private var store: HeaderStore
    /// Branches of the stored chain, and where they came from.
    private var branches: [(chain: HeaderBranch, authority: Int, url: String)] = []
    private var problems: [[String]]
    private var bytes: [Int]
    private var ahead: Int64?

    /// Files that are asked for at a time while a whole chain is followed.
    private static let group = 64

    /// - Parameters:
    ///   - report: one that ended in agreement on `agreed`.
    ///   - store: of the same network.
    ///   - now: seconds since 1970.
    ///   - before: the newest block that was agreed on in earlier runs.
    ///   - progress: told how far headers are followed, and to which height.
    public init(
        _ report: Survey.Report, on agreed: Statement, store: consuming HeaderStore, transfers: Transfers,
        now: Int64, after before: AttestationLog.Agreed?,
        progress: @escaping (_ height: Int, _ of: Int) -> Void
    ) {
        heard = report.heard
        self.agreed = agreed
        let verdicts = report.outcome.verdicts
        order =
            heard.indices.filter { verdicts[$0] == .agrees }
            + heard.indices.filter { verdicts[$0] != .agrees }
        self.store = store
        self.transfers = transfers
        self.now = now
        self.before = before
        self.progress = progress
        problems = .init(repeating: [], count: heard.count)
        bytes = .init(repeating: 0, count: heard.count)
    }

    /// Follows them, and stores the chain with most work.
    public mutating func run() throws -> Report {
        for authority in order {
            if let newest = newest(authority), try !isKnown(newest) { try ask(authority, newest) }
        }
        var chains = branches.map(\.chain)
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

    // MARK: following

    private func newest(_ authority: Int) -> BlockID? { heard[authority].newest()?.statement.blockID }

    /// Whether a block lies on the stored chain or a branch of it that was followed.
    private func isKnown(_ block: BlockID) throws(FileError) -> Bool {
        if try store.block(at: block.height) == block { return true }
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

    private mutating func ask(_ authority: Int, _ newest: BlockID) throws {
        if let tail = heard[authority].tail, let chain = try continued(by: tail.headers, from: tail.start) {
            branches.append((chain, authority, heard[authority].authority.urls[0]))
            return
        }
        for url in heard[authority].authority.urls {
            do {
                let chain = try follow(url, to: newest.height, authority)
                branches.append((chain, authority, url))
                if try contains(chain, newest) { return }
                problems[authority].append(
                    "\(WebAddress.shown(url))/\(path(newest.height)): does not lead to \(newest), which it attests"
                )
            } catch let failure as Failure where !failure.isLocal {
                problems[authority].append("\(failure)")
            } catch let fault as HeaderFault {
                problems[authority].append("\(WebAddress.shown(url))/\(path(fault.height)): \(fault)")
            } catch let ahead as Ahead {
                problems[authority].append("\(WebAddress.shown(url))/\(path(newest.height)): \(ahead)")
            }
        }
    }

    /// The chain that these headers make of the stored one; nil if they do not continue it by the rules.
    private mutating func continued(by headers: [UInt8], from start: Int) throws -> HeaderBranch? {
        guard store.count > 0, try store.isContinued(by: headers, from: start) else { return nil }
        do { return try branch(headers, from: start) } catch is HeaderFault { return nil } catch is Ahead {
            return nil
        }
    }

    private func path(_ height: Int) -> String {
        TreePath.headers(epochOf: max(0, height), agreed.parameters)
    }

    private struct Ahead: Error, CustomStringConvertible {
        let time: UInt32
        var description: String {
            "a header on the way has the time \(Timestamp.text(Int64(time))), more than two hours ahead of this "
                + "machine's clock"
        }
    }

    /// The chain of a tree, up to the end of the file that has a height.
    ///
    /// A chain that goes on far above the stored one is stored on the way, file by file, as long as no branch of the
    /// stored one is kept that would lose its trunk.
    private mutating func follow(_ url: String, to height: Int, _ authority: Int) throws -> HeaderBranch {
        let parameters = agreed.parameters
        let epochs = Array(store.epochs(to: height, parameters))
        if let chain = try followLast(url, to: height, epochs, authority) { return chain }
        var start = epochs[0]
        var files = [try fetch(url, [start], to: height, authority)]
        while start > 0, try !store.isContinued(by: files[files.count - 1], from: start) {
            let below = try fetch(url, [start - parameters.epoch], to: height, authority)
            guard
                files[files.count - 1][4..<36].elementsEqual(Self.hash(below.suffix(BlockHeader.size)).bytes)
            else { throw HeaderFault(.notChild, height: start) }
            start -= parameters.epoch
            files.append(below)
        }
        var headers = Array(files.reversed().joined())
        var chain = try branch(headers, from: start)
        for place in stride(from: 1, to: epochs.count, by: Self.group) {
            if branches.isEmpty, try store.install(chain) {
                start += headers.count / BlockHeader.size
                headers = []
            }
            headers += try fetch(
                url, Array(epochs[place..<min(place + Self.group, epochs.count)]), to: height, authority)
            chain = try branch(headers, from: start)
            progress(chain.tip.height, height)
        }
        return chain
    }

    /// The chain of a tree whose last headers continue the stored one, in the same epoch; nil if it has to be looked for
    /// further down.
    private mutating func followLast(
        _ url: String, to height: Int, _ epochs: [Int], _ authority: Int
    ) throws -> HeaderBranch? {
        let lowest = store.count - HeaderTail.depth - 1
        guard epochs.count == 1, lowest > epochs[0], lowest <= height else { return nil }
        let range = (lowest - epochs[0]) * BlockHeader.size..<(height + 1 - epochs[0]) * BlockHeader.size
        let headers: [UInt8]
        do throws(Failure) {
            let body = try transfers.fetch(
                Request("\(url)/\(path(height))", limit: range.count, range: range))
            bytes[authority] += body.count
            headers = body.bytes
        } catch {
            bytes[authority] += error.received
            switch error.kind {
            case .wrongRange, .refused: return nil
            default: throw error
            }
        }
        return try continued(by: headers, from: lowest)
    }

    private static func hash(_ header: some Collection<UInt8>) -> Digest {
        Array(header).withBytes { SHA256.double($0) }
    }

    private mutating func branch(_ headers: [UInt8], from start: Int) throws -> HeaderBranch {
        let chain = try store.branch(headers, from: start)
        if Int64(chain.latestTime) > now + Int64(HeaderRules.maxAhead) {
            ahead = max(ahead ?? 0, Int64(chain.latestTime))
            throw Ahead(time: chain.latestTime)
        }
        return chain
    }

    /// The headers of epochs, one after the other: all of them are whole but the one that `height` lies in.
    private mutating func fetch(
        _ url: String, _ epochs: [Int], to height: Int, _ authority: Int
    ) throws -> [UInt8] {
        let whole = agreed.parameters.epoch * BlockHeader.size
        let results = transfers.fetch(epochs.map { Request("\(url)/\(path($0))", limit: whole) })
        bytes[authority] += results.reduce(0) { sum, result in
            switch result {
            case .success(let body): sum + body.count
            case .failure(let failure): sum + failure.received
            }
        }
        var headers: [UInt8] = []
        for (start, result) in zip(epochs, results) {
            let body = try result.get().bytes
            let isLast = start == agreed.parameters.epochStart(of: height)
            guard !body.isEmpty, body.count.isMultiple(of: BlockHeader.size), isLast || body.count == whole
            else { throw HeaderFault(.truncated, height: start + body.count / BlockHeader.size) }
            headers += body
        }
        return headers
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
    private func rivals(
        _ most: MostWork, fork: Int
    ) throws(FileError) -> [(name: AuthorityName, urls: [String])] {
        let best = most.branches[most.best]
        var rivals: [(name: AuthorityName, urls: [String])] = []
        for authority in order {
            let source = branches.first {
                $0.authority == authority && $0.chain.tip == best.tip && $0.chain.fork == best.fork
            }
            var attests = false
            if let newest = newest(authority), newest.height > fork { attests = try contains(best, newest) }
            if source != nil || attests {
                let own = heard[authority].authority
                rivals.append((own.name, source.map { [$0.url] } ?? own.urls))
            }
        }
        return rivals
    }
}
