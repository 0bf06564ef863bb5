import Concord

/// Authorities of a list that attest different networks, or trees that are partitioned differently, where nothing says
/// which of them the list is of: they can never agree.
public struct IncompatibleTrees: Error, Sendable {
    public let own: (authority: AuthorityName, kind: TreeKind)
    public let other: (authority: AuthorityName, kind: TreeKind)
}

extension TreeKind {
    /// The kind of a list: its trustnet's, or that of more than half of the authorities that were heard. Nil where none was.
    static func common(
        _ heard: [(authority: AuthorityName, kind: TreeKind)], trustnet: Trustnet?
    ) throws(IncompatibleTrees) -> TreeKind? {
        if let trustnet { return TreeKind(trustnet.network, trustnet.parameters) }
        guard let first = heard.first else { return nil }
        let counts = Dictionary(heard.map { ($0.kind, 1) }, uniquingKeysWith: +)
        if let most = counts.first(where: { $0.value * 2 > heard.count }) { return most.key }
        let other = heard.first { $0.kind != first.kind } ?? first
        throw IncompatibleTrees(own: first, other: other)
    }
}
