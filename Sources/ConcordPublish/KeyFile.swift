import Concord

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// A private key's file: nobody but its owner can read it, and nothing overwrites it.
enum KeyFile {
    /// A key in PEM has some 300 bytes; comments before it are allowed.
    private static let longest = 64 << 10

    /// The file's bytes, which the caller wipes.
    static func contents(of path: String) throws(SigningKeyError.Reason) -> [UInt8] {
        // O_NONBLOCK: the open of a pipe returns, to be refused below.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .system(call: "open", errno: errno) }
        defer { close(descriptor) }
        // The file that was opened, whatever links led to it and whatever its name stands for by now.
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .system(call: "fstat", errno: errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notRegular }
        guard status.st_mode & 0o077 == 0 else { throw .permissions(UInt32(status.st_mode & 0o7777)) }
        guard status.st_size <= longest else { throw .tooLong }

        var bytes = [UInt8](repeating: 0, count: longest)
        defer { bytes.wipe() }
        var count = 0
        while count < bytes.count {
            let more = bytes.withUnsafeMutableBytes { buffer in
                let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
                return retryingInterrupts { read(descriptor, rest.baseAddress, rest.count) }
            }
            guard more >= 0 else { throw .system(call: "read", errno: errno) }
            if more == 0 { return Array(bytes[..<count]) }
            count += more
        }
        throw .tooLong
    }

    /// Makes the file, durably: open(O_EXCL, 0600), write, fsync, close, and fsync of its folder. A file that could
    /// not be finished is removed again.
    static func create(_ path: String, holding bytes: [UInt8]) throws(SigningKeyError.Reason) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw errno == EEXIST ? .exists : .system(call: "open", errno: errno) }
        do throws(SigningKeyError.Reason) {
            try fill(descriptor, with: bytes)
            try synchronizeFolder(of: path)
        } catch {
            unlink(path)
            throw error
        }
    }

    private static func fill(_ descriptor: Int32, with bytes: [UInt8]) throws(SigningKeyError.Reason) {
        defer { close(descriptor) }
        // The umask may have taken bits of the owner away.
        guard fchmod(descriptor, 0o600) == 0 else { throw .system(call: "fchmod", errno: errno) }
        try bytes.withBytes { raw throws(SigningKeyError.Reason) in
            var rest = raw[...]
            while !rest.isEmpty {
                let slice = UnsafeRawBufferPointer(rebasing: rest)
                let count = retryingInterrupts { write(descriptor, slice.baseAddress, slice.count) }
                guard count >= 0 else { throw .system(call: "write", errno: errno) }
                rest = rest.dropFirst(count)
            }
        }
        guard fsync(descriptor) == 0 else { throw .system(call: "fsync", errno: errno) }
    }

    private static func synchronizeFolder(of path: String) throws(SigningKeyError.Reason) {
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system(call: "open of its folder", errno: errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .system(call: "fsync of its folder", errno: errno) }
    }

    private static func retryingInterrupts(_ call: () -> Int) -> Int {
        while true {
            let result = call()
            if result >= 0 || errno != EINTR { return result }
        }
    }
}
