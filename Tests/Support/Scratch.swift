import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A folder for one test; gone when the test is.
public final class Scratch: Sendable {
    public let folder: String

    /// - Parameter onDisk: for more than memory has room for.
    public init(onDisk: Bool = false) throws {
        folder = "\(onDisk ? Self.temporary : Self.parent)/concord-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    /// In memory where there is much of it: a flush of a busy disk takes longer than all the rest of a test.
    private static let parent: String = {
        var space = statvfs()
        if statvfs("/dev/shm", &space) == 0, UInt64(space.f_bavail) * UInt64(space.f_frsize) >= 4 << 30,
            access("/dev/shm", W_OK) == 0
        {
            return "/dev/shm"
        }
        return temporary
    }()

    private static var temporary: String {
        let path = FileManager.default.temporaryDirectory.path
        return path.hasSuffix("/") ? String(path.dropLast()) : path
    }

    deinit {
        remove()
    }

    public func path(_ name: String) -> String { "\(folder)/\(name)" }

    /// Removes it early: for one that lives as long as the process.
    public func remove() {
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Writes a file of this mode and gives its path.
    @discardableResult
    public func write(_ bytes: some Sequence<UInt8>, to name: String, mode: Int = 0o600) throws -> String {
        let path = path(name)
        let url = URL(fileURLWithPath: path)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: url)
        guard chmod(path, mode_t(mode)) == 0 else { throw TestError("\(path): chmod \(mode)") }
        return path
    }

    @discardableResult
    public func write(_ text: String, to name: String, mode: Int = 0o600) throws -> String {
        try write(text.utf8, to: name, mode: mode)
    }

    public func read(_ name: String) throws -> [UInt8] {
        try [UInt8](Data(contentsOf: URL(fileURLWithPath: path(name))))
    }

    public func remove(_ name: String) throws {
        try FileManager.default.removeItem(atPath: path(name))
    }
}

/// What went wrong in a test's own machinery.
public struct TestError: Error, CustomStringConvertible {
    public let description: String

    public init(_ description: String) {
        self.description = description
    }
}
