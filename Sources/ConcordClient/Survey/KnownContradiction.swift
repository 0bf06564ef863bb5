import CSQLite
import Concord
import ConcordFiles

extension AttestationLog {
    /// The highest block of which different statements were seen that keys of these members signed, as far as they count.
    /// Two statements of one block stay a contradiction, whatever its parties say of later blocks, as long as they are in
    /// the list.
    ///
    /// - Parameter network: the only one to look at; nil for all.
    public func contradiction(
        among members: [Trustnet.Member], on network: Network? = nil
    ) throws(FileError) -> BlockID? {
        for block in try contradicted().reversed() {
            // Statements of trees of different kinds have nothing to say to each other.
            var statements: [TreeKind: Set<Statement>] = [:]
            for member in members where member.counts(at: block.height) {
                for signed in try recall(block, of: member.authority.key)
                where network == nil || signed.statement.network == network {
                    statements[TreeKind(signed.statement), default: []].insert(signed.statement)
                }
            }
            if statements.values.contains(where: { $0.count > 1 }) { return block }
        }
        return nil
    }
}
