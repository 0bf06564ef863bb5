import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Which rights new files have. What is published is read by everybody, by a web server too, whatever umask a program was
/// started with: under 077 hosts would answer with 403. So the programs set their own, and what is nobody else's (keys, the
/// publisher's state, the client's home) is in files and folders that say so. What a person asks to be written to a place of
/// their own, like an export, follows the umask that they have set.
public enum Umask {
    private static let users = Mutex<mode_t?>(nil)

    /// Files for all to read, folders for all to enter, from now on. Called once, before there are threads.
    public static func publish() {
        let before = umask(0o022)
        users.withLock { $0 = $0 ?? before }
    }

    /// The rights of a file that a person asked for: by the umask that the program was started with.
    static func mode() -> mode_t {
        if let asked = users.withLock({ $0 }) { return 0o666 & ~asked }
        // Nobody has set one: the process still has the user's, which can be read by setting it only.
        let asked = umask(0o022)
        umask(asked)
        return 0o666 & ~asked
    }
}
