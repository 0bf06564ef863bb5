import Concord

/// What every authority of a survey attests of the last blocks: authorities × heights.
///
/// The blocks are the chain of one of them, and above it what most of the authorities attest. Each authority is asked for
/// its attestation of these blocks, and of those of its own chain. A host that fails makes nobody dissent: only what a key
/// has signed does.
public struct AttestationMatrix: Sendable {
    /// What one authority says of one height.
    public enum Mark: String, Sendable, CaseIterable {
        /// It attests the block with the same statement as others.
        case agrees
        /// It attests the block, and nobody else was heard to.
        case alone
        /// It signed another statement of a block than others, or two.
        case differs
        /// It attests another block at that height.
        case otherBranch = "other branch"
        /// The height is above its newest attestation.
        case lagging
        /// Its hosts have no attestation of the block.
        case absent
        /// No host of it answered.
        case unreachable
        /// Hosts have files, but not what its key signed.
        case invalid
        /// Its key was withdrawn at that height or below.
        case withdrawn
    }

    public struct Cell: Sendable {
        public let mark: Mark
        /// What it attests there, or was asked for.
        public let block: BlockID
        /// The fields in which its statement is another one than that of others; none unless it differs.
        public let fields: [String]
    }

    /// Lowest first, one a height, none left out.
    public let blocks: [BlockID]
    /// One row an authority, in the order of the survey; one cell a block.
    public let rows: [[Cell]]
    /// What was fetched.
    public let signed: [SignedAttestation]
    /// What hosts did wrong, a line a host, by authority.
    public let faults: [[AttestationFetch.HostFault]]

    /// The highest block of which two statements are signed.
    public var contradiction: BlockID? {
        rows.joined().filter { $0.mark == .differs }.map(\.block).max { $0.height < $1.height }
    }

    /// - Parameters:
    ///   - center: the block that was chosen. The chain goes down from it, and up by `Agreement.defaultDepth` heights where
    ///     somebody's newest attestation is there.
    ///   - known: blocks of its chain; what is missing is learned from attestations, each of which names its parent.
    ///   - heights: how many at most, at least 1.
    ///   - progress: told each height that is reached on the way down.
    ///
    /// Throws only what this machine is to blame for.
    public init(
        of heard: [AuthorityObservation], around center: BlockID, _ parameters: TreeParameters,
        known: [BlockID],
        heights: Int, reader: TreeReader, progress: (Int) -> Void
    ) throws {
        var chains = Chains(heard, center: center, known: known, heights: heights)
        // Nobody is asked in vain whom the survey could not reach.
        let present = heard.indices.filter { heard[$0].view.newest != nil }
        let fetch = AttestationFetch(present.map { heard[$0].authority }, reader: reader)
        while true {
            let wanted = chains.wanted()
            guard let lowest = wanted.last else { break }
            progress(lowest.height)
            let answers = try fetch.fetch(wanted, parameters)
            for (authority, answers) in zip(present, answers) {
                for (block, answer) in zip(wanted, answers) { chains.add(answer, of: block, by: authority) }
            }
        }
        let blocks = chains.blocks()
        self.blocks = blocks
        signed = chains.signed
        rows = heard.indices.map { authority in blocks.map { chains.cell(authority, $0) } }
        var faults = [[AttestationFetch.HostFault]](repeating: [], count: heard.count)
        for (authority, own) in zip(present, fetch.faults) { faults[authority] = own }
        self.faults = faults
    }
}

/// What is known so far of the authorities' chains.
private struct Chains {
    private let center: BlockID
    private let range: ClosedRange<Int>
    private var views: [AuthorityView]
    /// Statements by the block whose file they were in, one dictionary an authority.
    private var said: [[BlockID: Set<Statement>]]
    private var answers: [[BlockID: AttestationFetch.Answer]]
    private var asked: Set<BlockID> = []
    private(set) var signed: [SignedAttestation] = []
    /// The chain of the center.
    private var trunk: [Int: BlockID] = [:]

    init(_ heard: [AuthorityObservation], center: BlockID, known: [BlockID], heights: Int) {
        self.center = center
        views = heard.map(\.view)
        said = views.map(\.statements)
        answers = .init(repeating: [:], count: heard.count)
        // The center is always among them.
        let most = center.height + min(Agreement.defaultDepth, heights - 1)
        let tops = views.compactMap { view in
            view.newest.flatMap { view.counts(at: $0.height) ? $0.height : nil }
        }
        let last = tops.filter { (center.height...most).contains($0) }.max() ?? center.height
        range = max(0, last - heights + 1)...last
        if known.contains(center) {
            for block in known { trunk[block.height] = block }
        }
        trunk[center.height] = center
    }

