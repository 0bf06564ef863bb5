#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// An open file; closed when it goes.
public struct File: ~Copyable, Sendable {
    public let path: String
    public let descriptor: Int32

    deinit {
        close(descriptor)
    }

    /// Opens a regular file for reading; links are followed, and a pipe is refused instead of waited for.
    public init(reading path: String) throws(FileError) {
        descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        self.path = path
        guard descriptor >= 0 else { throw FileError.system("open", path) }
        guard try status().st_mode & S_IFMT == S_IFREG else { throw FileError(path, "is not a regular file") }
    }

    /// Makes a new file for writing; one that is there already is an error.
    public init(creating path: String, mode: mode_t = 0o644) throws(FileError) {
        descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
        self.path = path
        guard descriptor >= 0 else { throw FileError.system("create", path) }
    }

    /// Opens a file to write behind its end, making it if it is not there.
    public init(appending path: String) throws(FileError) {
        descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0o644)
        self.path = path
        guard descriptor >= 0 else { throw FileError.system("open", path) }
    }

    /// A file without a name, to write and to read, which goes when it is closed or the process ends. `path` is where it
    /// is made; what a process that was killed may have left there is removed.
    public init(unnamed path: String) throws(FileError) {
        unlink(path)
        descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        self.path = path
        guard descriptor >= 0 else { throw FileError.system("create", path) }
        unlink(path)
    }

    public func status() throws(FileError) -> stat {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw FileError.system("look at", path) }
        return status
    }

    public func size() throws(FileError) -> Int {
        Int(try status().st_size)
    }

    /// Reads up to `buffer.count` bytes from `offset` on; fewer only at the file's end.
    public func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(FileError) -> Int {
        var done = 0
        while done < buffer.count, let base = buffer.baseAddress {
            let count = pread(descriptor, base + done, buffer.count - done, off_t(offset + done))
            if count == 0 { break }
            if count < 0 {
                if errno == EINTR { continue }
                throw FileError.system("read", path)
            }
            done += count
        }
        return done
    }

    public func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
        var done = 0
        while done < bytes.count, let base = bytes.baseAddress {
            let count = Self.systemWrite(descriptor, base + done, bytes.count - done)
            if count < 0 {
                if errno == EINTR { continue }
                throw FileError.system("write", path)
            }
            done += count
        }
    }

    /// Writes at a place of the file; from any number of threads, at places of their own.
    public func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(FileError) {
        var done = 0
        while done < bytes.count, let base = bytes.baseAddress {
            let count = pwrite(descriptor, base + done, bytes.count - done, off_t(offset + done))
            if count < 0 {
                if errno == EINTR { continue }
                throw FileError.system("write", path)
            }
            done += count
        }
    }

    private static func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
        #if canImport(Glibc)
            Glibc.write(descriptor, bytes, count)
        #else
            Darwin.write(descriptor, bytes, count)
        #endif
    }

    /// Returns when the bytes would survive a power cut.
    public func synchronize() throws(FileError) {
        #if canImport(Glibc)
            guard fsync(descriptor) == 0 else { throw FileError.system("flush", path) }
        #else
            guard fcntl(descriptor, F_FULLFSYNC) == 0 else { throw FileError.system("flush", path) }
        #endif
    }

    /// Cuts a file off behind its first `size` bytes.
    public static func truncate(_ path: String, to size: Int) throws(FileError) {
        #if canImport(Glibc)
            guard Glibc.truncate(path, off_t(size)) == 0 else { throw FileError.system("shorten", path) }
        #else
            guard Darwin.truncate(path, off_t(size)) == 0 else { throw FileError.system("shorten", path) }
        #endif
    }

    /// All of standard input, of at most `most` bytes.
    public static func readStandardInput(atMost most: Int) throws(FileError) -> [UInt8] {
        let name = "standard input"
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = part.withUnsafeMutableBytes { systemRead(STDIN_FILENO, $0) }
            if count == 0 { return bytes }
            if count < 0 {
                if errno == EINTR { continue }
                throw FileError.system("read", name)
            }
            bytes += part[..<count]
            guard bytes.count <= most else { throw FileError(name, "has more than \(most) bytes") }
        }
    }

    private static func systemRead(_ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
        #if canImport(Glibc)
            Glibc.read(descriptor, buffer.baseAddress, buffer.count)
        #else
            Darwin.read(descriptor, buffer.baseAddress, buffer.count)
        #endif
    }

    /// The first bytes of a file; fewer where it is shorter.
    public static func first(_ count: Int, of path: String) throws(FileError) -> [UInt8] {
        let file = try File(reading: path)
        return try file.bytes(count)
    }

    private func bytes(_ count: Int) throws(FileError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var failure: FileError?
        var there = 0
        bytes.withUnsafeMutableBytes { buffer in
            do throws(FileError) { there = try read(into: buffer, at: 0) } catch { failure = error }
        }
        if let failure { throw failure }
        bytes.removeLast(count - there)
        return bytes
    }

    /// The whole file, of at most `most` bytes.
    public static func read(_ path: String, atMost most: Int) throws(FileError) -> [UInt8] {
        let file = try File(reading: path)
        let size = try file.size()
        guard size <= most else {
            throw FileError(path, "is \(size) bytes long, at most \(most) are allowed")
        }
        return try file.bytes(size)
    }
}
