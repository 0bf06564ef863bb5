import Concord
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Says on standard error how long work goes: on a terminal one line that changes, elsewhere a line now and then.
public final class ProgressLine: Sendable {
    private struct State {
        var last: Double = 0
        var isLineOpen = false
    }

    private let state = Mutex(State())
    private let isTerminal: Bool
    private let isQuiet: Bool

    public init(isQuiet: Bool = false) {
        isTerminal = isatty(STDERR_FILENO) == 1
        self.isQuiet = isQuiet
    }

    private static var seconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// Where the work is, in one line. Shown ten times a second at most on a terminal, every ten seconds elsewhere.
    public func update(_ text: @autoclosure () -> String) {
        if isQuiet { return }
        state.withLock { state in
            let now = Self.seconds
            guard now - state.last >= (isTerminal ? 0.1 : 10) else { return }
            let isFirst = state.last == 0
            state.last = now
            if isTerminal {
                Self.write("\r\u{1b}[K\(text().printable)")
                state.isLineOpen = true
            } else if !isFirst {
                Self.write(text().printable + "\n")
            }
        }
    }

    /// Lines that stay.
    public func say(_ text: String) {
        state.withLock { state in
            if state.isLineOpen { Self.write("\r\u{1b}[K") }
            state.isLineOpen = false
            Self.write(text.printable(keepingLines: true) + "\n")
        }
    }

    /// Takes the changing line away.
    public func clear() {
        state.withLock { state in
            if state.isLineOpen { Self.write("\r\u{1b}[K") }
            state.isLineOpen = false
        }
    }

    /// Where standard error cannot be written, work goes on.
    private static func write(_ text: String) { _ = writeAll(Array(text.utf8), to: STDERR_FILENO) }
}
