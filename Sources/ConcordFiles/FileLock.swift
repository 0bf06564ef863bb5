#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The lock of an open file or folder (`flock`), and what it means that it cannot be had.
enum FileLock {
    enum Refusal: Equatable {
        /// Another process has it.
        case held
        /// Files can be locked there, folders not: Linux' NFS wants a file that is open for writing.
        case notForFolders
        /// The file system knows no locks.
        case unsupported
        case failed
    }

    /// With this in the environment, what cannot be locked is used without.
    static let without = "CONCORD_WITHOUT_LOCKS"

    /// What an errno of `flock` says.
    static func refusal(_ code: Int32, isFolder: Bool) -> Refusal {
        switch code {
        case EWOULDBLOCK: .held
        case EBADF where isFolder: .notForFolders
        case ENOLCK, ENOSYS, EOPNOTSUPP, ENOTSUP, EINVAL: .unsupported
        default: .failed
        }
    }

    private static var isTold: Bool { getenv(without).map { String(cString: $0) == "1" } ?? false }

    /// Takes the lock, or throws what `refusal` comes to.
    ///
    /// - Parameters:
    ///   - path: what is locked, for errors.
    ///   - inUse: what a person reads where another process has the lock.
    static func take(
        _ descriptor: Int32, _ path: String, isFolder: Bool = false, inUse: String
    ) throws(FileError) {
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            let code = errno
            if code == EINTR { continue }
            try answer(code, path, isFolder: isFolder, isTold: isTold, inUse: inUse)
            return
        }
    }

    /// Returns where the work may go on without the lock.
    static func answer(
        _ code: Int32, _ path: String, isFolder: Bool, isTold: Bool, inUse: String
    ) throws(FileError) {
        errno = code
        let error = FileError.system("lock", path)
        switch refusal(code, isFolder: isFolder) {
        case .held: throw FileError(path, inUse, kind: .conflict)
        case .notForFolders:
            FileNotes.once(
                "\(path): its file system locks no folders; see to it that one run at a time works there")
        case .unsupported where isTold:
            FileNotes.once(
                "\(path): its file system knows no locks; see to it that one run at a time works there")
        case .unsupported:
            throw FileError(
                path,
                "\(error.message): its file system knows no locks, and two runs at a time would spoil it. Take a folder on "
                    + "another file system; or see to it yourself that one run at a time works there, and set \(without)=1",
                kind: error.kind)
        case .failed: throw error
        }
    }
}
