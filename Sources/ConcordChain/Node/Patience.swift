import Concord

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Pauses that grow between attempts, up to an end.
struct Patience {
    private let settings: Node.Settings
    private let longest: Duration
    private let end: ContinuousClock.Instant
    private var pause: Duration = .milliseconds(100)
    private var told: String?

    private static let longestPause: Duration = .seconds(5)

    init(_ settings: Node.Settings, _ longest: Duration?) {
        self.settings = settings
        self.longest = longest ?? settings.patience
        end = .now + self.longest
    }

    /// Waits for another attempt; throws the error where it has been waited for long enough.
    mutating func wait(for error: NodeError) throws(NodeError) {
        guard ContinuousClock.now + pause <= end else {
            if longest == .zero { throw error }
            throw NodeError(error.kind, error.subject, "\(error.message) (tried for \(longest.words))")
        }
        if told != error.message, pause > .milliseconds(100) {
            settings.tell("\(error); trying again for up to \(longest.words)")
            told = error.message
        }
        try Self.sleep(pause, settings, error)
        pause = min(pause * 2, Self.longestPause)
    }

    /// Sleeps, but not for long once whoever waits is to stop.
    static func sleep(_ duration: Duration, _ settings: Node.Settings, _ error: NodeError) throws(NodeError) {
        let end = ContinuousClock.now + duration
        while true {
            if settings.isStopping() {
                throw NodeError(.stopped, error.subject, "was not waited for any longer: \(error.message)")
            }
            let rest = end - .now
            if rest <= .zero { return }
            usleep(UInt32(min(rest, .milliseconds(100)) / .microseconds(1)))
        }
    }
}

extension Duration {
    /// For people: `60 s`, `0.5 s`.
    fileprivate var words: String {
        let tenths = Int(self / .milliseconds(100))
        return tenths % 10 == 0 ? "\(tenths / 10) s" : "\(tenths / 10).\(tenths % 10) s"
    }
}
