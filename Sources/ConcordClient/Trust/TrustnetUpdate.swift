import Concord
import ConcordFiles

/// Brings newer versions of trustnets in, from all of their URLs, by the rule of `TrustnetHistory`. A host that fails, or
/// serves what may not be taken, is a warning: what is held goes on to be held.
public final class TrustnetUpdate {
    private let home: Folder
    private let reader: TreeReader
    /// Seconds since 1970.
    private let now: Int64
    private var deadline: Duration
    /// What is held, in the order of the subscriptions.
    public private(set) var histories: [TrustnetHistory] = []
    /// What hosts did wrong.
    public private(set) var warnings: [Fault] = []
    /// Of trustnets that signed two documents under one number.
    public private(set) var evidence: [TrustnetEvidence] = []

    /// Versions that are walked through for a bootstrap key that was replaced. The next update goes on from the one that was
    /// taken last; a client that holds none, and whose key came in above this one, needs a newer key.
    static let maxWalked = 96
    private static let walkedAtOnce = 16

    public init(_ home: Folder, reader: TreeReader, now: Int64) {
        (self.home, self.reader, self.now) = (home, reader, now)
        deadline = reader.deadline(after: reader.settings.surveyTime)
    }

    private var asking: TreeReader.Asking {
        TreeReader.Asking(isHedged: false, retries: 1, deadline: deadline)
    }

    /// A document that a host served as the newest, and the signatures there are for it.
    private struct Candidate {
        let place: Int
        let url: String
        let document: TrustnetDocument
        var signed: SignedTrustnet?
    }

    /// Throws what this machine is to blame for.
    public func run(_ subscriptions: [TrustList.Subscription]) throws {
        let stores = subscriptions.map { TrustnetStore(home, key: $0.key) }
        histories = try stores.map { try $0.history() }
        var candidates: [Candidate] = []
        for place in subscriptions.indices {
            for url in subscriptions[place].urls {
                try reader.ask(.trustnet(version: nil), at: [TreeReader.Place(url)], asking) { [self] reply in
                    warnings += reply.faults
                    guard let document = reply.answer, document.bytes != histories[place].held?.bytes else {
                        return
                    }
                    let number = candidates.count
                    candidates.append(Candidate(place: place, url: url, document: document))
                    try sign(document, isPreviousWanted: true, url) { candidates[number].signed = $0 }
                }
            }
        }
        try reader.run()
        // Lower versions first: a mirror that is behind is no fault as long as nothing newer was held.
        let order = candidates.indices.sorted {
            candidates[$0].document.trustnet.version < candidates[$1].document.trustnet.version
        }
        for i in order {
            let candidate = candidates[i]
            guard let signed = candidate.signed else { continue }
            let store = stores[candidate.place]
            if case .otherKey(_, _, let between)? = try take(signed, candidate.place, store, candidate.url),
                !between.isEmpty
            {
                try walk(between, candidate.place, store, candidate.url)
            }
            if let refusal = try take(signed, candidate.place, store, candidate.url) {
                warn(candidate.url, TrustnetPath.newest, nil, .refusedTrustnet(refusal))
            }
        }
    }

    private func warn(_ url: String, _ path: String, _ version: Int?, _ kind: Fault.Kind) {
        warnings.append(Fault(url: url, asked: .trustnet(version: version), path: path, kind))
    }

    /// Fetches the signatures of a document, under the name of the version that it gives.
    private func sign(
        _ document: TrustnetDocument, isPreviousWanted: Bool, _ url: String,
        then: @escaping (SignedTrustnet) -> Void
    ) throws {
        let version = document.trustnet.version
        let path = TrustnetPath.version(version)
        var (own, previous): ([UInt8]?, [UInt8]?) = (nil, nil)
        var left = isPreviousWanted ? 2 : 1
        func end() {
            left -= 1
            guard left == 0, let own else { return }
            do throws(SignedTrustnetError) {
                then(
                    try SignedTrustnet(checking: document.bytes, signature: own, previousSignature: previous))
            } catch {
                warn(url, path, version, .notTrustnet(error))
            }
        }
        let places = [TreeReader.Place(url)]
        try reader.ask(.signature(ofTrustnet: version, isPrevious: false), at: places, asking) {
            [self] reply in
            warnings += reply.faults
            own = reply.answer
            end()
        }
        guard isPreviousWanted else { return }
        try reader.ask(.signature(ofTrustnet: version, isPrevious: true), at: places, asking) {
            [self] reply in
            // Most versions have none.
            warnings += reply.faults.filter { !$0.isAbsence }
            previous = reply.answer
            end()
        }
    }

