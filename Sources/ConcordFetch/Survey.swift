import Concord
import ConcordFiles
import ConcordTransfers

/// Asks every authority what it attests, until the rule of agreement is satisfied one way or the other.
///
/// It fetches the two unsigned hints of each URL, the attestation they lead to with the last few headers, and then only
/// what the rule asks for: three round trips where nobody is far behind. Every attestation is believed only after its
/// signature is checked, and each URL of an authority is asked: two statements of one key are seen even if two hosts
/// serve them, or if one was seen in an earlier run.
public struct Survey: ~Copyable {
    /// How it ended.
    public struct Report: Sendable {
        public let heard: [AuthorityObservation]
        public let outcome: Agreement.Outcome
        public let minimum: Int
    }

    private let transfers: Transfers
    private let rule: Agreement
    private let now: Int64
    private let maxAgeInSeconds: Int64?
    private let memory: AttestationLog
    /// What its trustnets are of.
    private let trustnet: Trustnet?
    private let members: [Trustnet.Member]
    private var heard: [AuthorityObservation]
    /// Blocks of which memory was asked.
    private var recalled: Set<BlockID> = []
    /// What came in this run.
    private var received: [SignedAttestation] = []

    /// - Parameters:
    ///   - memory: what was seen in earlier runs; what is seen in this one is added to it.
    ///   - now: seconds since 1970.
    ///   - maxAgeInSeconds: the seconds after which an attestation is stale; nil for a day on the main network, where blocks come
    ///     every ten minutes and it matters, and never on others.
    public init(
        _ roster: Roster, rule: Agreement, memory: AttestationLog, transfers: Transfers, now: Int64,
        maxAgeInSeconds: Int64? = nil
    ) {
        members = roster.members
        heard = members.map { AuthorityObservation($0, maxTime: now + Self.maxAhead) }
        trustnet = roster.trustnets.first
        self.rule = rule
        self.memory = memory
        self.transfers = transfers
        self.now = now
        self.maxAgeInSeconds = maxAgeInSeconds
    }

