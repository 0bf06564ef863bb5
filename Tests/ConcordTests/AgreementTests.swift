import Testing

@testable import Concord

/// Authorities made up for a test, who answer what the rule asks.
private struct Constellation {
    /// One authority: what its key signed, and how much of that can be had.
    struct One {
        /// By height, that of its own chain first: more than one where it was reorganised, or signed twice.
        var signed: [Int: [Statement]] = [:]
        /// Nil where nothing usable comes.
        var newest: Int?
        var isStale = false
        var isInvalid = false
        /// Heights whose attestation its hosts lack.
        var lacking: Set<Int> = []
        /// The height from which its key does not count.
        var withdrawn: Int?

        func has(_ height: Int) -> [Statement] {
            guard let newest, height <= newest, height == newest || !lacking.contains(height) else {
                return []
            }
            return signed[height] ?? []
        }

        func isWithdrawn(at height: Int) -> Bool { withdrawn != nil && height >= withdrawn! }
        /// What counts of what it has.
        func says(_ height: Int) -> [Statement] { isWithdrawn(at: height) ? [] : has(height) }
        var counts: Bool { newest != nil && !isStale }
        func reaches(_ height: Int) -> Bool {
            counts && (newest ?? -1) >= height && !isWithdrawn(at: height)
        }
    }

    var ones: [One]
    var minimum: Int
    var requested: Int?

    struct Run {
        let outcome: Agreement.Outcome
        let questions: Int
    }

    /// Asks and answers until it is decided.
    func run() throws -> Run {
        let rule = Agreement(minimum: minimum, requested: requested)
        var views = ones.map { one in
            var view = AuthorityView(withdrawn: one.withdrawn)
            view.absence = one.isInvalid ? .invalid : .unreachable
            view.isStale = one.isStale
            let newest = one.newest.map(one.has) ?? []
            for statement in newest { view.add(statement) }
            if let own = newest.first { view.stand(on: own) }
            return view
        }
        var asked: Set<Agreement.Question> = []
        for _ in 0..<1000 {
            switch rule.step(views) {
            case .decided(let outcome): return Run(outcome: outcome, questions: asked.count)
            case .ask(let questions):
                #expect(!questions.isEmpty)
                for question in questions {
                    #expect(asked.insert(question).inserted, "asked twice")
                    views[question.authority].asked.insert(question.height)
                    let answer = ones[question.authority].has(question.height)
                    for statement in answer { views[question.authority].add(statement) }
                    if let own = answer.first { views[question.authority].extend(chain: own.blockID) }
                }
            }
        }
        throw Endless()
    }

    struct Endless: Error {}
}

/// The rule in its plainest form, for somebody who sees everything at once.
private struct Reference {
    enum End: Equatable {
        case agreed(Statement)
        case contradiction
        case none
    }

    let end: End
    let verdicts: [Verdict]?

    init(_ all: Constellation) {
        // All that each reaches; where no height was asked for, only if that is the height of its newest.
        let heights = all.ones.compactMap { one in
            let top = (0...40).last(where: one.reaches)
            return all.requested == nil && top != one.newest ? nil : top
        }.sorted(by: >)
        // Everybody's newest statements are seen whatever comes.
        var seen: [[Statement]] = all.ones.map { one in one.newest.map(one.says) ?? [] }
        func contradicts() -> Bool {
            Set(seen.joined()).contains { a in seen.joined().contains { $0.blockID == a.blockID && $0 != a } }
        }
        guard !contradicts() else { self.init(.contradiction, nil); return }
        guard heights.count >= all.minimum else { self.init(.none, nil); return }
        let top = heights[all.minimum - 1]
        if let requested = all.requested, requested > top { self.init(.none, nil); return }
        let range = all.requested.map { $0...$0 } ?? max(0, top - 6)...top
        for height in range.reversed() {
            for (i, one) in all.ones.enumerated() where one.reaches(height) { seen[i] += one.says(height) }
            guard !contradicts() else { self.init(.contradiction, nil); return }
            let attesting = all.ones.filter { $0.reaches(height) && !$0.says(height).isEmpty }
            // What counts is the block of each one's own chain.
            guard attesting.count >= all.minimum, let chosen = attesting[0].says(height).first,
                attesting.allSatisfy({ $0.says(height)[0].blockID == chosen.blockID })
            else { continue }
            // Whoever lags is held to what everybody else said then.
            for lower in Set(seen.joined().map(\.height)) where lower < height {
                for (i, one) in all.ones.enumerated() where one.reaches(lower) { seen[i] += one.says(lower) }
            }
            guard !contradicts() else { self.init(.contradiction, nil); return }
            self.init(
                .agreed(chosen),
                all.ones.map { one in
                    if one.isWithdrawn(at: height) { return .withdrawn }
                    guard let newest = one.newest else { return one.isInvalid ? .invalid : .unreachable }
                    if one.isStale { return .stale }
                    if newest < height { return .lagging }
                    if one.says(height).isEmpty { return .unreachable }
                    return one.says(height)[0] == chosen ? .agrees : .otherBranch
                })
            return
        }
        self.init(.none, nil)
    }

