import ConcordTransfers

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A file that a scripted transfer writes, by the same rules as a real one: what is in the way stays as it
/// is, and what is gone on with has to be as it was. It is written when the transfer ends.
struct ScriptedPart {
    private let path: String

    init(at path: String, resumed: Int) throws(Failure.Kind) {
        self.path = path
        if resumed > 0 {
            var status = stat()
            guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
                Int(status.st_size) == resumed
            else {
                throw .local("\(path): is not the part file that it was")
            }
        } else {
            let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o644)
            guard descriptor >= 0 else { throw .local("open \(path): \(String(cString: strerror(errno)))") }
            close(descriptor)
        }
    }

    /// Writes bytes behind those that are kept of what was there.
    func keep(_ bytes: ArraySlice<UInt8>, behind kept: Int) throws(Failure.Kind) {
        let descriptor = open(path, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { throw .local("open \(path): \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        guard ftruncate(descriptor, off_t(kept)) == 0 else { throw .local("truncate \(path)") }
        var rest = bytes
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { throw .local("write \(path): \(String(cString: strerror(errno)))") }
            rest = rest.dropFirst(count)
        }
    }

    func remove() { unlink(path) }
}