    public mutating func run() throws -> Report {
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
    public mutating func hear() throws -> [AuthorityObservation] {
        try hearNewest()
        return heard
    }

    private mutating func remember() throws(FileError) {
        try memory.remember(received)
        received = []
    }

    /// What was a contradiction in an earlier run is one now.
    private mutating func recallContradiction() throws(FileError) {
        if let block = try memory.contradiction(among: members) { try recall(block) }
    }

    /// Adds what the authorities were seen to sign of a block in earlier runs.
    private mutating func recall(_ block: BlockID) throws(FileError) {
        guard recalled.insert(block).inserted else { return }
        for i in heard.indices {
            for signed in try memory.recall(block, of: heard[i].authority.key) { heard[i].add(signed) }
        }
    }

    /// The attestation of a block at a URL of an authority, by its place in the list.
    private struct Wanted {
        let authority: Int
        let url: String
        let block: BlockID
        let parameters: TreeParameters
    }

    private mutating func hearNewest() throws {
        var places: [(authority: Int, url: String)] = []
        for (i, one) in heard.enumerated() {
            places += one.authority.urls.map { (i, $0) }
        }
        let hints = fetch(
            places.flatMap {
                [
                    WantedFile($0.authority, $0.url, TreePath.authority, limit: AuthorityFile.maxBytes),
                    WantedFile($0.authority, $0.url, TreePath.latest, limit: 128),
                ]
            })
        var wanted: [Wanted] = []
        for (n, place) in places.enumerated() {
            var path = ""
            do {
                path = TreePath.authority
                let file = try AuthorityFile(parsing: try hints[2 * n].get().bytes)
                guard file.key == heard[place.authority].authority.key else {
                    throw Unusable(
                        text: "is the tree of another key than the one in your list, \(file.key.hex)",
                        isInvalid: true, otherKey: file.key)
                }
                path = TreePath.latest
                let latest = try BlockID(parsingLatest: try hints[2 * n + 1].get().bytes)
                wanted.append(
                    Wanted(
                        authority: place.authority, url: place.url, block: latest, parameters: file.parameters
                    ))
            } catch {
                if let failure = error as? Failure, failure.isLocal { throw failure }
                note(error, place.authority, place.url, path)
            }
        }
        let tails = try fetchAttestations(wanted, withTails: true)
        let served = heard.map { $0.newest() }
        for i in heard.indices {
            if let served = served[i] { try recallNewest(i, served) }
            guard let newest = heard[i].newest() else {
                heard[i].view.absence =
                    heard[i].problems.contains(where: \.isInvalid) ? .invalid : .unreachable
                continue
            }
            heard[i].view.stand(on: newest.statement)
            heard[i].tail = tails.first { $0.authority == i && $0.tail.tip == newest.statement.blockID }?.tail
            for block in heard[i].tail?.blocks ?? [] { heard[i].view.extend(chain: block) }
            let limit = maxAgeInSeconds ?? (newest.statement.network == .main ? 86_400 : nil)
            heard[i].view.isStale = limit.map { now - newest.attestation.time > $0 } ?? false
        }
        try remember()
        try Mixed.check(heard, in: trustnet)
    }

    /// Hosts that show an older state than was seen before are behind, or hold the newer one back. What the key signed
    /// stays signed.
    private mutating func recallNewest(_ i: Int, _ served: SignedAttestation) throws(FileError) {
        guard let known = try memory.newest(of: heard[i].authority.key, before: now + Self.maxAhead),
            known.statement.network == served.statement.network,
            known.statement.parameters == served.statement.parameters
        else { return }
        heard[i].add(known)
        guard let newest = heard[i].newest(), newest.statement != served.statement else { return }
        try recall(known.statement.blockID)
        let url = heard[i].authority.urls[0]
        heard[i].problems.append(
            Problem(
                url: url,
                text:
                    "\(WebAddress.shown(url)): shows height \(served.statement.height) as its newest, but its key signed "
                    + "height \(known.statement.height) at \(Timestamp.text(known.attestation.time)), as was seen before: "
                    + "it is behind, or holds newer blocks back. Ask again later, or add another mirror",
                isInvalid: false))
    }

    /// Seconds that a host's clock may be ahead of this machine's, as those of blocks may (`MAX_FUTURE_BLOCK_TIME`).
    static let maxAhead: Int64 = 7200

    /// Looks for the attestations that the rule asks for: of the blocks that anybody attests at the height, and of the
    /// one that the authority's own chain has there.
    private mutating func answer(_ questions: [Agreement.Question]) throws {
        try fetchAttestations(
            questions.flatMap { question in
                let own = heard[question.authority].view.chain[question.height]
                return Set(question.candidates + [own].compactMap(\.self)).sorted { $0.hash < $1.hash }
                    .flatMap {
                        wanted(question.authority, $0)
                    }
            }, isGuess: true)
        for question in questions {
            heard[question.authority].view.asked.insert(question.height)
            // A host may name any old block: nobody's chain is walked for that.
            guard !question.isAboutCandidates else { continue }
            guard let newest = heard[question.authority].view.newest else { continue }
            // A few blocks down each attestation names the one before; further down the headers do.
            if newest.height - question.height <= Agreement.defaultDepth {
                try walk(question.authority, to: question.height)
            }
            if heard[question.authority].view.chain[question.height] == nil {
                try followHeaders(question.authority, from: newest, to: question.height)
            }
        }
        try fetchAttestations(
            questions.flatMap { question in
                let view = heard[question.authority].view
                guard let block = view.chain[question.height], view.statements[block] == nil else {
                    return [Wanted]()
                }
                return wanted(question.authority, block)
            }, isGuess: true)
    }

    /// The attestation of a block, at every URL of an authority.
    private func wanted(_ authority: Int, _ block: BlockID) -> [Wanted] {
        guard let parameters = heard[authority].view.newest?.parameters else { return [] }
        return heard[authority].authority.urls.map {
            Wanted(authority: authority, url: $0, block: block, parameters: parameters)
        }
    }

    /// Goes down an authority's chain from attestation to attestation.
    private mutating func walk(_ authority: Int, to height: Int) throws {
        while heard[authority].view.chain[height] == nil {
            let view = heard[authority].view
            guard
                let lowest = view.chain.values.filter({ $0.height > height }).min(by: {
                    $0.height < $1.height
                }),
                view.statements[lowest] == nil
            else { return }
            try fetchAttestations(wanted(authority, lowest), isGuess: true)
            if heard[authority].view.statements[lowest] == nil { return }
        }
    }

    /// Goes down an authority's chain by its headers, epoch by epoch; they are believed as far as they lead to the
    /// newest block that it signed.
    private mutating func followHeaders(_ authority: Int, from newest: Statement, to height: Int) throws {
        let parameters = newest.parameters
        var tip = newest.blockID
        while true {
            let start = parameters.epochStart(of: tip.height)
            let path = TreePath.headers(epochOf: tip.height, parameters)
            let chain = fetch(
                heard[authority].authority.urls.map {
                    WantedFile(authority, $0, path, limit: parameters.epoch * BlockHeader.size)
                }
            ).lazy.compactMap { result in
                (try? result.get()).flatMap { try? HeaderChain(parsing: $0.bytes, from: start) }
            }.first { $0.block(at: tip.height) == tip }
            guard let chain else { return }
            if height >= start {
                if let block = chain.block(at: height) { heard[authority].view.extend(chain: block) }
                return
            }
            tip = BlockID(height: start - 1, hash: chain.parent)
        }
    }

    /// Fetches and checks attestations; a guess that is not there is no problem. With the last headers up to each, if
    /// wanted: those that lead to the block.
    @discardableResult
    private mutating func fetchAttestations(
        _ wanted: [Wanted], isGuess: Bool = false, withTails: Bool = false
    ) throws -> [(authority: Int, tail: HeaderTail)] {
        var files = wanted.flatMap { want in
            let path = TreePath.attestation(want.block, want.parameters)
            return [
                WantedFile(want, path, limit: Attestation.maxBytes),
                WantedFile(want, TreePath.signature(path), limit: SignedAttestation.maxSignatureBytes),
            ]
        }
        if withTails {
            files += wanted.map { want in
                let range = HeaderTail.range(of: want.block.height, want.parameters)
                return WantedFile(
                    want, TreePath.headers(epochOf: want.block.height, want.parameters), limit: range.count,
                    range: range)
            }
        }
        let bodies = fetch(files)
        var tails: [(authority: Int, tail: HeaderTail)] = []
        for (n, want) in wanted.enumerated() {
            do {
                let signed = try SignedAttestation(
                    checking: try bodies[2 * n].get().bytes, signature: try bodies[2 * n + 1].get().bytes,
                    key: heard[want.authority].authority.key)
                guard signed.statement.blockID == want.block, signed.statement.parameters == want.parameters
                else {
                    throw Unusable(
                        text:
                            "attests another block, or a tree cut otherwise, than the file \(want.block) is for",
                        isInvalid: true)
                }
                try take(signed, want.authority)
            } catch let error as Failure where isGuess && error.kind == .notFound {
                continue
            } catch {
                if let failure = error as? Failure, failure.isLocal { throw failure }
                if let error = error as? FileError { throw error }
                note(error, want.authority, want.url, TreePath.attestation(want.block, want.parameters))
                continue
            }
            guard withTails, let headers = try? bodies[2 * wanted.count + n].get().bytes,
                let tail = HeaderTail(headers, leadingTo: want.block, want.parameters)
            else { continue }
            tails.append((want.authority, tail))
        }
        return tails
    }

    private mutating func take(_ signed: SignedAttestation, _ authority: Int) throws {
        guard signed.attestation.time <= now + Self.maxAhead else {
            heard[authority].ahead = max(heard[authority].ahead ?? 0, signed.attestation.time)
            throw Unusable(
                text:
                    "was signed at \(Timestamp.text(signed.attestation.time)), more than two hours ahead of this machine's "
                    + "clock. Is that clock right?", isInvalid: true)
        }
        heard[authority].isHeard = true
        heard[authority].add(signed)
        received.append(signed)
        try recall(signed.statement.blockID)
    }

    /// A file of a URL of an authority, or a part of it.
    private struct WantedFile {
        let authority: Int
        let request: Request

        init(_ want: Wanted, _ path: String, limit: Int, range: Range<Int>? = nil) {
            self.init(want.authority, want.url, path, limit: limit, range: range)
        }

        init(_ authority: Int, _ url: String, _ path: String, limit: Int, range: Range<Int>? = nil) {
            self.authority = authority
            request = Request("\(url)/\(path)", limit: limit, range: range)
        }
    }

    private mutating func fetch(_ files: [WantedFile]) -> [Result<Body, Failure>] {
        let results = transfers.fetch(files.map(\.request))
        for (file, result) in zip(files, results) {
            switch result {
            case .success(let body): heard[file.authority].bytes += body.count
            case .failure(let failure): heard[file.authority].bytes += failure.received
            }
        }
        return results
    }

    private struct Unusable: Error, CustomStringConvertible {
        let text: String
        let isInvalid: Bool
        var otherKey: PublicKey?
        var description: String { text }
    }

    private mutating func note(_ error: any Error, _ authority: Int, _ url: String, _ path: String) {
        let isInvalid =
            switch error {
            case let failure as Failure: failure.isInvalid
            case let unusable as Unusable: unusable.isInvalid
            default: true
            }
        let text = error is Failure ? "\(error)" : "\(WebAddress.shown(url))/\(path): \(error)"
        if !heard[authority].problems.contains(where: { $0.text == text }) {
            heard[authority].problems.append(
                Problem(
                    url: url, text: text, isInvalid: isInvalid, otherKey: (error as? Unusable)?.otherKey))
        }
    }
}

extension Failure {
    /// Whether the host answered, but with more than the file can be.
    var isInvalid: Bool {
        if case .tooLarge = kind { true } else { false }
    }
}
