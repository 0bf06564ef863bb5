import Synchronization

/// Counts from 1, for any number of threads.
public final class Counter: Sendable {
    private let value = Atomic(0)

    public init() {}

    public func next() -> Int {
        value.wrappingAdd(1, ordering: .relaxed).newValue
    }
}
