import Concord
import Foundation
import Synchronization

/// What the node itself says of its set after a block (`gettxoutsetinfo muhash HEIGHT`, with `coinstatsindex`), held
/// against statements before they are signed.
final class SetComparison: Sendable {
    private struct State {
        /// The node has no such index, or does not let this user ask it.
        var isOff = false
        /// It was waited for once.
        var isBehind = false
    }

    private struct SetInfo: Decodable {
        let height: Int
        let bestblock: String
        let txouts: UInt64
        let muhash: String
        // Bitcoin, as a decimal number.
        let total_amount: Decimal
    }

    private let node: Node
    /// How long an index that is behind is waited for: it follows the tip within moments.
    private let patience: Duration
    private let state = Mutex(State())

    init(_ node: Node, patience: Duration = .seconds(10)) {
        self.node = node
        self.patience = patience
    }

    /// Throws where the node's set is another one than a statement says.
    func confirm(_ statements: [Statement]) throws(NodeError) {
        if state.withLock({ $0.isOff }) { return }
        var open = statements[...]
        let end = ContinuousClock.now + (state.withLock { $0.isBehind } ? .zero : patience)
        while !open.isEmpty {
            let answers: [Result<SetInfo, NodeError>]
            do throws(NodeError) {
                answers = try node.batch("gettxoutsetinfo", open.map { ["muhash", .number($0.height)] })
            } catch {
                guard error.kind == .denied else { throw error }
                return turnOff(error)
            }
            for answer in answers {
                guard let statement = open.first else { return }
                switch answer {
                case .success(let info):
                    try compare(statement, info)
                    open.removeFirst()
                    continue
                case .failure(let error):
                    guard case .refused(let code) = error.kind else { throw error }
                    guard error.message.contains("still syncing") else {
                        // Above its tip, or a block it has left: the chain has moved.
                        if code == -8, error.message.contains("tip") { throw moved(statement, error.message) }
                        guard code == -32601 || error.message.contains("requires coinstatsindex") else {
                            throw NodeError(.passing, error.subject, error.message)
                        }
                        return turnOff(error)
                    }
                    guard ContinuousClock.now < end else { return giveUp(statement, error) }
                    try Patience.sleep(.milliseconds(250), node.settings, error)
                }
                break
            }
        }
        state.withLock { $0.isBehind = false }
    }

    /// The MuHash of the node's set after a block; nil where it has no such index, this user may not ask it, or it is not
    /// there yet.
    func muhash(of block: BlockID) throws(NodeError) -> Digest? {
        let info: SetInfo
        do throws(NodeError) {
            info = try node.call("gettxoutsetinfo", "muhash", .number(block.height))
        } catch {
            switch error.kind {
            case .denied, .refused: return nil
            default: throw error
            }
        }
        return info.bestblock == block.hash.reversedHex ? Digest(reversedHex: info.muhash) : nil
    }

    private func turnOff(_ error: NodeError) {
        state.withLock { $0.isOff = true }
        node.settings.tell(
            "\(error): the set is not compared with the node's own (a node with coinstatsindex=1 has one for every height)"
        )
    }

    private func giveUp(_ statement: Statement, _ error: NodeError) {
        let isFirst = state.withLock { state in
            defer { state.isBehind = true }
            return !state.isBehind
        }
        guard isFirst else { return }
        node.settings.tell(
            "\(error): from height \(statement.height) on the set is not compared with the node's own until it is"
        )
    }

    private func moved(_ statement: Statement, _ words: String) -> NodeError {
        NodeError(
            .moved, node.subject("gettxoutsetinfo"),
            "block \(statement.block.reversedHex) is not the node's block of height \(statement.height) any more "
                + "(\(words)): its chain has moved, nothing of this was signed")
    }

    private func compare(_ statement: Statement, _ info: SetInfo) throws(NodeError) {
        guard info.height == statement.height else {
            throw NodeError(
                .garbage, node.subject("gettxoutsetinfo"),
                "the answer is of height \(info.height), not \(statement.height)")
        }
        guard info.bestblock == statement.block.reversedHex else {
            throw moved(statement, "it has \(NodeJSON.shown(info.bestblock)) there")
        }
        let amount = NodeAmount.satoshi(info.total_amount)
        for (name, field, ours, theirs) in [
            ("txouts", "coins", "\(statement.coins)", "\(info.txouts)"),
            (
                "total_amount", "amount", "\(statement.amount)",
                amount.map { "\($0)" } ?? "\(info.total_amount)"
            ),
            ("muhash", "muhash", statement.muhash.reversedHex, NodeJSON.shown(info.muhash)),
        ] where ours != theirs {
            throw NodeError(
                .contradiction, node.subject("gettxoutsetinfo"),
                "the set after height \(statement.height) (block \(statement.block.reversedHex)) has \(field) "
                    + "\(ours), but the node's coinstatsindex says \(theirs) (\(name)): nothing of this was signed. One "
                    + "of the two is damaged: compare with another node before you go on")
        }
    }
}
