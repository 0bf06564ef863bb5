/// The rule of agreement (FORMAT.md, «Agreement»), pure: it is given what was seen, and says what else it must see, or
/// how it ends.
///
/// The chosen block is the highest one that at least `minimum` authorities attest and that every authority whose
/// chain reaches that height attests. Statements of one block that differ end it, whoever signed them and however
/// many say otherwise. Absence is neither agreement nor dissent.
public struct Agreement: Sendable {
    /// How many authorities must attest the chosen block.
    public let minimum: Int
    /// The only height that may be chosen; nil for the highest.
    public let requested: Int?
    /// How many blocks deep branches may differ.
    public let depth: Int

    public static let defaultDepth = 6

    public init(minimum: Int, requested: Int? = nil, depth: Int = defaultDepth) {
        self.minimum = minimum
        self.requested = requested
        self.depth = depth
    }

    /// More than half of the authorities.
    public static func defaultMinimum(of count: Int) -> Int { count / 2 + 1 }

    public enum Step: Sendable {
        /// The attestations at these heights of these authorities, by their place in the list, must be looked for: of the
        /// block that their chain has there, and of the candidates.
        case ask([Question])
        case decided(Outcome)
    }

    public struct Question: Hashable, Sendable {
        public let authority: Int
        public let height: Int
        /// Blocks at this height that anybody attests: whatever this one says of them is wanted too.
        public let candidates: [BlockID]
        /// Whether only the candidates matter: what the authority's own chain has there may stay unknown.
        public var isAboutCandidates = false
    }

    public struct Outcome: Sendable {
        public enum End: Sendable {
            case agreed(Statement)
            /// Two statements for one block: the block where it was seen.
            case contradiction(BlockID)
            case none(Shortfall)
        }

        public let end: End
        /// One an authority, in their order.
        public let verdicts: [Verdict]
        /// Whether branches differ above the chosen block.
        public let isForked: Bool
    }

    /// Why nothing is agreed on, although nobody contradicts anybody.
    public enum Shortfall: Hashable, Sendable {
        /// So many of all authorities can be counted, and the minimum is more.
        case tooFewCounted(Int, of: Int, minimum: Int)
        /// Fewer than the minimum have reached the height that was asked for; the highest that enough have reached.
        case notReached(height: Int, highest: Int, minimum: Int)
        /// Down from this height, for so many blocks, no block is attested by the minimum and by all who reach it.
        case branchesDiffer(height: Int, depth: Int)
        /// At the height that was asked for, no block is.
        case notAllAttest(height: Int)
    }

    public func step(_ views: [AuthorityView]) -> Step {
        if let block = Self.contradictions(in: views).first {
            // Who stands alone is seen only when everybody was heard, and who signed two from all mirrors.
            let questions = questions(at: block.height, views, evenIfHeard: true)
            return questions.isEmpty ? .decided(contradicted(block, views)) : .ask(questions)
        }
        let heights = views.compactMap { $0.top(isNewest: requested == nil) }.sorted(by: >)
        guard minimum > 0, heights.count >= minimum else {
            return .decided(
                nothing(
                    .tooFewCounted(heights.count, of: views.count, minimum: minimum), at: heights.first, views
                ))
        }
        let top = requested ?? heights[minimum - 1]
        guard heights[minimum - 1] >= top else {
            return .decided(
                nothing(
                    .notReached(height: top, highest: heights[minimum - 1], minimum: minimum), at: top, views)
            )
        }
        let bottom = requested ?? max(0, top - depth)
        for height in (bottom...top).reversed() {
            let questions = questions(at: height, views)
            if !questions.isEmpty { return .ask(questions) }
            let attesting = views.indices.filter {
                views[$0].reaches(height) && views[$0].attested(at: height) != nil
            }
            let blocks = Set(attesting.compactMap { views[$0].attested(at: height) })
            guard attesting.count >= minimum, blocks.count == 1, let block = blocks.first,
                let statement = views[attesting[0]].statements[block]?.first
            else { continue }
            let lower = lowerQuestions(below: height, views)
            if !lower.isEmpty { return .ask(lower) }
            return .decided(
                Outcome(
                    end: .agreed(statement), verdicts: views.map { verdict($0, block) },
                    isForked: height < top))
        }
        return .decided(
            nothing(
                requested == nil ? .branchesDiffer(height: top, depth: depth) : .notAllAttest(height: top),
                at: top,
                views))
    }

