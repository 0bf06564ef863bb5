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
