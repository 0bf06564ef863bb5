import ConcordTransfers
import Foundation
import Synchronization

/// Ways to hosts that nobody can tell belong to one client: each shard is asked for over connections of its own, and in no
/// order. A shard keeps its way as long as this is there.
///
/// Where no transports of their own are given, all shards share one reader, one shard after the other.
final class ShardLanes: Sendable {
    /// Makes the transport of one shard.
    private let transport: (@Sendable () -> any Transport)?
    private let settings: TreeReader.Settings
    private let state = Mutex(State())

    /// A reader is used by one thread at a time: by whoever runs the shard.
    private struct Lane: @unchecked Sendable {
        let reader: TreeReader
    }

    private struct State {
        var lanes: [Int: Lane] = [:]
        /// Bytes by shard, as of the last time that it was done.
        var received: [Int: Int] = [:]
    }

    /// Shards that are asked for at a time.
    private static let concurrency = 8

    init(transport: (@Sendable () -> any Transport)?, settings: TreeReader.Settings) {
        (self.transport, self.settings) = (transport, settings)
    }

    /// Body bytes that came over readers of their own.
    var received: Int { state.withLock { $0.received.values.reduce(0, +) } }

    /// Forgets what was learned of hosts, so that those that were given up are asked again. Not while anything runs.
    func forget() {
        state.withLock { state in
            for lane in state.lanes.values { lane.reader.forget() }
        }
    }

    private func lane(_ shard: Int, _ transport: @Sendable () -> any Transport) -> Lane {
        state.withLock { state in
            if let lane = state.lanes[shard] { return lane }
            let lane = Lane(reader: TreeReader(transport(), settings))
            state.lanes[shard] = lane
            return lane
        }
    }

    /// Calls `body` for each of some shards with the reader that its questions go to, and gives the results by shard. The
    /// first error ends it; what has begun is finished.
    ///
    /// - Parameters:
    ///   - shared: the reader of everything else.
    ///   - tell: told the number of shards that are done.
    func run<Result: Sendable>(
        _ shards: [Int], shared: TreeReader, tell: (_ done: Int) -> Void,
        _ body: @escaping @Sendable (Int, TreeReader) throws -> Result
    ) throws -> [Int: Result] {
        guard let transport else {
            var results: [Int: Result] = [:]
            for shard in shards.sorted() {
                results[shard] = try body(shard, shared)
                tell(results.count)
            }
            return results
        }
        let came = Mutex<(results: [Int: Result], failure: (any Error)?)>(([:], nil))
        let ended = DispatchSemaphore(value: 0)
        let queue = OperationQueue()
        queue.maxConcurrentOperationCount = Self.concurrency
        for shard in shards.shuffled() {
            queue.addOperation { [self] in
                defer { ended.signal() }
                if came.withLock({ $0.failure != nil }) { return }
                let reader = lane(shard, transport).reader
                defer { state.withLock { $0.received[shard] = reader.received } }
                do {
                    let result = try body(shard, reader)
                    came.withLock { $0.results[shard] = result }
                } catch {
                    came.withLock { $0.failure = $0.failure ?? error }
                }
            }
        }
        for done in shards.indices {
            ended.wait()
            tell(done + 1)
        }
        return try came.withLock {
            if let failure = $0.failure { throw failure }
            return $0.results
        }
    }
}
