import Concord
import ConcordFiles
import ConcordTransfers

/// Asks every authority what it attests, until the rule of agreement is satisfied one way or the other.
///
/// It fetches the two unsigned hints of each URL, the attestation they lead to with the last few headers, and then only
/// what the rule asks for: three round trips where nobody is far behind. Every attestation is believed only after its
/// signature is checked, and each URL of an authority is asked: two statements of one key are seen even if two hosts
/// serve them, or if one was seen in an earlier run.
///
/// An authority has `TreeReader.Settings.surveyTime` for all of it. Once the outcome stands whatever the others say, they
/// are given a moment more.
public final class Survey {
    /// How it ended.
    public struct Report: Sendable {
        public let heard: [AuthorityObservation]
        public let outcome: Agreement.Outcome
        public let minimum: Int
    }

    private let reader: TreeReader
    private let rule: Agreement
    private let now: Int64
    private let maxAgeInSeconds: Int64?
    private let log: AttestationLog
    /// What its trustnets are of.
    private let trustnet: Trustnet?
    private let members: [Trustnet.Member]
    private let progress: (_ authority: AuthorityName, _ height: Int) -> Void
    private var deadline: Duration
    private var heard: [AuthorityObservation]
    /// What all of them attest; nil while nobody was heard.
    private var kind: TreeKind?
    /// Blocks of which the log was asked.
    private var recalled: Set<BlockID> = []
    /// What came in this run.
    private var received: [SignedAttestation] = []
    /// The URL of the tree that each attestation came from.
    private var sources: [SignedAttestation: String] = [:]

    /// Seconds that a host's clock may be ahead of this machine's, as those of blocks may (`MAX_FUTURE_BLOCK_TIME`).
    static let maxAhead: Int64 = 7200
    /// Epochs whose headers are gone down for a block far below an authority's newest.
    static let maxEpochs = 64
    /// How long the others may still take once nothing that they say changes the outcome.
    private static let grace: Duration = .seconds(3)

    /// - Parameters:
    ///   - log: what was seen in earlier runs; what is seen in this one is added to it.
    ///   - now: seconds since 1970.
    ///   - maxAgeInSeconds: after which an attestation is stale; nil for a day on the main network, where blocks come every
    ///     ten minutes and it matters, and never on others.
    ///   - progress: told of headers that are gone down, which can take long.
    public init(
        _ roster: Roster, rule: Agreement, log: AttestationLog, reader: TreeReader, now: Int64,
        maxAgeInSeconds: Int64? = nil,
        progress: @escaping (_ authority: AuthorityName, _ height: Int) -> Void = { _, _ in }
    ) {
        members = roster.members
        heard = members.map { AuthorityObservation($0, maxTime: now + Self.maxAhead) }
        trustnet = roster.trustnets.first
        kind = trustnet.map { TreeKind($0.network, $0.parameters) }
        deadline = reader.deadline(after: reader.settings.surveyTime)
        (self.rule, self.log, self.reader, self.now) = (rule, log, reader, now)
        (self.maxAgeInSeconds, self.progress) = (maxAgeInSeconds, progress)
    }

    /// Throws `IncompatibleTrees`, `FileError`, and what this machine is to blame for.
    public func run() throws -> Report { try remembering(decide) }

    /// What has come and was checked is remembered, however it ends.
    private func remembering<Result>(_ body: () throws -> Result) throws -> Result {
        do { return try body() } catch {
            // Where two kinds came and nothing says which of them the list is of, neither is kept.
            let kinds = Set(received.map { TreeKind($0.statement) })
            if let kind = kind ?? (kinds.count == 1 ? kinds.first : nil) {
                received.removeAll { TreeKind($0.statement) != kind }
                try? remember()
            }
            throw error
        }
    }

    private func decide() throws -> Report {
        try recallContradiction()
        try hearNewest()
        while true {
            switch rule.step(heard.map(\.view)) {
            case .decided(let outcome):
                try remember()
                return Report(heard: heard, outcome: outcome, minimum: rule.minimum)
            case .ask(let questions):
                try answer(questions)
            }
        }
    }