    /// Takes a version, keeps it, and says why not where it may not be taken. Nil also where it is evidence now.
    private func take(
        _ signed: SignedTrustnet, _ place: Int, _ store: TrustnetStore, _ url: String
    ) throws(FileError) -> TrustnetHistory.Refusal? {
        let history = histories[place]
        switch history.judge(signed, now: now) {
        case .same: return nil
        case .accepted, .expired:
            guard signed.bytes != history.held?.bytes else { return nil }
            try store.keep(signed)
            histories[place] = TrustnetHistory(holding: signed)
            return nil
        case .refused(.equivocation):
            if let held = history.held { try keep(held, signed, url) }
            return nil
        case .refused(.older(let version, let held)):
            // What was taken under that number long ago is still here.
            if let kept = try store.version(version),
                case .refused(.equivocation) = TrustnetHistory(holding: kept).judge(signed, now: now)
            {
                try keep(kept, signed, url)
                return nil
            }
            return .older(version: version, held: held)
        case .refused(let refusal): return refusal
        }
    }

    private func keep(
        _ held: SignedTrustnet, _ other: SignedTrustnet, _ url: String
    ) throws(FileError) {
        guard
            !evidence.contains(where: { $0.name == held.trustnet.name && $0.version == held.trustnet.version }
            )
        else { return }
        evidence.append(try TrustnetEvidence(held, other, from: url, in: home))
    }

    /// Takes the versions in between, in order, so that a bootstrap key that was replaced in one of them is found. Before
    /// the first that is held, those that other keys signed are passed over: they are from before the key that was given.
    private func walk(
        _ between: Range<Int>, _ place: Int, _ store: TrustnetStore, _ url: String
    ) throws {
        let end = min(between.upperBound, between.lowerBound + Self.maxWalked)
        // No other host has used up its time.
        deadline = reader.deadline(after: reader.settings.surveyTime)
        for start in stride(from: between.lowerBound, to: end, by: Self.walkedAtOnce) {
            let versions = Array(start..<min(start + Self.walkedAtOnce, end))
            var documents: [TrustnetDocument?] = .init(repeating: nil, count: versions.count)
            var signed = [SignedTrustnet?](repeating: nil, count: versions.count)
            var faults = [[Fault]](repeating: [], count: versions.count)
            // Whether signatures were asked for.
            var isSigned = [Bool](repeating: false, count: versions.count)
            for (i, version) in versions.enumerated() {
                try reader.ask(.trustnet(version: version), at: [TreeReader.Place(url)], asking) {
                    [self] reply in
                    faults[i] = reply.faults
                    documents[i] = reply.answer
                    guard let document = reply.answer else { return }
                    let isOwn = document.trustnet.bootstrap == histories[place].key
                    guard isOwn || histories[place].held != nil else { return }
                    isSigned[i] = true
                    try sign(document, isPreviousWanted: !isOwn, url) { signed[i] = $0 }
                }
            }
            try reader.run()
            for (i, version) in versions.enumerated() {
                // What stands before the first that is missing is taken all the same.
                warnings += faults[i]
                guard let document = documents[i] else { return }
                var candidate = signed[i]
                let isOwn = document.trustnet.bootstrap == histories[place].key
                if candidate == nil, !isSigned[i], isOwn || histories[place].held != nil {
                    // The key that counts was found only now.
                    try sign(document, isPreviousWanted: !isOwn, url) { candidate = $0 }
                    try reader.run()
                }
                guard let candidate else {
                    if histories[place].held == nil, !isOwn { continue }
                    return
                }
                switch try take(candidate, place, store, url) {
                case nil: continue
                case .otherKey where histories[place].held == nil: continue
                case let refusal?:
                    return warn(url, TrustnetPath.version(version), version, .refusedTrustnet(refusal))
                }
            }
        }
    }
}
