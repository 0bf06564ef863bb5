/// A set of authorities to compare, named and signed by whoever keeps it: `trustnet.json` (FORMAT.md, «Trustnets»).
public struct Trustnet: Hashable, Sendable {
    /// An authority, and how far its key counts.
    public struct Member: Hashable, Sendable {
        /// Its URLs are http or https, without a slash at the end.
        public var authority: Authority
        /// The height from which its key no longer counts; nil for a key that was not withdrawn.
        public var withdrawn: Int?

        public init(_ authority: Authority, withdrawn: Int? = nil) {
            self.authority = authority
            self.withdrawn = withdrawn
        }

        /// Whether what its key attests of a height counts: below the height at which the key was withdrawn.
        public func counts(at height: Int) -> Bool { withdrawn.map { height < $0 } ?? true }
    }

    public var name: AuthorityName
    public var network: Network
    /// Counts up by one from 1.
    public var version: Int
    /// Seconds since 1970. From then on this version is not used.
    public var expires: Int64
    public var parameters: TreeParameters
    /// The least number of authorities that must agree.
    public var minimum: Int
    /// The key that signs this version.
    public var bootstrap: PublicKey
    public var members: [Member]

    public static let maxBytes = 1 << 20
    public static let maxVersion = 999_999_999
    public static let maxMembers = 256
    public static let maxURLs = 8
    public static let maxURLBytes = 256

    public init(
        name: AuthorityName, network: Network, version: Int, expires: Int64, parameters: TreeParameters,
        minimum: Int, bootstrap: PublicKey, members: [Member]
    ) {
        self.name = name
        self.network = network
        self.version = version
        self.expires = expires
        self.parameters = parameters
        self.minimum = minimum
        self.bootstrap = bootstrap
        self.members = members
    }

    /// Whether it must not be used at this time, in seconds since 1970.
    public func isExpired(at now: Int64) -> Bool { now >= expires }

    /// The authorities whose attestations of a height count.
    public func authorities(at height: Int) -> [Authority] {
        members.filter { $0.counts(at: height) }.map(\.authority)
    }

    /// Throws unless this may be signed and used: the rules of a draft, and enough keys that are not withdrawn.
    public func check() throws(TrustnetError) {
        try checkDraft()
        let count = members.count { $0.withdrawn == nil }
        guard minimum <= count else { throw .tooFew(count, minimum: minimum) }
    }

    /// Throws unless this is what a trustnet can be, apart from the number of its authorities: a list that is still
    /// being made.
    public func checkDraft() throws(TrustnetError) {
        guard (1...Self.maxVersion).contains(version) else { throw .version(version) }
        guard (1...Self.maxMembers).contains(minimum) else { throw .minimum(minimum) }
        guard members.count <= Self.maxMembers else { throw .tooMany(members.count) }
        var names: Set<AuthorityName> = []
        var keys: [PublicKey: AuthorityName] = [:]
        for member in members {
            let authority = member.authority
            guard names.insert(authority.name).inserted else { throw .sameName(authority.name) }
            if let other = keys.updateValue(authority.name, forKey: authority.key) {
                throw .sameKey(other, authority.name)
            }
            guard (1...Self.maxURLs).contains(authority.urls.count) else {
                throw .urlCount(authority.name, authority.urls.count)
            }
            for (i, url) in authority.urls.enumerated() {
                guard Self.isURL(url) else { throw .url(authority.name, url) }
                guard !authority.urls[..<i].contains(url) else { throw .sameURL(authority.name, url) }
            }
            guard (0...TreePath.maxHeight).contains(member.withdrawn ?? 0) else {
                throw .height(authority.name)
            }
        }
    }

    /// Whether this can stand for a tree: http or https, a host, no user, query, fragment or slash at the end, and
    /// nothing that JSON would have to escape.
    public static func isURL(_ url: String) -> Bool {
        guard url.utf8.count <= maxURLBytes, url.last != "/",
            let scheme = ["https://", "http://"].first(where: url.hasPrefix),
            url.utf8.allSatisfy({ (0x21...0x7e).contains($0) }),
            !url.contains(where: { "\"\\<>?#@".contains($0) })
        else { return false }
        return url.dropFirst(scheme.count).first.map { $0 != "/" && $0 != ":" } ?? false
    }
}
