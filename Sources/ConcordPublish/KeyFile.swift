import Concord
import ConcordFiles

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
    ///
    /// - Parameter othersMayRead: whether a file is taken that others than its owner can read. It must be root's or one's
    ///   own then, and nobody else may write it.
    static func contents(
        of path: String, othersMayRead: Bool = false
    ) throws(SigningKeyError.Reason) -> [UInt8] {
        // O_NONBLOCK: the open of a pipe returns, to be refused below.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .system(call: "open", errno: errno) }
        defer { close(descriptor) }
        // The file that was opened, whatever links led to it and whatever its name stands for by now.
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .system(call: "fstat", errno: errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notRegular }
        try check(status, othersMayRead: othersMayRead)
        guard status.st_size <= longest else { throw .tooLong }
        return try contents(descriptor)
    }

    /// What is on standard input, to its end.
    static func standardInput() throws(SigningKeyError.Reason) -> [UInt8] {
        try contents(STDIN_FILENO)
    }

    /// Throws unless a file's owner and rights are those of a key.
    static func check(_ status: stat, othersMayRead: Bool) throws(SigningKeyError.Reason) {
        let mode = status.st_mode & 0o7777
        if mode & 0o077 == 0 { return }
        guard othersMayRead else { throw .permissions(UInt32(mode)) }
        guard mode & 0o022 == 0 else { throw .writable(UInt32(mode)) }
        guard status.st_uid == 0 || status.st_uid == geteuid() else { throw .owner }
    }

    private static func contents(_ descriptor: Int32) throws(SigningKeyError.Reason) -> [UInt8] {
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
        do throws(FileError) {
            try Folder.synchronize(path.lastIndex(of: "/").map { String(path[...$0]) } ?? ".")
        } catch {
            guard case .system(let code) = error.kind else { return }
            throw .system(call: "fsync of its folder", errno: code)
        }
    }

    private static func retryingInterrupts(_ call: () -> Int) -> Int {
        while true {
            let result = call()
            if result >= 0 || errno != EINTR { return result }
        }
    }
}