    /// Everybody who reaches a height must be heard on it.
    private func questions(
        at height: Int, _ views: [AuthorityView], evenIfHeard: Bool = false
    ) -> [Question] {
        let candidates = Self.candidates(at: height, views)
        return views.indices.compactMap { i in
            let view = views[i]
            guard view.reaches(height), !view.asked.contains(height),
                evenIfHeard || view.attested(at: height) == nil
            else { return nil }
            return Question(authority: i, height: height, candidates: candidates)
        }
    }

    /// Whoever lags, and a mirror that does, is held to what everybody else said of that block.
    private func lowerQuestions(below height: Int, _ views: [AuthorityView]) -> [Question] {
        let heights = Set(views.flatMap { $0.statements.keys.map(\.height) }.filter { $0 < height })
        return heights.sorted().flatMap { height in
            questions(at: height, views).compactMap { question in
                let said = views[question.authority].statements
                guard !question.candidates.allSatisfy({ said[$0] != nil }) else { return nil }
                var question = question
                question.isAboutCandidates = true
                return question
            }
        }
    }

    private static func candidates(at height: Int, _ views: [AuthorityView]) -> [BlockID] {
        Set(views.flatMap { $0.blocks(at: height) }).sorted { $0.hash < $1.hash }
    }

    /// The highest block that has more than one statement; nil if none has.
    public static func contradiction(in views: [AuthorityView]) -> BlockID? {
        contradictions(in: views).first
    }

    /// The blocks that have more than one statement, highest first.
    private static func contradictions(in views: [AuthorityView]) -> [BlockID] {
        var statements: [BlockID: Set<Statement>] = [:]
        for view in views {
            statements.merge(view.statements) { $0.union($1) }
        }
        return statements.filter { $0.value.count > 1 }.keys.sorted {
            $0.height == $1.height ? $0.hash < $1.hash : $0.height > $1.height
        }
    }

    private func verdict(_ view: AuthorityView, _ block: BlockID) -> Verdict {
        if !view.counts(at: block.height) { return .withdrawn }
        guard let newest = view.newest else { return view.absence == .invalid ? .invalid : .unreachable }
        if view.isStale { return .stale }
        if newest.height < block.height { return .lagging }
        guard let own = view.attested(at: block.height) else { return .unreachable }
        return own == block ? .agrees : .otherBranch
    }

    /// The statement that most authorities sign agrees; the others dissent, all of them where no statement has most.
    private func contradicted(_ block: BlockID, _ views: [AuthorityView]) -> Outcome {
        var counts: [Statement: Int] = [:]
        for view in views {
            for statement in view.statements[block] ?? [] { counts[statement, default: 0] += 1 }
        }
        let most = counts.values.max() ?? 0
        let leaders = counts.filter { $0.value == most }.keys
        let verdicts = views.map { view in
            if view.statements.values.contains(where: { $0.count > 1 }) { return Verdict.equivocates }
            guard let own = view.statements[block]?.first else { return verdict(view, block) }
            return leaders.count == 1 && leaders.first == own ? .agrees : .dissents
        }
        return Outcome(end: .contradiction(block), verdicts: verdicts, isForked: false)
    }

    /// Verdicts where nothing was chosen are about the block at this height that most attest.
    private func nothing(_ reason: Shortfall, at height: Int?, _ views: [AuthorityView]) -> Outcome {
        let blocks = height.map { height in views.compactMap { $0.attested(at: height) } } ?? []
        let counts = Dictionary(blocks.map { ($0, 1) }, uniquingKeysWith: +)
        let block = counts.max { ($0.value, $1.key.hash) < ($1.value, $0.key.hash) }?.key
        let verdicts = views.map { view in
            verdict(view, block ?? BlockID(height: height ?? 0, hash: .zero))
        }
        return Outcome(end: .none(reason), verdicts: verdicts, isForked: false)
    }
}
