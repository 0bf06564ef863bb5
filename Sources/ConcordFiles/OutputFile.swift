#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A file for a user, at a path of the user's choice, that appears there whole or not at all.
///
/// It is written beside that path, under a name that ends in `.concord-part`; that file goes when this value does. What a run
/// that was killed has left of it is used again by the next one.
public struct OutputFile: ~Copyable {
    public let path: String
    /// Where the bytes are written; empty at first.
    public let temporary: String
    private let isReplacing: Bool
    private let descriptor: Int32
    private var isInstalled = false

    /// - Parameter replacing: whether a file that is at the path already may go; else it is an error.
    public init(_ path: String, replacing: Bool) throws(FileError) {
        try Self.refuse(path, replacing: replacing)
        let temporary = path + ".concord-part"
        let descriptor = try Self.open(temporary)
        self.path = path
        self.temporary = temporary
        self.descriptor = descriptor
        isReplacing = replacing
    }

    deinit {
        if !isInstalled { unlink(temporary) }
        close(descriptor)
    }

    /// Opens a file that this run alone has, and empties it.
    private static func open(_ temporary: String) throws(FileError) -> Int32 {
        let descriptor = systemOpen(temporary, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, Umask.mode())
        guard descriptor >= 0 else { throw FileError.system("create", temporary) }
        let inUse = "is being written by another run of this program"
        do throws(FileError) {
            try FileLock.take(descriptor, temporary, inUse: inUse)
            // Another run may have had the lock, and given the file its name, since it was opened.
            guard isFile(descriptor, at: temporary) else {
                throw FileError(temporary, inUse, kind: .conflict)
            }
        } catch {
            close(descriptor)
            throw error
        }
        guard ftruncate(descriptor, 0) == 0 else {
            let error = FileError.system("shorten", temporary)
            close(descriptor)
            throw error
        }
        return descriptor
    }

    private static func systemOpen(_ path: String, _ flags: Int32, _ mode: mode_t) -> Int32 {
        #if canImport(Glibc)
            Glibc.open(path, flags, mode)
        #else
            Darwin.open(path, flags, mode)
        #endif
    }

    /// Gives the file its name, and returns when that would survive a power cut.
    public consuming func install() throws(FileError) {
        try Self.refuse(path, replacing: isReplacing)
        #if canImport(Glibc)
            guard fsync(descriptor) == 0 else { throw FileError.system("flush", temporary) }
        #else
            guard fcntl(descriptor, F_FULLFSYNC) == 0 else { throw FileError.system("flush", temporary) }
        #endif
        guard rename(temporary, path) == 0 else { throw FileError.system("rename to", path) }
        isInstalled = true
        try Folder.synchronize(Folder.parent(of: path))
    }

    private static func refuse(_ path: String, replacing: Bool) throws(FileError) {
        guard !path.isEmpty, !path.hasSuffix("/") else {
            throw FileError("«\(path)»", "is no name of a file")
        }
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard replacing else { throw FileError(path, "is there already", kind: .conflict) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw FileError(path, "is no regular file; only those are replaced", kind: .conflict)
        }
    }

    private static func isFile(_ descriptor: Int32, at path: String) -> Bool {
        var (open, named) = (stat(), stat())
        return fstat(descriptor, &open) == 0 && lstat(path, &named) == 0 && open.st_ino == named.st_ino
            && open.st_dev == named.st_dev && open.st_mode & S_IFMT == S_IFREG
    }
}
