import Foundation
import TestSupport
import Testing

/// A folder that is gone when the test is.
final class Scratch {
    let folder: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "concord-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        folder = url.path
    }

    deinit {
        try? FileManager.default.removeItem(atPath: folder)
    }

    func path(_ name: String) -> String { folder + "/" + name }

    /// Writes a file of this mode and returns its path.
    func file(_ name: String, _ bytes: some Sequence<UInt8>, mode: Int = 0o600) throws -> String {
        #expect(FileManager.default.createFile(atPath: path(name), contents: Data(bytes)))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path(name))
        return path(name)
    }

    func file(_ name: String, _ text: String, mode: Int = 0o600) throws -> String {
        try file(name, text.utf8, mode: mode)
    }
}

/// What the `openssl` command prints.
func openssl(_ arguments: String..., input: String = "") throws -> String {
    let printed = try Program.installed("openssl").print(arguments, input: Array(input.utf8))
    return String(decoding: printed, as: UTF8.self)
}
