import CSystem
import Concord

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A folder whose files appear whole or not at all, and in a known order.
///
/// A file is first *staged*: written under another name in the folder's own `.tmp`, by any thread. Then files are
/// *installed*, many at a time: flushed, renamed to their places in order, and the folders that hold them flushed.
/// After a power cut a name is either not there or has all its bytes:
///
///     open(.tmp/17, O_CREAT|O_EXCL) write close … fsync each, or syncfs once … rename … fsync(folder) …
public final class Folder: Sendable {
    public let root: String
    private let counter = Counter()

    /// Opens a folder of one's own for writing, and prepares it.
    public convenience init(_ root: String) throws(FileError) {
        self.init(reading: root)
        try prepare()
    }

    /// A folder that is only read from, for good or until it is prepared: nothing is made, removed or locked.
    public init(reading root: String) {
        self.root = root
    }

    /// Makes the folder where it is missing, and removes the leftovers of a run that was killed: before anything is
    /// written, and once it is clear that the folder is nobody else's. Hold a `FolderLock` first.
    public func prepare() throws(FileError) {
        try Self.makeFolders(root)
        try removeTemporaries()
    }

    private var temporary: String { root + "/.tmp" }

    public func path(_ relative: String) -> String { "\(root)/\(relative)" }

    /// Whether something has this name, links followed. Throws where this machine does not say: no permission is not absence.
    public func contains(_ relative: String) throws(FileError) -> Bool {
        if access(path(relative), F_OK) == 0 { return true }
        let error = FileError.system("look for", path(relative))
        guard !error.isOfMachine else { throw error }
        return false
    }

    /// A file that is written, but not yet in its place.
    public struct Staged: Sendable {
        public let temporary: String
        public let path: String

        /// `temporary` was made by `temporaryPath`; `path` is relative to the folder.
        public init(temporary: String, path: String) {
            self.temporary = temporary
            self.path = path
        }
    }

    /// The name under which a file for `relative` may be written before it is installed.
    public func temporaryPath() throws(FileError) -> String {
        try refuseLinks(".tmp")
        try Self.makeFolders(temporary)
        return "\(temporary)/\(counter.next())"
    }

    /// Writes a whole file aside.
    ///
    /// - Parameter mode: its rights, from the moment on at which it is made.
    public func stage(
        _ bytes: UnsafeRawBufferPointer, at relative: String, mode: mode_t = 0o644
    ) throws(FileError) -> Staged {
        let file = try File(creating: try temporaryPath(), mode: mode)
        try file.write(bytes)
        return Staged(temporary: file.path, path: relative)
    }

    public func stage(_ bytes: [UInt8], at relative: String, mode: mode_t = 0o644) throws(FileError) -> Staged
    {
        try bytes.withBytes { raw throws(FileError) in try stage(raw, at: relative, mode: mode) }
    }

    public func stage(_ text: String, at relative: String) throws(FileError) -> Staged {
        try stage(Array(text.utf8), at: relative)
    }

    /// Moves files to their places, in order, and returns when that would survive a power cut.
    public func install(_ files: [Staged]) throws(FileError) {
        try flush(files)
        var folders: [String] = []
        for file in files {
            let target = path(file.path)
            let folder = Self.parent(of: target)
            if !folders.contains(folder) {
                try refuseLinks(Self.parent(of: file.path))
                try Self.makeFolders(folder)
                folders.append(folder)
            }
            guard rename(file.temporary, target) == 0 else { throw FileError.system("rename to", target) }
        }
        for folder in folders { try Self.synchronize(folder) }
    }

    /// Gives up a file that is not in its place yet.
    public func discard(_ file: Staged) {
        unlink(file.temporary)
    }

    /// A flush costs milliseconds whatever the file's size, so that of many files is one of the whole file system.
    private func flush(_ files: [Staged]) throws(FileError) {
        #if canImport(Glibc)
            if files.count > 16 {
                let descriptor = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                guard descriptor >= 0 else { throw FileError.system("open", root) }
                defer { close(descriptor) }
                if syncfs(descriptor) == 0 { return }
                // Then file by file.
                let error = FileError.system("flush", root)
                guard error.isUnsupported else { throw error }
            }
        #endif
        for file in files { try File(reading: file.temporary).synchronize() }
    }

    /// Removes the folder for files that are not in their places yet, and what is left there.
    public func removeTemporaries() throws(FileError) {
        try refuseLinks(".tmp")
        for name in try Self.names(in: temporary) { unlink("\(temporary)/\(name)") }
        rmdir(temporary)
    }

    /// The folder for parts of files that are on their way here, made where it is missing. Parts outlive a run, so that the
    /// next one goes on with them.
    public func partsFolder() throws(FileError) -> String {
        try refuseLinks(".parts")
        try Self.makeFolders("\(root)/.parts")
        return "\(root)/.parts"
    }

    /// Removes the parts that nobody goes on with.
    public func removeParts() throws(FileError) { try removeTree(".parts") }

