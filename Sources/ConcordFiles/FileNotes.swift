import Synchronization

/// What a person should know of this machine's files, though the work goes on: the first of each kind is told.
public enum FileNotes {
    public typealias Listener = @Sendable (String) -> Void

    private static let state = Mutex((listener: Listener?.none, told: Set<String>()))

    /// From now on `listener` is told, by any thread; before, nobody is.
    public static func tell(_ listener: @escaping Listener) { state.withLock { $0.listener = listener } }

    /// Tells it, unless something of this kind was told before.
    static func once(_ text: String, kind: StaticString = #function) {
        let listener: Listener? = state.withLock {
            guard let listener = $0.listener, $0.told.insert("\(kind)").inserted else { return nil }
            return listener
        }
        listener?(text)
    }
}