    /// What each says now: its newest attestation, without asking whether they agree.
    public func hear() throws -> [AuthorityObservation] {
        try remembering(hearNewest)
        return heard
    }

    private func remember() throws(FileError) {
        try log.remember(received)
        received = []
    }

    /// What was a contradiction in an earlier run is one now.
    private func recallContradiction() throws(FileError) {
        if let block = try log.contradiction(among: members) { try recall(block) }
    }

    /// Adds what the authorities were seen to sign of a block in earlier runs.
    private func recall(_ block: BlockID) throws(FileError) {
        guard recalled.insert(block).inserted else { return }
        for i in heard.indices {
            for signed in try log.recall(block, of: heard[i].authority.key) { heard[i].add(signed) }
        }
    }

    private var asking: TreeReader.Asking {
        TreeReader.Asking(isHedged: false, retries: 1, deadline: deadline)
    }

    // MARK: the newest of all

    private func hearNewest() throws {
        var open: Set<Int> = []
        var hopeful = heard.map { $0.places.count }
        var tails: [(authority: Int, url: String, tail: HeaderTail)] = []
        var settled: Duration?

        func end(_ authority: Int) {
            hopeful[authority] -= 1
            guard settled == nil, isSettled(hopeful) else { return }
            settled = reader.deadline(after: Self.grace)
        }

        for i in heard.indices {
            for place in heard[i].places {
                open.insert(
                    try reader.ask(.hint(of: heard[i].authority.key), at: [place], asking) { [self] reply in
                        take(reply, of: i)
                        guard let hint = reply.answer else { return end(i) }
                        let (latest, parameters) = (hint.latest, hint.authority.parameters)
                        open.insert(
                            try ask(i, place, latest, parameters, isGuess: false) { end(i) })
                        open.insert(
                            try reader.ask(.tail(of: latest, parameters), at: [place], asking) { reply in
                                self.heard[i].bytes += reply.bytes
                                if let tail = reply.answer ?? nil { tails.append((i, place.url, tail)) }
                            })
                    })
            }
        }
        try reader.run { [self] in
            guard let time = settled, reader.deadline(after: .zero) >= time else { return }
            try reader.giveUp(Array(open))
        }
        try setForeignAside()
        // Whoever was heard is asked further; a host that was not has used up its time alone.
        deadline = max(deadline, reader.deadline(after: reader.settings.timeout))
        for i in heard.indices {
            if heard[i].foreign == nil, let served = received(of: i).newest() { try recallNewest(i, served) }
            guard let newest = heard[i].newest() else {
                heard[i].view.absence =
                    heard[i].problems.contains(where: \.isInvalid) || heard[i].foreign != nil
                    ? .invalid : .unreachable
                continue
            }
            heard[i].view.stand(on: newest.statement)
            let tail = tails.first { $0.authority == i && $0.tail.tip == newest.statement.blockID }
            (heard[i].tail, heard[i].tailSource) = (tail?.tail, tail?.url)
            for block in heard[i].tail?.blocks ?? [] { heard[i].view.extend(chain: block) }
            let limit = maxAgeInSeconds ?? (newest.statement.network == .main ? 86_400 : nil)
            heard[i].view.isStale = limit.map { now - newest.attestation.time > $0 } ?? false
        }
        try remember()
    }

    /// What of an authority came in this run.
    private func received(of i: Int) -> [SignedAttestation] {
        received.filter { $0.attestation.key == heard[i].authority.key }
    }

    /// Whether the outcome stands, whatever else is said.
    ///
    /// - Parameter hopeful: places of each authority that may still say something.
    private func isSettled(_ hopeful: [Int]) -> Bool {
        var said: [BlockID: [TreeKind: Set<Statement>]] = [:]
        for one in heard {
            for (block, statements) in one.view.statements {
                for statement in statements {
                    said[block, default: [:]][TreeKind(statement), default: []].insert(statement)
                }
            }
        }
        // Where the list's kind is known, another one says nothing.
        let isContradicted = said.values.contains { kinds in
            kinds.contains { $0.value.count > 1 && (kind == nil || $0.key == kind) }
        }
        if isContradicted { return true }
        return heard.indices.count { heard[$0].isHeard || hopeful[$0] > 0 } < rule.minimum
    }