    /// Blocks that nobody was asked about yet, highest first.
    mutating func wanted() -> [BlockID] {
        var height = center.height
        while height > range.lowerBound, let block = trunk[height] {
            if trunk[height - 1] == nil { trunk[height - 1] = parent(of: block) }
            height -= 1
        }
        let chains = [trunk] + views.map(\.chain)
        let wanted = Set(chains.flatMap(\.values)).filter { range.contains($0.height) && !asked.contains($0) }
        asked.formUnion(wanted)
        return wanted.sorted { ($1.height, $0.hash) < ($0.height, $1.hash) }
    }

    mutating func add(_ answer: AttestationFetch.Answer, of block: BlockID, by authority: Int) {
        answers[authority][block] = answer
        guard case .attested(let attested) = answer, views[authority].counts(at: block.height) else {
            return
        }
        // What is of another tree, or height, is shown, and is none of the log's business.
        if attested.statement.blockID == block,
            views[authority].newest.map({ TreeKind($0) == TreeKind(attested.statement) }) ?? false
        {
            signed.append(attested)
        }
        said[authority][block, default: []].insert(attested.statement)
        views[authority].add(attested.statement)
    }

    /// What most of those who attest a block say its parent is.
    private func parent(of block: BlockID) -> BlockID? {
        let parents = said.flatMap { Set(($0[block] ?? []).map(\.parent)) }
        return Self.most(parents) { $0 < $1 }.map { BlockID(height: block.height - 1, hash: $0) }
    }

    private static func most<Element: Hashable>(
        _ elements: [Element], by isLess: (Element, Element) -> Bool
    ) -> Element? {
        let counts = Dictionary(elements.map { ($0, 1) }, uniquingKeysWith: +)
        return counts.max { $0.value == $1.value ? isLess($1.key, $0.key) : $0.value < $1.value }?.key
    }

    /// The center's chain as far down as it is known, and what most attest above it; lowest first.
    func blocks() -> [BlockID] {
        var blocks: [BlockID] = []
        for height in (range.lowerBound...center.height).reversed() {
            guard let block = trunk[height] else { break }
            blocks.append(block)
        }
        blocks.reverse()
        for height in range where height > center.height {
            let attested = views.indices.compactMap { authority in
                views[authority].chain[height].flatMap { said[authority][$0] == nil ? nil : $0 }
            }
            guard let block = Self.most(attested, by: { $0.hash < $1.hash }) else { break }
            blocks.append(block)
        }
        return blocks
    }

    func cell(_ authority: Int, _ block: BlockID) -> AttestationMatrix.Cell {
        let view = views[authority]
        func cell(
            _ mark: AttestationMatrix.Mark, _ block: BlockID, fields: [String] = []
        ) -> AttestationMatrix.Cell {
            AttestationMatrix.Cell(mark: mark, block: block, fields: fields)
        }
        guard view.counts(at: block.height) else { return cell(.withdrawn, block) }
        guard let newest = view.newest else {
            return cell(view.absence == .invalid ? .invalid : .unreachable, block)
        }
        for other in said[authority].keys.filter({ $0.height == block.height }).sorted(by: {
            $0.hash < $1.hash
        }) {
            if let fields = differences(authority, other) { return cell(.differs, other, fields: fields) }
        }
        if let own = view.chain[block.height], own != block { return cell(.otherBranch, own) }
        if said[authority][block] != nil {
            return cell(said.count { $0[block] != nil } > 1 ? .agrees : .alone, block)
        }
        if newest.height < block.height { return cell(.lagging, block) }
        return switch answers[authority][block] {
        case .absent: cell(.absent, block)
        case .invalid: cell(.invalid, block)
        default: cell(.unreachable, block)
        }
    }

    /// Nil where all that it signed of a block is what most others did; else the fields that differ. Where no statement has
    /// most, all differ.
    private func differences(_ authority: Int, _ block: BlockID) -> [String]? {
        let own = said[authority][block] ?? []
        let all = said.flatMap { Array($0[block] ?? []) }
        let others = Set(all).sorted { $0.digest < $1.digest }
        if let wrong = own.first(where: { $0.blockID != block }) {
            return others.first { $0.blockID == block }.map { $0.differences(from: wrong) } ?? ["height"]
        }
        guard others.count > 1 else { return nil }
        let counts = Dictionary(all.map { ($0, 1) }, uniquingKeysWith: +)
        let leaders = others.filter { counts[$0] == counts.values.max() }
        if own.count == 1, leaders == Array(own) { return nil }
        guard let mine = own.sorted(by: { $0.digest < $1.digest }).first(where: { leaders != [$0] }),
            let other = leaders.first(where: { $0 != mine }) ?? others.first(where: { $0 != mine })
        else { return nil }
        return mine.differences(from: other)
    }
}
