#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Keeps a second process out of a folder for as long as it lives; the kernel lets go when the process dies.
public struct FolderLock: ~Copyable {
    private let descriptor: Int32

    /// Takes the lock of the folder, which is made where it is missing; throws when another process has it.
    public init(_ folder: String) throws(FileError) {
        try Folder.makeFolders(folder)
        let path = folder + "/lock"
        let descriptor = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw FileError.system("open", path) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw FileError(
                folder, "is in use by another run of this program; wait for it to end", kind: .conflict)
        }
        self.descriptor = descriptor
    }

    /// Lets go. Called where the work that needs the lock has ended, so that it lives until then.
    public consuming func release() {}

    deinit {
        close(descriptor)
    }
}