    /// Whoever attests another kind of tree than the others is of no use to this list, and stops nobody.
    private func setForeignAside() throws(IncompatibleTrees) {
        let said = heard.indices.compactMap { i in
            received(of: i).filter { heard[i].view.counts(at: $0.statement.height) }.newest()
                .map { (authority: heard[i].authority.name, kind: TreeKind($0.statement)) }
        }
        guard let common = try TreeKind.common(said, trustnet: trustnet) else { return }
        kind = common
        for i in heard.indices {
            heard[i].leaveOut(otherThan: common)
            if let other = received(of: i).first(where: { TreeKind($0.statement) != common }) {
                setAside(other, i, source(of: other, i))
            }
        }
        // What is of another kind says nothing of these blocks.
        received.removeAll { TreeKind($0.statement) != common }
    }

    /// Where an attestation came from; of one that was remembered nobody knows.
    private func source(of signed: SignedAttestation, _ i: Int) -> String {
        sources[signed] ?? heard[i].authority.urls[0]
    }

    private func setAside(_ signed: SignedAttestation, _ i: Int, _ url: String) {
        let statement = signed.statement
        guard let kind else { return }
        heard[i].set(aside: signed, from: kind)
        heard[i].note(
            Fault(
                authority: heard[i].authority.name, url: url, asked: .attestation(statement.blockID),
                path: TreePath.attestation(statement.blockID, statement.parameters),
                .otherTree(TreeKind(statement), expected: kind)))
    }

    /// Hosts that show an older state than was seen before are behind, or hold the newer one back. What the key signed
    /// stays signed.
    private func recallNewest(_ i: Int, _ served: SignedAttestation) throws(FileError) {
        guard let known = try log.newest(of: heard[i].authority.key, before: now + Self.maxAhead),
            TreeKind(known.statement) == TreeKind(served.statement)
        else { return }
        heard[i].add(known)
        guard let newest = heard[i].newest(), newest.statement != served.statement else { return }
        try recall(known.statement.blockID)
        heard[i].note(
            Fault(
                authority: heard[i].authority.name, url: source(of: served, i), asked: .hint,
                path: TreePath.latest,
                .behind(
                    shown: served.statement.height, signed: known.statement.height,
                    time: known.attestation.time)))
    }

    // MARK: what the rule asks for

    /// Looks for the attestations that the rule asks for: of the blocks that anybody attests at the height, and of the
    /// one that the authority's own chain has there.
    private func answer(_ questions: [Agreement.Question]) throws {
        for question in questions {
            let own = heard[question.authority].view.chain[question.height]
            for block in Set(question.candidates + [own].compactMap(\.self)).sorted(by: { $0.hash < $1.hash })
            {
                try askEverywhere(question.authority, block)
            }
        }
        try reader.run()
        for question in questions {
            heard[question.authority].view.asked.insert(question.height)
            // A host may name any old block: nobody's chain is walked for that.
            guard !question.isAboutCandidates, let newest = heard[question.authority].view.newest else {
                continue
            }
            // A few blocks down each attestation names the one before; further down the headers do.
            if newest.height - question.height <= Agreement.defaultDepth {
                try walk(question.authority, to: question.height)
            }
            if heard[question.authority].view.chain[question.height] == nil {
                try followHeaders(question.authority, from: newest, to: question.height)
            }
        }
        for question in questions {
            let view = heard[question.authority].view
            if let block = view.chain[question.height], view.statements[block] == nil {
                try askEverywhere(question.authority, block)
            }
        }
        try reader.run()
    }

    /// The attestation of a block, at every URL of an authority; one that is not there is no problem.
    private func askEverywhere(_ i: Int, _ block: BlockID) throws {
        guard let parameters = heard[i].view.newest?.parameters else { return }
        for place in heard[i].places { try ask(i, place, block, parameters, isGuess: true) {} }
    }

