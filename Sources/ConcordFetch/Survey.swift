import Concord
import ConcordTransfers

/// Asks every authority what it attests, until the rule of agreement is satisfied one way or the other.
///
/// It fetches the two unsigned hints of each URL, the attestation they lead to, and then only what the rule asks for.
/// Every attestation is believed only after its signature is checked, and each URL of an authority is asked: two
/// statements of one key are seen even if two hosts serve them.
public struct Survey: ~Copyable {
    /// What is known of one authority.
    public struct Heard: Sendable {
        public let authority: Authority
        public internal(set) var view: AuthorityView
        /// Checked attestations; of one block more than one only where their statements differ.
        public internal(set) var attestations: [SignedAttestation] = []
        /// What went wrong, by URL, in words.
        public internal(set) var problems: [Problem] = []
        /// Bytes received.
        public internal(set) var bytes = 0

        init(_ member: Trustnet.Member) {
            authority = member.authority
            view = AuthorityView(withdrawn: member.withdrawn)
        }

        /// What it says now: an authority signs in the order of time, and a mirror may have fallen behind on a branch
        /// that was left since.
        public func newest() -> SignedAttestation? {
            attestations.max {
                ($0.attestation.time, $0.statement.height) < ($1.attestation.time, $1.statement.height)
            }
        }

        mutating func add(_ signed: SignedAttestation) {
            if !attestations.contains(where: { $0.statement == signed.statement }) {
                attestations.append(signed)
            }
            view.add(signed.statement)
        }
    }

    public struct Problem: Sendable {
        public let url: String
        public let text: String
        /// Whether bytes came, but not what they should be.
        public let isInvalid: Bool
    }

    /// How it ended.
    public struct Report: Sendable {
        public let heard: [Heard]
        public let outcome: Agreement.Outcome
        public let minimum: Int
    }

    /// Trees that cannot be compared.
    public struct Mixed: Error, CustomStringConvertible {
        public let description: String
    }

    private let transfers: Transfers
    private let rule: Agreement
    private let now: Int64
    private let mostAge: Int64?
    /// What its trustnets are of.
    private let trustnet: Trustnet?
    private var heard: [Heard]

    /// - Parameters:
    ///   - now: seconds since 1970.
    ///   - mostAge: the seconds after which an attestation is stale; nil for a day on the main network, where blocks come
    ///     every ten minutes and it matters, and never on others.
    public init(
        _ roster: Roster, rule: Agreement, transfers: Transfers, now: Int64, mostAge: Int64? = nil
    ) {
        heard = roster.members.map(Heard.init)
        trustnet = roster.trustnets.first
        self.rule = rule
        self.transfers = transfers
        self.now = now
        self.mostAge = mostAge
    }

    public mutating func run() throws -> Report {
        try hearNewest()
        while true {
            switch rule.step(heard.map(\.view)) {
            case .decided(let outcome):
                return Report(heard: heard, outcome: outcome, minimum: rule.minimum)
            case .ask(let questions):
                try answer(questions)
            }
        }
    }

    /// What each says now: its newest attestation, without asking whether they agree.
    public mutating func hear() throws -> [Heard] {
        try hearNewest()
        return heard
    }

