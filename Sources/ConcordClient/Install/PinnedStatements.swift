import Concord
import ConcordFiles

/// Brings statements that a higher one of their epoch pins: any host may serve them, and nobody's signature is needed. They
/// are asked for all at once, for their names are known from the headers, and then held to each other from above; what
/// does not fit is asked for again, of whoever has it as it must be.
struct PinnedStatements {
    let reader: TreeReader
    let places: [TreeReader.Place]
    let fallbacks: [TreeReader.Place]
    /// A statement that was kept in an earlier run.
    let kept: (BlockID) -> Statement?

    /// The way down from a statement to a height of its epoch, and what hosts did wrong. `block` gives the blocks of the chain.
    ///
    /// - Throws: `NotThere` where no host has one of them.
    func way(
        from top: Statement, to base: Int, block: (Int) -> BlockID?, tell: (_ done: Int, _ of: Int) -> Void
    ) throws -> (way: StatementWay, faults: [Fault]) {
        let parameters = top.parameters
        precondition(base >= top.epochStart && base <= top.height)
        var heights = [base] + parameters.steps(from: base, to: top.height).map(\.height)
        heights.removeLast()
        if heights.isEmpty { return (StatementWay(top), []) }
        var asking = TreeReader.Asking()
        asking.fallbacks = fallbacks
        var (found, faults): ([Int: Statement], [Fault]) = ([:], [])
        for height in heights {
            guard let block = block(height) else { continue }
            if let statement = kept(block) {
                found[height] = statement
                continue
            }
            try reader.ask(.statement(of: block, parameters, digest: nil), at: places, asking) { reply in
                faults += reply.faults
                found[height] = reply.answer
            }
        }
        try reader.run { tell(found.count, heights.count) }
        var way = [top]
        for height in heights.reversed() {
            let above = way[way.count - 1]
            guard let digest = above.ancestor(above.height - height) else {
                preconditionFailure("each step has its own statement")
            }
            if let statement = found[height], statement.digest == digest {
                way.append(statement)
                continue
            }
            guard let block = block(height) else {
                throw NotThere(path: TreePath.attestationFolder(epochOf: height, parameters), faults: faults)
            }
            let question = TreeQuestion.statement(of: block, parameters, digest: digest)
            let reply = try reader.answer(question, at: places, asking)
            faults += reply.faults
            guard let statement = reply.answer else {
                throw NotThere(path: question.path, faults: reply.faults)
            }
            way.append(statement)
        }
        guard let joined = StatementWay(way.reversed()) else {
            preconditionFailure("each was held to its digest")
        }
        return (joined, faults.filter { !$0.isAbsence })
    }
}