    @discardableResult
    private func ask(
        _ i: Int, _ place: TreeReader.Place, _ block: BlockID, _ parameters: TreeParameters, isGuess: Bool,
        then: @escaping () -> Void
    ) throws -> Int {
        let key = heard[i].authority.key
        return try reader.ask(.attestation(of: block, parameters, keys: [key]), at: [place], asking) {
            [self] reply in
            take(reply, of: i, isGuess: isGuess)
            if let signed = reply.answer { try take(signed, i, place, block, parameters) }
            then()
        }
    }

    /// Notes what a host did wrong.
    private func take<Answer>(_ reply: TreeReader.Reply<Answer>, of i: Int, isGuess: Bool = false) {
        heard[i].bytes += reply.bytes
        for fault in reply.faults where !(isGuess && fault.isAbsence) { heard[i].note(fault) }
    }

    private func take(
        _ signed: SignedAttestation, _ i: Int, _ place: TreeReader.Place, _ block: BlockID,
        _ parameters: TreeParameters
    ) throws(FileError) {
        func note(_ kind: Fault.Kind) {
            heard[i].note(
                Fault(
                    authority: place.authority, url: place.url, asked: .attestation(block),
                    path: TreePath.attestation(block, parameters), kind))
        }
        let statement = signed.statement
        guard statement.blockID == block else { return note(.otherBlock(statement.blockID)) }
        guard statement.parameters == parameters else {
            return note(.otherTree(TreeKind(statement), expected: TreeKind(statement.network, parameters)))
        }
        guard signed.attestation.time <= now + Self.maxAhead else {
            heard[i].ahead = max(heard[i].ahead ?? 0, signed.attestation.time)
            return note(.ahead(signed.attestation.time))
        }
        guard heard[i].foreign == nil else { return }
        if let kind, TreeKind(statement) != kind { return setAside(signed, i, place.url) }
        heard[i].isHeard = true
        if sources[signed] == nil { sources[signed] = place.url }
        // What was seen before comes first: of many statements of one block the same two are the proof each time.
        try recall(statement.blockID)
        heard[i].add(signed)
        if heard[i].attestations.contains(where: { $0.statement == statement }) { received.append(signed) }
    }

    /// Goes down an authority's chain from attestation to attestation.
    private func walk(_ i: Int, to height: Int) throws {
        while heard[i].view.chain[height] == nil {
            let view = heard[i].view
            guard
                let lowest = view.chain.values.filter({ $0.height > height }).min(by: {
                    $0.height < $1.height
                }),
                view.statements[lowest] == nil
            else { return }
            try askEverywhere(i, lowest)
            try reader.run()
            if heard[i].view.statements[lowest] == nil { return }
        }
    }

    /// Goes down an authority's chain by its headers, epoch by epoch; they are believed as far as they lead to the
    /// newest block that it signed.
    private func followHeaders(_ i: Int, from newest: Statement, to height: Int) throws {
        let parameters = newest.parameters
        var tip = newest.blockID
        guard (tip.height - height) / parameters.epoch <= Self.maxEpochs else {
            return heard[i].note(
                Fault(
                    authority: heard[i].authority.name, url: heard[i].authority.urls[0],
                    asked: .headers(epoch: parameters.epochStart(of: tip.height)),
                    path: TreePath.headers(epochOf: tip.height, parameters), .tooFar(tip.height - height)))
        }
        while true {
            let start = parameters.epochStart(of: tip.height)
            let reply = try reader.answer(.headers(leadingTo: tip, parameters), at: heard[i].places, asking)
            take(reply, of: i)
            guard let chain = reply.answer else { return }
            if height >= start {
                if let block = chain.block(at: height) { heard[i].view.extend(chain: block) }
                return
            }
            tip = BlockID(height: start - 1, hash: chain.parent)
            progress(heard[i].authority.name, tip.height)
        }
    }
}