    /// A file of a URL of an authority, by its place in the list.
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
                    ($0.authority, $0.url, TreePath.authority, AuthorityFile.mostBytes),
                    ($0.authority, $0.url, TreePath.latest, 128),
                ]
            })
        var wanted: [Wanted] = []
        for (n, place) in places.enumerated() {
            var path = ""
            do {
                path = TreePath.authority
                let file = try AuthorityFile(parsing: try hints[2 * n].get().bytes)
                guard file.key == heard[place.authority].authority.key else {
                    throw Unusable(text: "is the tree of another key, \(file.key.hex)", isInvalid: true)
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
        try fetchAttestations(wanted)
        for i in heard.indices {
            guard let newest = heard[i].newest() else {
                heard[i].view.absence =
                    heard[i].problems.contains(where: \.isInvalid) ? .invalid : .unreachable
                continue
            }
            heard[i].view.stand(on: newest.statement)
            let limit = mostAge ?? (newest.statement.network == .main ? 86_400 : nil)
            heard[i].view.isStale = limit.map { now - newest.attestation.time > $0 } ?? false
        }
        try checkSameKind()
    }

    /// Authorities that sign different networks, or trees cut differently, can never agree.
    private func checkSameKind() throws {
        let newest = heard.compactMap { one in
            one.view.newest.flatMap { one.view.counts(at: $0.height) ? (one.authority.name, $0) : nil }
        }
        if let trustnet {
            for (name, statement) in newest
            where statement.network != trustnet.network || statement.parameters != trustnet.parameters {
                throw Mixed(
                    description:
                        "«\(name)» attests \(Self.kind(statement.network, statement.parameters)), the trustnet "
                        + "«\(trustnet.name)» is of \(Self.kind(trustnet.network, trustnet.parameters)): they can "
                        + "never agree. If it is one of your own, leave it with «concord trust remove \(name)»"
                )
            }
        }
        guard let (name, first) = newest.first,
            let (other, differing) = newest.first(where: {
                $0.1.network != first.network || $0.1.parameters != first.parameters
            })
        else { return }
        throw Mixed(
            description:
                "«\(name)» attests \(Self.kind(first.network, first.parameters)), «\(other)» "
                + "\(Self.kind(differing.network, differing.parameters)): authorities of one list must "
                + "be of one kind. Remove one with «concord trust remove», or use another --home for it")
    }

    private static func kind(_ network: Network, _ parameters: TreeParameters) -> String {
        "\(network.rawValue) with \(parameters.shards) shards and epochs of \(parameters.epoch) blocks"
    }

    /// Looks for the attestations that the rule asks for: of the blocks that anybody attests at the height, and of the
    /// one that the authority's own chain has there.
    private mutating func answer(_ questions: [Agreement.Question]) throws {
        try fetchAttestations(
            questions.flatMap { question in
                question.candidates.flatMap { wanted(question.authority, $0) }
            }, isGuess: true)
        for question in questions {
            heard[question.authority].view.asked.insert(question.height)
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
                    (authority, $0, path, parameters.epoch * BlockHeader.size)
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

    /// Fetches and checks attestations; a guess that is not there is no problem.
    private mutating func fetchAttestations(_ wanted: [Wanted], isGuess: Bool = false) throws {
        let files = fetch(
            wanted.flatMap { want in
                let path = TreePath.attestation(want.block, want.parameters)
                return [
                    (want.authority, want.url, path, Attestation.mostBytes),
                    (
                        want.authority, want.url, TreePath.signature(path),
                        SignedAttestation.mostSignatureBytes
                    ),
                ]
            })
        for (n, want) in wanted.enumerated() {
            do {
                let signed = try SignedAttestation(
                    checking: try files[2 * n].get().bytes, signature: try files[2 * n + 1].get().bytes,
                    key: heard[want.authority].authority.key)
                guard signed.statement.blockID == want.block, signed.statement.parameters == want.parameters
                else {
                    throw Unusable(
                        text:
                            "attests another block, or a tree cut otherwise, than the file \(want.block) is for",
                        isInvalid: true)
                }
                heard[want.authority].add(signed)
            } catch let error as Failure where isGuess && error.kind == .notFound {
                continue
            } catch {
                if let failure = error as? Failure, failure.isLocal { throw failure }
                note(error, want.authority, want.url, TreePath.attestation(want.block, want.parameters))
            }
        }
    }

    private mutating func fetch(
        _ files: [(authority: Int, url: String, path: String, limit: Int)]
    ) -> [Result<Body, Failure>] {
        let results = transfers.fetch(files.map { Request("\($0.url)/\($0.path)", limit: $0.limit) })
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
            heard[authority].problems.append(Problem(url: url, text: text, isInvalid: isInvalid))
        }
    }
}

extension Failure {
    /// Whether the host answered, but with more than the file can be.
    var isInvalid: Bool {
        if case .tooLarge = kind { true } else { false }
    }
}
