import Foundation
import Synchronization

/// Threads for answers: they wait for the disk, which threads that serve connections must not.
final class Workers: Sendable {
    private let queue = OperationQueue()
    private let unfinished = Atomic(0)

    /// A look at a shard takes megabytes, and a core.
    private static let threads = 4
    /// More requests at a time are refused (Bitcoin Core's `-rpcworkqueue`).
    private static let most = 64

    init() { queue.maxConcurrentOperationCount = Self.threads }

    /// Does something on one of the threads, once one is free; nil where too many wait already.
    func run<Result: Sendable>(_ work: @escaping @Sendable () -> Result) async -> Result? {
        defer { unfinished.wrappingSubtract(1, ordering: .relaxed) }
        guard unfinished.wrappingAdd(1, ordering: .relaxed).newValue <= Self.most else { return nil }
        return await withCheckedContinuation { continuation in
            queue.addOperation { continuation.resume(returning: work()) }
        }
    }
}
