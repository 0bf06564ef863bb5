import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Standard output: the one way by which both programs print what they were asked for, and see that it arrived.
public enum Output {
    /// Whether the process was started without a standard output.
    private static let isMissing = Atomic(false)

    /// Opens `/dev/null` in the place of each standard stream that the process was started without, so that no file that is
    /// opened later becomes one of them; so it is called before anything else. From here on a closed pipe is an error of
    /// `write`, and no signal: work that nobody reads about on standard error goes on.
    static func prepare() {
        for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) == -1 {
            if descriptor == STDOUT_FILENO { isMissing.store(true, ordering: .relaxed) }
            // The lowest number that is free is this one.
            let mode = descriptor == STDIN_FILENO ? O_RDONLY : O_WRONLY
            guard open("/dev/null", mode) == descriptor else { exit(ExitStatus.localFailure.rawValue) }
        }
        signal(SIGPIPE, SIG_IGN)
    }

    /// Prints text and the end of a line.
    public static func say(_ text: String) throws(OutputError) { try write(Array(text.utf8) + [0x0a]) }

    /// Prints all of these bytes.
    public static func write(_ bytes: [UInt8]) throws(OutputError) {
        if isMissing.load(ordering: .relaxed) { throw .missing }
        let code = writeAll(bytes, to: STDOUT_FILENO)
        if code == EPIPE { throw .closedPipe }
        if code != 0 { throw .system(code) }
    }

    /// Closes standard output, for some file systems say only then that they had no room. Nothing is printed after it.
    static func finish() throws(OutputError) {
        if !isMissing.load(ordering: .relaxed), close(STDOUT_FILENO) != 0, errno != EINTR {
            throw .system(errno)
        }
    }

    /// Ends as a program ends that nobody has told of closed pipes.
    static func endOfPipe() -> Never {
        signal(SIGPIPE, SIG_DFL)
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGPIPE)
        pthread_sigmask(SIG_UNBLOCK, &set, nil)
        raise(SIGPIPE)
        exit(128 + SIGPIPE)
    }
}

/// Why something could not be printed.
public enum OutputError: Error, Equatable, CustomStringConvertible {
    /// Whoever read it reads no more.
    case closedPipe
    /// The process was started without a standard output.
    case missing
    /// The errno.
    case system(Int32)

    public var description: String {
        switch self {
        case .closedPipe: "nobody reads standard output any more"
        case .missing: "standard output is closed, so the result cannot be printed"
        case .system(let code): "cannot write to standard output: \(String(cString: strerror(code)))"
        }
    }
}

/// Writes all bytes, or as many as go; gives the errno, or 0.
func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Int32 {
    bytes.withUnsafeBytes { bytes in
        var done = 0
        while done < bytes.count, let base = bytes.baseAddress {
            let count = write(descriptor, base + done, bytes.count - done)
            if count >= 0 {
                done += count
            } else if errno == EAGAIN {
                // Somebody has set the terminal or pipe so that it does not wait.
                var wanted = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&wanted, 1, -1)
            } else if errno != EINTR {
                return errno
            }
        }
        return 0
    }
}
