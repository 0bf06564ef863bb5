import Concord

/// Neighbouring heights at which an authority attests something else than one's own chain data says, in the same fields.
public struct Dissent: Sendable {
    public struct Field: Sendable {
        /// As it stands in statements.
        public let name: String
        public let own: String
        public let attested: String
    }

    /// The first of them, and what differs there.
    public let block: BlockID
    public let fields: [Field]
    /// The height of the last.
    public internal(set) var last: Int

    init(_ own: Statement, _ attested: Statement) {
        block = own.blockID
        last = own.height
        fields = own.differences(from: attested).map {
            Field(name: $0, own: own.value(of: $0), attested: attested.value(of: $0))
        }
    }

    /// Takes in the next height, if the same fields differ there.
    mutating func extend(with next: Dissent) -> Bool {
        guard next.block.height == last + 1, next.fields.map(\.name) == fields.map(\.name) else {
            return false
        }
        last = next.last
        return true
    }
}
