/// The authorities that a client compares: those of all its trustnets and its own, each key once.
public struct Roster: Hashable, Sendable {
    public struct Entry: Hashable, Sendable {
        /// With the URLs of all who vouch for it. Its key counts as far as anybody who vouches for it lets it count: so
        /// no trustnet can silence an authority of another one.
        public internal(set) var member: Trustnet.Member
        /// The trustnets that have it, in their order.
        public internal(set) var trustnets: [AuthorityName] = []
        /// Whether it is in the client's own list.
        public internal(set) var isOwn = false
    }

    /// In the order of the trustnets, one's own last.
    public private(set) var entries: [Entry] = []
    public let trustnets: [Trustnet]

    /// Throws where these authorities cannot be compared with each other. Expired trustnets are not refused here.
    public init(trustnets: [Trustnet] = [], own: [Authority] = []) throws(RosterError) {
        try self.init(trustnets: trustnets, own: own.map { Trustnet.Member($0) })
    }

    /// The same, where the client has withdrawn keys of its own list.
    public init(trustnets: [Trustnet] = [], own: [Trustnet.Member]) throws(RosterError) {
        self.trustnets = trustnets
        if let first = trustnets.first,
            let other = trustnets.first(where: {
                $0.network != first.network || $0.parameters != first.parameters
            })
        {
            throw .mixed(first, other)
        }
        for trustnet in trustnets {
            for member in trustnet.members {
                let place = try place(of: member)
                entries[place].trustnets.append(trustnet.name)
            }
        }
        for member in own {
            let place = try place(of: member)
            entries[place].isOwn = true
        }
    }

    public var members: [Trustnet.Member] { entries.map(\.member) }

    /// Only some of the authorities.
    public func only(_ isWanted: (Authority) -> Bool) -> Roster {
        var roster = self
        roster.entries.removeAll { !isWanted($0.member.authority) }
        return roster
    }

    /// The number of authorities that must attest a block: at least what each trustnet says; more than half of those
    /// whose keys count, or `wanted`.
    ///
    /// - Parameter height: the only height that may be chosen; nil for the highest.
    public func minimum(_ wanted: Int? = nil, at height: Int? = nil) throws(RosterError) -> Int {
        let count = entries.count { $0.member.counts(at: height ?? .max) }
        let strictest = trustnets.max { $0.minimum < $1.minimum }
        if let wanted, let strictest, wanted < strictest.minimum { throw .belowMinimum(wanted, strictest) }
        let minimum = max(wanted ?? Agreement.defaultMinimum(of: count), strictest?.minimum ?? 0)
        guard count >= minimum else { throw .tooFew(count, minimum: minimum) }
        return minimum
    }

    /// Where an authority stands, which is joined with what is there of it.
    private mutating func place(of member: Trustnet.Member) throws(RosterError) -> Int {
        let authority = member.authority
        for (i, entry) in entries.enumerated() {
            let known = entry.member.authority
            switch (known.key == authority.key, known.name == authority.name) {
            case (false, false): continue
            case (true, false): throw .sameKey(known.name, authority.name, authority.key)
            case (false, true): throw .sameName(known.name, known.key, authority.key)
            case (true, true):
                entries[i].member.authority.urls += authority.urls.filter { !known.urls.contains($0) }
                if let one = entry.member.withdrawn {
                    entries[i].member.withdrawn = member.withdrawn.map { max(one, $0) }
                }
                return i
            }
        }
        entries.append(Entry(member: member))
        return entries.count - 1
    }
}

/// Why authorities cannot be compared with each other.
public enum RosterError: Error, Equatable, Sendable {
    /// Trustnets of different networks or parameters.
    case mixed(Trustnet, Trustnet)
    case sameKey(AuthorityName, AuthorityName, PublicKey)
    case sameName(AuthorityName, PublicKey, PublicKey)
    /// So many authorities count.
    case tooFew(Int, minimum: Int)
    /// Fewer than this trustnet asks for were wanted.
    case belowMinimum(Int, Trustnet)
}
