import Concord
#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A file that a transfer writes. Unless it is kept, it goes when its owner goes.
struct PartFile: ~Copyable {
    private let path: String
    private let descriptor: CInt
    private var isKept = false

    /// Creates `path`. What is there already, a symlink too, stays as it is and is an error: two clients in one
    /// folder must not write one file.
    init(creating path: String) throws(Failure.Kind) {
        guard !path.utf8.contains(0) else { throw .local("open: a NUL in a path") }
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Self.error("open", path) }
        self.init(descriptor, at: path)
    }

    /// Opens a part file that holds so many bytes, to go on behind them.
    init(goingOnWith path: String, at size: Int) throws(Failure.Kind) {
        guard !path.utf8.contains(0) else { throw .local("open: a NUL in a path") }
        let descriptor = open(path, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.error("open", path) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size == size
        else {
            close(descriptor)
            throw .local("\(path): is not the part file that it was".printable)
        }
        self.init(descriptor, at: path)
    }

    /// Takes over an open file.
    init(_ descriptor: CInt, at path: String) {
        self.path = path
        self.descriptor = descriptor
    }

    deinit {
        if !isKept {
            close(descriptor)
            unlink(path)
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(Failure.Kind) {
        var rest = bytes
        while let base = rest.baseAddress, rest.count > 0 {
            #if canImport(Glibc)
                let written = Glibc.write(descriptor, base, rest.count)
            #else
                let written = Darwin.write(descriptor, base, rest.count)
            #endif
            if written < 0 {
                if errno == EINTR { continue }
                throw Self.error("write", path)
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[written...])
        }
    }

    /// Begins anew.
    func clear() throws(Failure.Kind) {
        guard ftruncate(descriptor, 0) == 0 else { throw Self.error("truncate", path) }
    }

    /// Closes the file and leaves it where it is.
    consuming func keep() throws(Failure.Kind) {
        isKept = true
        // Some file systems tell only here that the disk is full. The descriptor is gone even so.
        guard close(descriptor) == 0 else {
            let failure = Self.error("close", path)
            unlink(path)
            throw failure
        }
    }

    /// Too many open files, of this process or of the machine; nil if one more can be opened.
    static var whyNoneCanBeOpened: Failure.Kind? {
        let descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return error("open", "/dev/null") }
        close(descriptor)
        return nil
    }

    private static func error(_ call: String, _ path: String) -> Failure.Kind {
        .local("\(call) \(path): \(String(cString: strerror(errno)))".printable)
    }
}

extension PartFile {
    /// The part file of a URL in a folder.
    static func path(of url: String, in folder: String) -> String {
        "\(folder)/\(Array(url.utf8).withBytes { SHA256.hash($0) }.hex.prefix(40)).part"
    }

    /// The size of a part file; nil if there is none with anything in it. One without is removed.
    static func size(_ path: String) -> Int? {
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        guard status.st_mode & S_IFMT == S_IFREG, status.st_size > 0 else {
            unlink(path)
            return nil
        }
        return Int(status.st_size)
    }

    static func remove(_ path: String) { unlink(path) }
}
