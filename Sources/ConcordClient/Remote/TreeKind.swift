import Concord

/// What all authorities of a list must have in common.
public struct TreeKind: Hashable, Sendable {
    public let network: Network
    public let parameters: TreeParameters

    public init(_ network: Network, _ parameters: TreeParameters) {
        (self.network, self.parameters) = (network, parameters)
    }

    init(_ statement: Statement) { self.init(statement.network, statement.parameters) }
}
