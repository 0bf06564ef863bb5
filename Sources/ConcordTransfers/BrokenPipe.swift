#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Keeps SIGPIPE from this thread until `unblock`: OpenSSL raises it when a host hangs up, and libcurl, told to
/// leave signals alone as a program with threads must, does not look after it.
struct BrokenPipe {
    private var previous = sigset_t()
    private let wasPending: Bool

    init() {
        wasPending = Self.isPending
        var set = Self.only
        pthread_sigmask(SIG_BLOCK, &set, &previous)
    }

    func unblock() {
        // One that came meanwhile was ours.
        if !wasPending, Self.isPending {
            var set = Self.only
            var signal: CInt = 0
            sigwait(&set, &signal)
        }
        var set = previous
        pthread_sigmask(SIG_SETMASK, &set, nil)
    }

    private static var only: sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGPIPE)
        return set
    }

    private static var isPending: Bool {
        var set = sigset_t()
        sigpending(&set)
        return sigismember(&set, SIGPIPE) == 1
    }
}
