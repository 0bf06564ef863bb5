import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

extension RunningProgram {
    /// Stops it where it is, all its threads; it goes on with SIGCONT. Throws if it has ended.
    public func hold() throws {
        send(SIGSTOP)
        // The system tells it once the last thread has stopped. What came of the program is left for `wait`.
        var information = siginfo_t()
        let code = waitid(P_PID, id_t(pid), &information, WSTOPPED | WEXITED | WNOWAIT)
        guard code == 0, information.si_code == CInt(CLD_STOPPED) else {
            throw TestError("the program ended before it could be stopped")
        }
    }
}
