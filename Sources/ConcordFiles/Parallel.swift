import Dispatch
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Work on all cores, on threads that may block.
public enum Parallel {
    public static let cores = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))

    /// Calls `body` for every number below `count`, each worker with tools of its own, and gives the results in
    /// order. The first error ends it; work that has begun is finished.
    public static func map<Tools: ~Copyable, Result: Sendable>(
        _ count: Int, tools makeTools: @Sendable () -> Tools,
        _ body: @Sendable (Int, inout Tools) throws -> Result
    ) throws -> [Result] {
        if count == 0 { return [] }
        let next = Atomic(0)
        let state = Mutex<(results: [Result?], failure: (any Error)?)>(
            (.init(repeating: nil, count: count), nil))
        DispatchQueue.concurrentPerform(iterations: min(cores, count)) { _ in
            var tools = makeTools()
            while true {
                let item = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard item < count else { return }
                do {
                    let result = try body(item, &tools)
                    state.withLock { $0.results[item] = result }
                } catch {
                    next.store(count, ordering: .relaxed)
                    state.withLock { if $0.failure == nil { $0.failure = error } }
                }
            }
        }
        return try state.withLock {
            if let failure = $0.failure { throw failure }
            return $0.results.compactMap { $0 }
        }
    }

    /// The same for work that needs no tools.
    public static func map<Result: Sendable>(
        _ count: Int, _ body: @Sendable (Int) throws -> Result
    ) throws -> [Result] {
        try map(count, tools: {}) { item, _ in try body(item) }
    }
}
