/// An authority somebody recognises: its name, its key, and where its tree can be fetched.
public struct Authority: Hashable, Sendable {
    public var name: AuthorityName
    public var key: PublicKey
    /// http, https or file; any mirror may serve the tree.
    public var urls: [String]

    public init(name: AuthorityName, key: PublicKey, urls: [String]) {
        self.name = name
        self.key = key
        self.urls = urls
    }
}
