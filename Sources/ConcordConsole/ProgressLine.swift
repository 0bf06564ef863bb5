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

    /// Where the work is. Shown ten times a second at most on a terminal, every ten seconds elsewhere.
    public func update(_ text: @autoclosure () -> String) {
        if isQuiet { return }
        state.withLock { state in
            let now = Self.seconds
            guard now - state.last >= (isTerminal ? 0.1 : 10) else { return }
            let isFirst = state.last == 0
            state.last = now
            if isTerminal {
                Self.write("\r\u{1b}[K\(text())")
                state.isLineOpen = true
            } else if !isFirst {
                Self.write(text() + "\n")
            }
        }
    }

    /// A line that stays.
    public func say(_ text: String) {
        state.withLock { state in
            if state.isLineOpen { Self.write("\r\u{1b}[K") }
            state.isLineOpen = false
            Self.write(text + "\n")
        }
    }

    /// Takes the changing line away.
    public func clear() {
        state.withLock { state in
            if state.isLineOpen { Self.write("\r\u{1b}[K") }
            state.isLineOpen = false
        }
    }

    private static func write(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            writeAll(UnsafeRawBufferPointer(bytes), to: STDERR_FILENO)
        }
    }
}

/// Writes all bytes, or as many as go.
private func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) {
    var done = 0
    while done < bytes.count, let base = bytes.baseAddress {
        let count = write(descriptor, base + done, bytes.count - done)
        if count <= 0 { return }
        done += count
    }
}
