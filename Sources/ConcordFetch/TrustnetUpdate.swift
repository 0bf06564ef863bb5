import Concord
import ConcordFiles
import ConcordTransfers

/// Brings newer versions of trustnets in, from all of their URLs, by the rule of `TrustnetHistory`. A host that fails, or
/// serves what may not be taken, is a warning: what is held goes on to be held.
public struct TrustnetUpdate {
    private let home: Folder
    private let transfers: Transfers
    /// Seconds since 1970.
    private let now: Int64
    /// What is held, in the order of the subscriptions.
    public private(set) var histories: [TrustnetHistory] = []
    /// What hosts did wrong, in words that name the URL.
    public private(set) var warnings: [String] = []
    /// Of trustnets that signed two documents under one number.
    public private(set) var evidence: [TrustnetEvidence] = []

    /// Versions that are walked through for a bootstrap key that was replaced; the next update goes on from there.
    static let maxWalked = 256
    private static let walkedAtOnce = 16

    public init(_ home: Folder, transfers: Transfers, now: Int64) {
        self.home = home
        self.transfers = transfers
        self.now = now
    }

    /// A document as a host served it.
    private struct Candidate {
        let place: Int
        let url: String
        let path: String
        let bytes: [UInt8]
        let version: Int
    }

    /// Throws what this machine is to blame for.
    public mutating func run(_ subscriptions: [TrustList.Subscription]) throws {
        let stores = subscriptions.map { TrustnetStore(home, key: $0.key) }
        histories = try stores.map { try $0.history() }
        let places = subscriptions.indices.flatMap { i in subscriptions[i].urls.map { (place: i, url: $0) } }
        let bodies = transfers.fetch(
            places.map { Request("\($0.url)/\(TrustnetPath.newest)", limit: Trustnet.maxBytes) })
        var candidates: [Candidate] = []
        for ((place, url), body) in zip(places, bodies) {
            try attempt(url, TrustnetPath.newest) {
                let bytes = try body.get().bytes
                if bytes == $0.histories[place].held?.bytes { return }
                candidates.append(
                    Candidate(
                        place: place, url: url, path: TrustnetPath.newest, bytes: bytes,
                        version: try Trustnet(parsing: bytes).version))
            }
        }
        let signed = fetchSignatures(candidates)
        // Lower versions first: a mirror that is behind is no fault as long as nothing newer was held.
        let order = candidates.indices.sorted { candidates[$0].version < candidates[$1].version }
        for i in order {
            let (candidate, signed) = (candidates[i], signed[i])
            try attempt(candidate.url, candidate.path) {
                let signed = try signed.get()
                let store = stores[candidate.place]
                if case .otherKey(_, _, let between)? = try $0.take(
                    signed, candidate.place, store, candidate.url), !between.isEmpty
                {
                    try $0.walk(between, candidate.place, store, candidate.url)
                }
                if let refusal = try $0.take(signed, candidate.place, store, candidate.url) {
                    throw Unusable(description: "\(refusal)")
                }
            }
        }
    }

    private struct Unusable: Error, CustomStringConvertible {
        let description: String
    }

    /// Notes what a host did wrong; passes on what this machine is to blame for.
    private mutating func attempt(
        _ url: String, _ path: String, _ body: (inout Self) throws -> Void
    ) throws {
        do {
            try body(&self)
        } catch let failure as Failure {
            if failure.isLocal { throw failure }
            warnings.append("\(failure)")
        } catch let error as FileError {
            throw error
        } catch {
            warnings.append("\(WebAddress.shown(url))/\(path): \(error)")
        }
    }

    /// Takes a version, keeps it, and says why not where it may not be taken. Nil also where it is evidence now.
    private mutating func take(
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

    private mutating func keep(
        _ held: SignedTrustnet, _ other: SignedTrustnet, _ url: String
    ) throws(FileError) {
        guard
            !evidence.contains(where: { $0.name == held.trustnet.name && $0.version == held.trustnet.version }
            )
        else { return }
        evidence.append(try TrustnetEvidence(held, other, from: url, in: home))
    }

    /// Takes the versions in between, in order, so that a bootstrap key that was replaced in one of them is found. Those
    /// that other keys signed are passed over: they are from before the key that was given.
    private mutating func walk(
        _ between: Range<Int>, _ place: Int, _ store: TrustnetStore, _ url: String
    ) throws {
        let end = min(between.upperBound, between.lowerBound + Self.maxWalked)
        for start in stride(from: between.lowerBound, to: end, by: Self.walkedAtOnce) {
            let versions = Array(start..<min(start + Self.walkedAtOnce, end))
            let bodies = transfers.fetch(
                versions.map { Request("\(url)/\(TrustnetPath.version($0))", limit: Trustnet.maxBytes) })
            // What stands before the first that is missing is taken all the same.
            let there = bodies.prefix { (try? $0.get()) != nil }
            let candidates = try zip(versions, there).map { version, body in
                Candidate(
                    place: place, url: url, path: TrustnetPath.version(version), bytes: try body.get().bytes,
                    version: version)
            }
            for (candidate, signed) in zip(candidates, fetchSignatures(candidates)) {
                let signed = try signed.get()
                guard signed.trustnet.version == candidate.version else {
                    throw Unusable(description: "has another version under the name \(candidate.path)")
                }
                switch try take(signed, place, store, url) {
                case nil: continue
                case .otherKey where histories[place].held == nil: continue
                case let refusal?: throw Unusable(description: "\(candidate.path) \(refusal)")
                }
            }
            if there.count < bodies.count { _ = try bodies[there.count].get() }
        }
    }

    /// The signatures of documents, under the names of the versions that these give.
    private func fetchSignatures(_ candidates: [Candidate]) -> [Result<SignedTrustnet, any Error>] {
        let bodies = transfers.fetch(
            candidates.flatMap { candidate in
                let name = "\(candidate.url)/\(TrustnetPath.version(candidate.version))"
                return [TrustnetPath.signature(name), TrustnetPath.previousSignature(name)].map {
                    Request($0, limit: SignedTrustnet.maxSignatureBytes)
                }
            })
        return candidates.indices.map { i in
            Result {
                var previous: [UInt8]?
                do throws(Failure) {
                    previous = try bodies[2 * i + 1].get().bytes
                } catch {
                    // Most versions have none, and some hosts say «forbidden» of what is not there.
                    switch error.kind {
                    case .notFound, .refused: break
                    default: throw error
                    }
                }
                return try SignedTrustnet(
                    checking: candidates[i].bytes, signature: try bodies[2 * i].get().bytes,
                    previousSignature: previous)
            }
        }
    }
}
