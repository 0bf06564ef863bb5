import Concord
import ConcordPublish

/// A trustnet that is signed in this process, as its host has it.
public struct MadeTrustnet: Sendable {
    public let key: SigningKey
    public var files: [String: [UInt8]] = [:]
    /// The version that was signed last.
    public private(set) var trustnet: Trustnet

    /// Version 1, of the authorities of these trees, each at the URLs given.
    public init(
        _ members: [(tree: MadeTree, urls: [String])], name: String = "example", minimum: Int = 2,
        key: SigningKey = .generate(), expires: Int64 = MadeTree.time + 1_000_000
    ) throws {
        guard let name = AuthorityName(name) else { throw TestError("\(name) is no name") }
        self.key = key
        trustnet = Trustnet(
            name: name, network: .regtest, version: 1, expires: expires,
            parameters: members.first?.tree.parameters ?? MadeTree.parameters, minimum: minimum,
            bootstrap: key.publicKey,
            members: members.map { Trustnet.Member($0.tree.authority(at: $0.urls)) })
        try sign()
    }

    public var site: ScriptedSite { ScriptedSite(files: files) }

    /// Signs another version, and publishes it as the newest.
    ///
    /// - Parameter other: who signs it instead of the key; the document names that key.
    public mutating func change(by other: SigningKey? = nil, _ change: (inout Trustnet) -> Void) throws {
        change(&trustnet)
        if let other { trustnet.bootstrap = other.publicKey }
        try sign(by: other)
    }

    private mutating func sign(by other: SigningKey? = nil) throws {
        let bytes = Array(trustnet.text.utf8)
        let signature = try (other ?? key).sign(SHA256.hash(bytes))
        for path in [TrustnetPath.version(trustnet.version), TrustnetPath.newest] {
            files[path] = bytes
            files[TrustnetPath.signature(path)] = signature
        }
    }
}