    /// Puts a file in its place without a flush: after a power cut it can be old, new or damaged. For caches that carry
    /// a checksum.
    public func replace(_ bytes: [UInt8], at relative: String) throws(FileError) {
        let staged = try stage(bytes, at: relative)
        try Self.makeFolders(Self.parent(of: path(relative)))
        guard rename(staged.temporary, path(relative)) == 0 else {
            throw FileError.system("rename to", path(relative))
        }
    }

    /// Stages and installs one file, in place of the one that may be there.
    public func write(_ bytes: [UInt8], at relative: String, mode: mode_t = 0o644) throws(FileError) {
        try install([try stage(bytes, at: relative, mode: mode)])
    }

    /// Removes a file; one that is not there is fine.
    public func remove(_ relative: String) throws(FileError) {
        try refuseLinks(Self.parent(of: relative))
        guard unlink(path(relative)) == 0 || errno == ENOENT else {
            throw FileError.system("remove", path(relative))
        }
    }

    /// Removes a folder and all that is in it; links, and a link in its own place, are removed, not followed.
    public func removeTree(_ relative: String) throws(FileError) {
        try refuseLinks(Self.parent(of: relative))
        if unlink(path(relative)) == 0 || errno == ENOENT { return }
        guard errno == EISDIR || errno == EPERM else { throw FileError.system("remove", path(relative)) }
        for name in try Self.names(in: path(relative)) { try removeTree("\(relative)/\(name)") }
        guard rmdir(path(relative)) == 0 || errno == ENOENT else {
            throw FileError.system("remove", path(relative))
        }
    }

    /// A folder inside this one, made where it is missing.
    public func inner(_ relative: String) throws(FileError) -> Folder {
        try refuseLinks(relative)
        return try Folder(path(relative))
    }

    /// Throws if there is a link on the way from here to a folder: it could lead anywhere. The root may be one.
    private func refuseLinks(_ relative: String) throws(FileError) {
        var path = root
        for name in relative.split(separator: "/") where name != "." {
            path += "/\(name)"
            var status = stat()
            guard lstat(path, &status) == 0 else {
                if errno == ENOENT { return }
                throw FileError.system("look at", path)
            }
            guard status.st_mode & S_IFMT != S_IFLNK else {
                throw FileError(
                    path, "is a link where a folder belongs; links are not followed here", kind: .conflict)
            }
        }
    }

    /// Throws if everybody on this machine may write to a file or folder: nobody knows then whose word it holds. One that
    /// is not there is fine.
    public static func refuseWritableByAll(_ path: String) throws(FileError) {
        var status = stat()
        guard stat(path, &status) == 0 else {
            let error = FileError.system("look at", path)
            guard error.isMissing else { throw error }
            return
        }
        guard status.st_mode & S_IWOTH == 0 else {
            throw FileError(
                path,
                "everybody on this machine can write to it, and could change whom you trust; see that nobody did, then run "
                    + "`chmod o-w \(path.shellWord.printable)`", kind: .conflict)
        }
    }

    static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Makes a folder and those above it; each new name is flushed to the disk.
    ///
    /// - Parameter mode: the rights of the folder itself, where it is made.
    public static func makeFolders(_ path: String, mode: mode_t = 0o755) throws(FileError) {
        if mkdir(path, mode) == 0 {
            try synchronize(parent(of: path))
            return
        }
        if errno == ENOENT, parent(of: path) != path {
            try makeFolders(parent(of: path))
            if mkdir(path, mode) == 0 {
                try synchronize(parent(of: path))
                return
            }
        }
        guard errno == EEXIST else { throw FileError.system("make the folder", path) }
        var status = stat()
        guard stat(path, &status) == 0 else { throw FileError.system("look at", path) }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw FileError(path, "is there, but is no folder", kind: .conflict)
        }
    }

    /// Returns when the names in a folder would survive a power cut, as far as its file system can do that.
    public static func synchronize(_ folder: String) throws(FileError) {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError.system("open", folder) }
        defer { close(descriptor) }
        if fsync(descriptor) == 0 { return }
        let error = FileError.system("flush", folder)
        guard error.isUnsupported else { throw error }
        FileNotes.once(
            "\(folder): its file system cannot flush folders; after a power cut the newest files may be gone, and the next "
                + "run makes them again")
    }

    /// Whether this is a folder; a link to one is not. Throws where this machine does not say.
    public static func isFolder(_ path: String) throws(FileError) -> Bool {
        var status = stat()
        if lstat(path, &status) == 0 { return status.st_mode & S_IFMT == S_IFDIR }
        let error = FileError.system("look at", path)
        guard !error.isOfMachine else { throw error }
        return false
    }

    /// The names in a folder, sorted; none where there is no such folder.
    public static func names(in folder: String) throws(FileError) -> [String] {
        guard let stream = opendir(folder) else {
            if errno == ENOENT { return [] }
            throw FileError.system("list", folder)
        }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            // Nil is the end, or an error: errno alone tells.
            errno = 0
            guard let entry = readdir(stream) else {
                if errno != 0 { throw FileError.system("list", folder) }
                break
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                String(cString: UnsafeRawPointer(pointer).assumingMemoryBound(to: CChar.self))
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}