    private init(_ end: End, _ verdicts: [Verdict]?) {
        self.end = end
        self.verdicts = verdicts
    }
}

private func statement(_ height: Int, branch: Int = 0, on parentBranch: Int = 0, lie: Int = 0) -> Statement {
    let hash = { (height: Int, branch: Int) in SHA256.hash("block \(height) of \(branch)") }
    return Statement(
        network: .regtest, parameters: TreeParameters(checking: 16, epoch: 100)!, height: height,
        block: hash(height, branch), parent: hash(height - 1, parentBranch), coins: UInt64(height), amount: 0,
        muhash: SHA256.hash("set \(height) \(branch) \(lie)"), muhashes: .zero, patchRoot: .zero,
        deltas: [], history: [.zero], snapshotRoot: nil)
}

private func isContradiction(_ verdict: Verdict) -> Bool { verdict == .dissents || verdict == .equivocates }

/// One that follows the best chain, or from `fork` on another, up to a height.
private func one(
    to newest: Int?, branch: Int = 0, from fork: Int = 0, lies: Set<Int> = [], stale: Bool = false
) -> Constellation.One {
    var one = Constellation.One()
    one.newest = newest
    one.isStale = stale
    for height in 1...40 {
        one.signed[height] = [
            statement(
                height, branch: height >= fork ? branch : 0, on: height > fork ? branch : 0,
                lie: lies.contains(height) ? 1 : 0)
        ]
    }
    return one
}

@Suite struct AgreementTests {
    private static func random(_ random: inout some RandomNumberGenerator) -> Constellation {
        let count = Int.random(in: 1...6, using: &random)
        let tip = Int.random(in: 12...30, using: &random)
        let forked = Bool.random(using: &random)
        let fork = tip - Int.random(in: 0...9, using: &random)
        // Most constellations have no liar at all, or nothing would ever be agreed.
        let hasLiars = Int.random(in: 0..<3, using: &random) == 0
        let ones = (0..<count).map { _ in
            let lag = [0, 0, 0, 1, 2, 5, 11][Int.random(in: 0..<7, using: &random)]
            let isAway = Int.random(in: 0..<8, using: &random) == 0
            var made = one(
                to: isAway ? nil : tip - lag, branch: forked ? Int.random(in: 0...1, using: &random) : 0,
                from: fork,
                stale: Int.random(in: 0..<10, using: &random) == 0)
            made.isInvalid = Bool.random(using: &random)
            if Int.random(in: 0..<5, using: &random) == 0 {
                made.lacking = Set((0..<4).map { _ in tip - Int.random(in: 0...8, using: &random) })
            }
            if Int.random(in: 0..<4, using: &random) == 0 {
                made.withdrawn = tip - Int.random(in: -2...9, using: &random)
            }
            if hasLiars, Int.random(in: 0..<3, using: &random) == 0 {
                for _ in 0..<Int.random(in: 1...3, using: &random) {
                    let height = tip - Int.random(in: 0...8, using: &random)
                    guard var own = made.signed[height]?.first else { continue }
                    own.muhash = SHA256.hash("lie \(Int.random(in: 0...1, using: &random))")
                    // One statement in the place of the true one, or beside it.
                    made.signed[height] =
                        Bool.random(using: &random) ? [own] : [made.signed[height]![0], own]
                }
            }
            return made
        }
        return Constellation(
            ones: ones, minimum: Int.random(in: 1...max(1, count), using: &random),
            requested: Int.random(in: 0..<4, using: &random) == 0
                ? tip - Int.random(in: -1...9, using: &random) : nil)
    }

