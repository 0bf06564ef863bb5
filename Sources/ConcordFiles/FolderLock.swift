#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Keeps a second process out of a folder for as long as it lives; the kernel lets go when the process dies.
///
/// A folder of the program's own holds a file for it, `lock`, and is for nobody else to read. One that is published holds
/// nothing but what is published: there the folder itself is locked.
public struct FolderLock: ~Copyable {
    private let descriptor: Int32

    /// Takes the lock of the folder, which is made where it is missing, for its owner alone; throws when another process has
    /// it, or the file system has no locks.
    public init(_ folder: String) throws(FileError) {
        try Folder.makeFolders(folder, mode: 0o700)
        let path = folder + "/lock"
        let descriptor = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw FileError.system("open", path) }
        do throws(FileError) {
            try FileLock.take(descriptor, folder, inUse: Self.inUse)
        } catch {
            close(descriptor)
            throw error
        }
        self.descriptor = descriptor
    }

    /// Locks the folder itself, which is made where it is missing, and puts nothing into it.
    public init(withoutFile folder: String) throws(FileError) {
        try Folder.makeFolders(folder)
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError.system("open", folder) }
        do throws(FileError) {
            try FileLock.take(descriptor, folder, isFolder: true, inUse: Self.inUse)
        } catch {
            close(descriptor)
            throw error
        }
        self.descriptor = descriptor
    }

    private static let inUse = "is in use by another run of this program; wait for it to end"

    /// Lets go. Called where the work that needs the lock has ended, so that it lives until then.
    public consuming func release() {}

    deinit {
        // Closing alone would leave it to a process that is just being started, until that runs its program.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }
}
