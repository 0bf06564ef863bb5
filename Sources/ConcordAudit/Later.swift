import Dispatch
import Synchronization

/// Work that goes on, on another thread, until somebody needs what comes of it.
final class Later<Value: Sendable>: Sendable {
    private let result = Mutex<Result<Value, any Error>?>(nil)
    private let group = DispatchGroup()

    init(_ work: @escaping @Sendable () throws -> Value) {
        DispatchQueue.global().async(group: group) {
            let done = Result { try work() }
            self.result.withLock { $0 = done }
        }
    }

    /// Waits for the end.
    func get() throws -> Value {
        group.wait()
        guard let result = result.withLock({ $0 }) else { preconditionFailure("the work has ended") }
        return try result.get()
    }
}