    @Test func constellationsEndAsTheReferenceSays() throws {
        let seed = UInt64.random(in: 0 ... .max)
        print("seed \(seed)")
        var random = SplitMix(seed)
        var ends: [String: Int] = [:]
        for number in 0..<2000 {
            let constellation = Self.random(&random)
            let reference = Reference(constellation)
            let run = try constellation.run()
            let outcome = run.outcome
            let name: Comment = "constellation \(number) of seed \(seed)"
            #expect(outcome.verdicts.count == constellation.ones.count)
            // Few questions: at most those that differ are walked down, and each laggard is looked up.
            #expect(run.questions <= constellation.ones.count * (7 + constellation.ones.count), name)
            switch outcome.end {
            case .agreed(let statement):
                #expect(reference.end == .agreed(statement), name)
                #expect(reference.verdicts == outcome.verdicts, name)
                #expect(!outcome.verdicts.contains(where: isContradiction), name)
                #expect(outcome.verdicts.count { $0 == .agrees } >= constellation.minimum, name)
                ends["agreed", default: 0] += 1
            case .contradiction(let block):
                #expect(reference.end == .contradiction, name)
                #expect(outcome.verdicts.contains(where: isContradiction), name)
                for (one, verdict) in zip(constellation.ones, outcome.verdicts) where isContradiction(verdict)
                {
                    #expect(!one.says(block.height).isEmpty || verdict == .equivocates, name)
                }
                for (one, verdict) in zip(constellation.ones, outcome.verdicts) where verdict == .equivocates
                {
                    #expect(one.signed.keys.contains { one.says($0).count > 1 }, name)
                }
                ends["contradiction", default: 0] += 1
            case .none:
                #expect(reference.end == .none, name)
                #expect(!outcome.verdicts.contains(where: isContradiction), name)
                ends["none", default: 0] += 1
            }
        }
        // Each end was reached often enough to mean something.
        #expect(ends.count == 3 && ends.values.allSatisfy { $0 > 50 }, "\(ends)")
    }

    /// One liar among those who attest a block is named, and nobody else is, wherever the lie is seen.
    @Test(arguments: 0..<4, [20, 17]) func theLiarIsNamed(liar: Int, newest: Int) throws {
        let all = Constellation(
            ones: (0..<4).map { $0 == liar ? one(to: newest, lies: [newest]) : one(to: 20) }, minimum: 3)
        let outcome = try all.run().outcome
        guard case .contradiction(let block) = outcome.end else {
            Issue.record("\(outcome.end)")
            return
        }
        #expect(block.height == newest)
        #expect(outcome.verdicts == (0..<4).map { $0 == liar ? .dissents : .agrees })
    }

    /// Two against two: nobody can say who is right.
    @Test func aTie() throws {
        let all = Constellation(
            ones: [one(to: 20), one(to: 20, lies: [20]), one(to: 20), one(to: 20, lies: [20])], minimum: 3)
        #expect(try all.run().outcome.verdicts == [.dissents, .dissents, .dissents, .dissents])
    }

    /// Whatever the majority says.
    @Test func oneAgainstMany() throws {
        let all = Constellation(
            ones: [one(to: 20)] + (0..<9).map { _ in one(to: 20, lies: [20]) }, minimum: 2)
        let outcome = try all.run().outcome
        guard case .contradiction = outcome.end else {
            Issue.record("\(outcome.end)")
            return
        }
        #expect(outcome.verdicts.first == .dissents)
    }

    /// A statement that is too old to count still contradicts.
    @Test func aStaleOneContradicts() throws {
        let all = Constellation(
            ones: [one(to: 20), one(to: 20), one(to: 18, lies: [18], stale: true)], minimum: 2)
        let outcome = try all.run().outcome
        guard case .contradiction = outcome.end else {
            Issue.record("\(outcome.end)")
            return
        }
        #expect(outcome.verdicts == [.agrees, .agrees, .dissents])
    }

    /// It signed another statement for its newest block long ago, on a mirror that lags.
    @Test func anOlderStatementOfOneThatAgreesContradicts() throws {
        var twice = one(to: 20)
        twice.signed[20]?.append(statement(15, lie: 1))
        let outcome = try Constellation(ones: [one(to: 20), twice, one(to: 20)], minimum: 2).run().outcome
        guard case .contradiction(let block) = outcome.end else {
            Issue.record("\(outcome.end)")
            return
        }
        #expect(block.height == 15)
        #expect(outcome.verdicts == [.agrees, .equivocates, .agrees])
    }

    @Test(arguments: 1...8) func branchesUpToSixBlocksDeep(depth: Int) throws {
        let all = Constellation(
            ones: [one(to: 20), one(to: 20), one(to: 20, branch: 1, from: 21 - depth)], minimum: 2)
        let outcome = try all.run().outcome
        switch outcome.end {
        case .agreed(let statement):
            #expect(depth <= 6 && statement.height == 20 - depth && outcome.isForked)
            #expect(outcome.verdicts == [.agrees, .agrees, .agrees])
        case .none(let reason):
            #expect(depth > 6 && reason == .branchesDiffer(height: 20, depth: 6))
            #expect(outcome.verdicts == [.agrees, .agrees, .otherBranch])
        case .contradiction: Issue.record("branches are no contradiction")
        }
    }

