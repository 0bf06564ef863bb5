/// What a client holds of a trustnet, and the rule by which it takes a newer version (FORMAT.md, «Trustnets»): pure, the
/// client keeps the signed files.
public struct TrustnetHistory: Hashable, Sendable {
    /// The bootstrap key that counts.
    public let key: PublicKey
    /// The newest version that was taken; nil before the first.
    public let held: SignedTrustnet?

    /// A client that was given a bootstrap key, and has no version yet.
    public init(key: PublicKey) {
        self.key = key
        held = nil
    }

    /// A client that took this version last.
    public init(holding held: SignedTrustnet) {
        key = held.trustnet.bootstrap
        self.held = held
    }

    public enum Answer: Hashable, Sendable {
        /// Newer: hold it from now on, and use it.
        case accepted
        /// What is held already, and may be used.
        case same
        /// Newer or the same, but its time is over. Hold it from now on, so that nothing older is taken for the newest and
        /// a key that it replaces counts no more; do not use it, nor anything older.
        case expired
        /// Keep what is held.
        case refused(Refusal)
    }

    public enum Refusal: Hashable, Sendable {
        /// Of another name, network or parameters, which never change: the member that differs.
        case otherTrustnet(String)
        /// Below the version that is held.
        case older(version: Int, held: Int)
        /// Another document under the number that is held, and one key signed both: keep both as evidence.
        case equivocation(version: Int)
        /// Signed by this key, not by the one that counts. Where there are versions between the one held and this, the
        /// key may have been replaced in one of them: take those first, in order.
        case otherKey(PublicKey, wanted: PublicKey, between: Range<Int>)
    }

    /// Whether a version that came from anywhere is to be taken, at a time in seconds since 1970.
    public func judge(_ candidate: SignedTrustnet, now: Int64) -> Answer {
        let trustnet = candidate.trustnet
        let end = trustnet.isExpired(at: now)
        guard let held else {
            guard candidate.isSigned(by: key) else { return .refused(otherKey(trustnet)) }
            return end ? .expired : .accepted
        }
        if candidate.bytes == held.bytes { return end ? .expired : .same }
        // Below, nothing is said of who signed it: the key may have been replaced since.
        let version = held.trustnet.version
        if trustnet.version < version {
            return .refused(.older(version: trustnet.version, held: version))
        }
        // The key that the held version replaced has signed that one too, and may sign no other of its number.
        guard
            candidate.isSigned(by: key)
                || trustnet.version == version && held.isSigned(by: trustnet.bootstrap)
        else { return .refused(otherKey(trustnet)) }
        if let member = Self.difference(trustnet, held.trustnet) { return .refused(.otherTrustnet(member)) }
        if trustnet.version == version { return .refused(.equivocation(version: version)) }
        return end ? .expired : .accepted
    }

    private func otherKey(_ trustnet: Trustnet) -> Refusal {
        let next = (held?.trustnet.version ?? 0) + 1
        return .otherKey(
            trustnet.bootstrap, wanted: key, between: next..<max(next, trustnet.version))
    }

    private static func difference(_ one: Trustnet, _ other: Trustnet) -> String? {
        if one.name != other.name { return "name" }
        if one.network != other.network { return "network" }
        return one.parameters == other.parameters ? nil : "shards and epoch"
    }
}

extension TrustnetHistory.Refusal: CustomStringConvertible {
    public var description: String {
        switch self {
        case .otherTrustnet(let member): "is of another trustnet: its \(member) differs from what is held"
        case .older(let version, let held): "is version \(version), and version \(held) is held: never back"
        case .equivocation(let version):
            "is another document than the one held, both version \(version) and both signed by one bootstrap key: "
                + "that ends all trust in this key until whoever holds it has explained it"
        case .otherKey(let key, let wanted, let between):
            "is signed by the key \(key.hex), not by the bootstrap key \(wanted.hex)"
                + (between.isEmpty
                    ? ""
                    : "; if the key was replaced, one of the versions \(between.lowerBound) to "
                        + "\(between.upperBound - 1) says so")
        }
    }
}
