import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What a person should know of this machine's files, though the work goes on: each is said once, on standard error.
enum FileNotes {
    private static let said = Mutex<Set<String>>([])

    /// Says it, unless something of this kind was said before.
    static func once(_ text: String, kind: StaticString = #function) {
        guard said.withLock({ $0.insert("\(kind)").inserted }) else { return }
        let line = Array("note: \(text)\n".utf8)
        var done = 0
        while done < line.count {
            let count = line.withUnsafeBytes {
                write(STDERR_FILENO, $0.baseAddress.unsafelyUnwrapped + done, $0.count - done)
            }
            guard count > 0 else { return }
            done += count
        }
    }
}