    /// Whoever was reorganised has attested both blocks of a height; what counts is the one it stands on now.
    @Test(arguments: [true, false]) func oneThatWasReorganised(isBack: Bool) throws {
        var both = one(to: 20, branch: 1, from: 20)
        both.signed[20]?.insert(statement(20), at: isBack ? 0 : 1)
        let outcome = try Constellation(ones: [one(to: 20), both, one(to: 20)], minimum: 2).run().outcome
        guard case .agreed(let agreed) = outcome.end else {
            Issue.record("\(outcome.end)")
            return
        }
        #expect(agreed == statement(isBack ? 20 : 19) && outcome.isForked == !isBack)
        #expect(outcome.verdicts == [.agrees, .agrees, .agrees])
    }

    /// All have left a branch that they once attested; a mirror that stayed there must not bring it back.
    @Test func aBranchThatAllHaveLeftIsNotChosen() throws {
        let all = Constellation(
            ones: (0..<3).map { _ in
                var made = one(to: 25)
                made.signed[18]?.append(statement(18, branch: 1))
                return made
            }, minimum: 2, requested: 18)
        guard case .agreed(let agreed) = try all.run().outcome.end else {
            Issue.record("no agreement")
            return
        }
        #expect(agreed == statement(18))
    }

    /// What the key signed before its withdrawal counts, lies and all; what it signed since does not, true or not.
    @Test(arguments: [
        (18, 20, false, [Verdict.agrees, .agrees, .withdrawn]),
        (20, 20, false, [.agrees, .agrees, .withdrawn]),
        (21, 20, false, [.agrees, .agrees, .dissents]), (20, 20, true, [.agrees, .agrees, .withdrawn]),
        (20, 19, true, [.agrees, .agrees, .dissents]),
    ])
    func aWithdrawnKey(from height: Int, lie: Int, requested: Bool, verdicts: [Verdict]) throws {
        var withdrawn = one(to: 20, lies: [lie])
        withdrawn.withdrawn = height
        let all = Constellation(
            ones: [one(to: 20), one(to: 20), withdrawn], minimum: 2, requested: requested ? lie : nil)
        #expect(try all.run().outcome.verdicts == verdicts)
    }

    /// An attestation from after the withdrawal brings nobody back to an old block, but answers who asks for one.
    @Test func aWithdrawnKeyIsNotNew() throws {
        var withdrawn = one(to: 20)
        withdrawn.withdrawn = 15
        let ones = [one(to: 20), one(to: nil), withdrawn]
        guard case .none(let reason) = try Constellation(ones: ones, minimum: 2).run().outcome.end else {
            Issue.record("one attests it")
            return
        }
        #expect(reason == .tooFewCounted(1, of: 3, minimum: 2))
        for requested in 13...15 {
            let outcome = try Constellation(ones: ones, minimum: 2, requested: requested).run().outcome
            if case .agreed(let agreed) = outcome.end {
                #expect(requested < 15 && agreed == statement(requested))
                #expect(outcome.verdicts == [.agrees, .unreachable, .agrees])
            } else {
                #expect(requested == 15)
            }
        }
        withdrawn.withdrawn = 0
        #expect(
            try Constellation(ones: [one(to: 20), withdrawn], minimum: 1, requested: 0).run().outcome.verdicts
                .last == .withdrawn)
    }

    @Test func absenceIsNeither() throws {
        var invalid = one(to: nil)
        invalid.isInvalid = true
        let all = Constellation(
            ones: [one(to: 20), one(to: nil), invalid, one(to: 20), one(to: 20)], minimum: 3)
        let outcome = try all.run().outcome
        guard case .agreed(let statement) = outcome.end else {
            Issue.record("\(outcome.end)")
            return
        }
        #expect(statement.height == 20 && !outcome.isForked)
        #expect(outcome.verdicts == [.agrees, .unreachable, .invalid, .agrees, .agrees])
        // One more away, and there is nothing to agree on.
        var fewer = all
        fewer.ones[0].newest = nil
        guard case .none(let reason) = try fewer.run().outcome.end else {
            Issue.record("two of three")
            return
        }
        #expect(reason == .tooFewCounted(2, of: 5, minimum: 3))
    }

    @Test func nobody() throws {
        guard case .none = try Constellation(ones: [], minimum: 1).run().outcome.end else {
            Issue.record("nobody agrees")
            return
        }
    }

    @Test func moreThanHalf() {
        let minima = (1...6).map { Agreement.defaultMinimum(of: $0) }
        #expect(minima == [1, 2, 2, 3, 3, 4])
    }
}

/// SplitMix64.
private struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
        return z ^ z >> 31
    }
}
