import Synchronization

/// Counts requests over several hosts, and does what it was told when one asks for that.
public final class RequestCounter: Sendable {
    private let count = Atomic(0)
    private let action = Mutex<@Sendable () -> Void>({})

    public init() {}

    /// The number of this request, from 1 on.
    public func next() -> Int { count.add(1, ordering: .relaxed).newValue }

    public func onRun(_ body: @escaping @Sendable () -> Void) { action.withLock { $0 = body } }

    public func run() {
        let action = action.withLock { $0 }
        action()
    }
}
