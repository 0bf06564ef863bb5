import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// SIGINT and SIGTERM as a wish that the program sees when it can end well. A second one ends it at once.
public enum StopSignal {
    private static let isWanted = Atomic(false)

    public static var isStopping: Bool { isWanted.load(ordering: .relaxed) }

    /// From here on the first of these signals only sets the flag.
    public static func catchSignals() {
        // The handler must find it made.
        isWanted.store(false, ordering: .relaxed)
        for number in [SIGINT, SIGTERM] {
            var action = sigaction()
            let handler: @convention(c) (Int32) -> Void = { number in
                if StopSignal.isWanted.exchange(true, ordering: .relaxed) {
                    signal(number, SIG_DFL)
                    raise(number)
                }
            }
            #if canImport(Glibc)
                action.__sigaction_handler.sa_handler = handler
                action.sa_flags = SA_RESTART
            #else
                action.__sigaction_u.__sa_handler = handler
                action.sa_flags = SA_RESTART
            #endif
            sigaction(number, &action, nil)
        }
    }
}
