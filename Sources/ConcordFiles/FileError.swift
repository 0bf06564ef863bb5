import Concord

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Something is wrong with a file or folder: which one, what, and where a person can help, what to do.
public struct FileError: Error, CustomStringConvertible, Sendable {
    public enum Kind: Sendable {
        /// The operating system refused; the errno.
        case system(Int32)
        /// The contents are not what they should be.
        case content
        /// It is there although it should not be, or in use.
        case conflict
    }

    public let path: String
    public let kind: Kind
    public let message: String

    public init(_ path: String, _ message: String, kind: Kind = .content) {
        self.path = path
        self.kind = kind
        self.message = message
    }

    /// A failed system call; reads errno, so it has to be made at once.
    public static func system(_ action: String, _ path: String) -> FileError {
        let code = errno
        return FileError(path, "cannot \(action): \(String(cString: strerror(code)))", kind: .system(code))
    }

    /// Bytes that do not parse.
    public static func parse(_ error: ParseError, _ path: String) -> FileError {
        FileError(path, error.description)
    }

    public var isMissing: Bool {
        if case .system(let code) = kind { return code == ENOENT || code == ENOTDIR }
        return false
    }

    /// Whether the machine failed, or denies it: nobody knows what is there. A missing file, a loop of links and a socket
    /// are known to be no file.
    public var isOfMachine: Bool {
        if case .system(let code) = kind { return ![ENOENT, ENOTDIR, ELOOP, ENXIO].contains(code) }
        return false
    }

    /// Whether this user may not.
    public var isDenied: Bool {
        if case .system(let code) = kind { return code == EACCES || code == EPERM }
        return false
    }

    /// Whether the file system, or the kernel, does not know the call.
    public var isUnsupported: Bool {
        if case .system(let code) = kind {
            return [EINVAL, ENOSYS, ENOTSUP, EOPNOTSUPP, ENOTTY].contains(code)
        }
        return false
    }

    public var isConflict: Bool {
        if case .conflict = kind { return true }
        return false
    }

    public var isContent: Bool {
        if case .content = kind { return true }
        return false
    }

    public var description: String { "\(path.printable): \(message.printable(keepingLines: true))" }
}
