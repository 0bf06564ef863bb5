import Concord
import ConcordFiles
import ConcordTree

/// The values of the set that no statement holds and every next one is made from: the MuHash number of each shard, and of
/// all together, after a block.
public struct RunningSet: Sendable {
    private let parameters: TreeParameters
    /// One a shard.
    public private(set) var numbers: [Num3072]
    /// Their product.
    public private(set) var total: Num3072
    /// The digests of the numbers.
    private var entries: [Digest]

    /// The empty set.
    public init(_ parameters: TreeParameters) {
        self.init([Num3072](repeating: .one, count: parameters.shards), parameters)
    }

    public init(_ totals: SetTotals, _ parameters: TreeParameters) {
        self.parameters = parameters
        (numbers, total) = (totals.numbers, totals.number)
        entries = numbers.map(\.digest)
    }

    public init(_ numbers: [Num3072], _ parameters: TreeParameters) {
        (self.parameters, self.numbers) = (parameters, numbers)
        total = numbers.reduce(into: Num3072.one) { if $1 != .one { $0.multiply(by: $1) } }
        entries = numbers.map(\.digest)
    }

    /// What statements say.
    public var muhash: Digest { total.digest }
    public var muhashes: ShardMuHashes { ShardMuHashes(entries, parameters) }

    /// Elements that are multiplied by one worker at a time, about.
    private static let pieceElements = 1024

    /// Goes over the coins of blocks, in order, on all cores, and gives what is to be said after each.
    mutating func apply(_ blocks: [ShardElements]) throws -> [(muhash: Digest, muhashes: ShardMuHashes)] {
        let factors = try factors(of: blocks)
        let pieces = min(Parallel.cores, parameters.shards)
        let (numbers, count) = (numbers, parameters.shards)
        let applied = try Parallel.map(pieces) { piece in
            let shards = count * piece / pieces..<count * (piece + 1) / pieces
            var own = ShardNumbers(Array(numbers[shards]))
            let results = own.apply(
                factors.map { block in
                    block.filter { shards.contains(Int($0.shard)) }.map {
                        ShardNumbers.Change(place: Int($0.shard) - shards.lowerBound, muhash: $0.muhash)
                    }
                })
            return (first: shards.lowerBound, numbers: own.numbers, results: results)
        }
        self.numbers = applied.flatMap(\.numbers)
        var states: [(muhash: Digest, entries: [Digest])] = []
        for block in blocks.indices {
            for piece in applied {
                let result = piece.results[block]
                if !result.digests.isEmpty { total.multiply(by: result.factor) }
                for (place, digest) in result.digests { entries[piece.first + place] = digest }
            }
            states.append((total.digest, entries))
        }
        let (found, parameters) = (states, parameters)
        return try Parallel.map(found.count) {
            (found[$0].muhash, ShardMuHashes(found[$0].entries, parameters))
        }
    }

    /// What each block does to the MuHash of each shard. A block is divided by shards, so that one alone has all cores too.
    private func factors(of blocks: [ShardElements]) throws -> [[ShardElements.Factor]] {
        var jobs: [(block: Int, shards: Range<Int32>)] = []
        for (i, block) in blocks.enumerated() {
            let pieces = min(
                max(1, (block.created.count + block.spent.count) / Self.pieceElements), parameters.shards)
            for piece in 0..<pieces {
                let (first, end) = (
                    parameters.shards * piece / pieces, parameters.shards * (piece + 1) / pieces
                )
                jobs.append((i, Int32(first)..<Int32(end)))
            }
        }
        let all = jobs
        let done = try Parallel.map(all.count) { blocks[all[$0].block].factors(of: all[$0].shards) }
        var factors = [[ShardElements.Factor]](repeating: [], count: blocks.count)
        for (job, some) in zip(all, done) { factors[job.block] += some }
        return factors
    }
}
