import Foundation
import Synchronization
import Testing

/// Tests that wait for programs and servers most of their time: they run on threads of their own, more than there are
/// processors, and keep no others waiting.
public struct WaitingTests: SuiteTrait, TestTrait, TestScoping {
    public var isRecursive: Bool { true }

    public func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        try await withTaskExecutorPreference(Threads.shared) { try await function() }
    }
}

extension Trait where Self == WaitingTests {
    /// Mostly waits for programs and servers.
    public static var waits: Self { Self() }
}

/// A fixed number of threads; what they wait for takes no thread from anybody else.
private final class Threads: TaskExecutor {
    static let shared = Threads(3 * ProcessInfo.processInfo.activeProcessorCount)

    private let jobs = Mutex<[UnownedJob]>([])
    private let added = DispatchSemaphore(value: 0)

    init(_ count: Int) {
        for _ in 0..<count {
            Thread.detachNewThread { [self] in
                while true {
                    added.wait()
                    jobs.withLock { $0.removeFirst() }.runSynchronously(on: asUnownedTaskExecutor())
                }
            }
        }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        jobs.withLock { $0.append(job) }
        added.signal()
    }
}
