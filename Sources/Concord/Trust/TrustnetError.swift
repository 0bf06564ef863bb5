/// Why a trustnet is none.
public enum TrustnetError: Error, Equatable, Sendable {
    case malformed(ParseError)
    case version(Int)
    case minimum(Int)
    /// So many authorities have keys that are not withdrawn, and the minimum is higher.
    case tooFew(Int, minimum: Int)
    case tooMany(Int)
    case sameName(AuthorityName)
    case sameKey(AuthorityName, AuthorityName)
    case urlCount(AuthorityName, Int)
    case url(AuthorityName, String)
    case sameURL(AuthorityName, String)
    case height(AuthorityName)
}

extension TrustnetError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .malformed(let error): "the trustnet \(error)"
        case .version(let version): "the version \(version) is not from 1 to \(Trustnet.maxVersion)"
        case .minimum(let minimum): "the minimum \(minimum) is not from 1 to \(Trustnet.maxMembers)"
        case .tooFew(let count, let minimum):
            "the trustnet asks for agreement of at least \(minimum), and has \(count) "
                + (count == 1 ? "authority whose key is" : "authorities whose keys are") + " not withdrawn"
        case .tooMany(let count):
            "the trustnet has \(count) authorities, at most \(Trustnet.maxMembers) are allowed"
        case .sameName(let name): "two authorities have the name «\(name)»"
        case .sameKey(let one, let other):
            "«\(one)» and «\(other)» have the same key: one authority must not count twice"
        case .urlCount(let name, let count):
            "«\(name)» has \(count) URLs, 1 to \(Trustnet.maxURLs) are allowed"
        case .url(let name, let url):
            "«\(url.prefix(Trustnet.maxURLBytes).description.printable)» of «\(name)» is no URL of a tree: http:// "
                + "or https://, a host and perhaps a path, at most \(Trustnet.maxURLBytes) printable ASCII "
                + "characters, no slash at the end, no user, query or fragment"
        case .sameURL(let name, let url): "«\(name)» has the URL «\(url)» twice"
        case .height(let name):
            "the height at which the key of «\(name)» is withdrawn is not from 0 to \(TreePath.maxHeight)"
        }
    }
}
