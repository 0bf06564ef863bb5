import ConcordTransfers
import Foundation
import Synchronization

/// Ways to hosts that nobody can tell belong to one client: each shard is asked for over connections of its own, and in no
/// order.
///
/// Where no transports of their own are given, all shards share one reader, one shard after the other.
struct ShardLanes: Sendable {
    /// Makes the transport of one shard.
    let transport: (@Sendable () -> any Transport)?
    let settings: TreeReader.Settings

    /// Shards that are asked for at a time.
    private static let concurrency = 8

    /// Calls `body` for each of some shards with the reader that its questions go to, and gives the results by shard. The
    /// first error ends it; what has begun is finished.
    ///
    /// - Parameters:
    ///   - shared: the reader of everything else.
    ///   - tell: told the number of shards that are done, and the bytes that came over readers of their own.
    func run<Result: Sendable>(
        _ shards: [Int], shared: TreeReader, tell: (_ done: Int, _ bytes: Int) -> Void,
        _ body: @escaping @Sendable (Int, TreeReader) throws -> Result
    ) throws -> [Int: Result] {
        guard let transport else {
            var results: [Int: Result] = [:]
            for shard in shards.sorted() {
                results[shard] = try body(shard, shared)
                tell(results.count, 0)
            }
            return results
        }
        let state = Mutex<State<Result>>(State())
        let queue = OperationQueue()
        queue.maxConcurrentOperationCount = Self.concurrency
        let ended = DispatchSemaphore(value: 0)
        for shard in shards.shuffled() {
            queue.addOperation {
                defer { ended.signal() }
                if state.withLock({ $0.failure != nil }) { return }
                let reader = TreeReader(transport(), settings)
                do {
                    let result = try body(shard, reader)
                    state.withLock {
                        $0.results[shard] = result
                        $0.bytes += reader.received
                    }
                } catch {
                    state.withLock { $0.failure = $0.failure ?? error }
                }
            }
        }
        for done in 1...max(1, shards.count) where !shards.isEmpty {
            ended.wait()
            tell(done, state.withLock(\.bytes))
        }
        return try state.withLock {
            if let failure = $0.failure { throw failure }
            return $0.results
        }
    }

    private struct State<Result: Sendable> {
        var results: [Int: Result] = [:]
        var bytes = 0
        var failure: (any Error)?
    }
}
