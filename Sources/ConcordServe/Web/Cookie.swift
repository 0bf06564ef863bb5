import Concord
import ConcordFiles
import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The password of JSON-RPC, as Bitcoin Core makes it (`GenerateAuthCookie`): `__cookie__:` and 64 hex digits by chance, in a
/// file that its owner alone can read, another one at each start.
public struct Cookie: Sendable {
    private static let user = "__cookie__"

    /// The whole text: `USER:PASSWORD`.
    private let text: String

    public init() {
        var random = SystemRandomNumberGenerator()
        let words = (0..<4).map { _ in random.next() as UInt64 }
        text = "\(Self.user):\(words.withUnsafeBytes { [UInt8]($0) }.hex)"
    }

    /// Whether an `Authorization` header has it.
    func isIn(_ authorization: String?) -> Bool {
        guard let authorization, authorization.hasPrefix("Basic "),
            let decoded = Data(
                base64Encoded: authorization.dropFirst(6).trimmingCharacters(in: .whitespaces))
        else { return false }
        let (given, own) = ([UInt8](decoded), Array(text.utf8))
        // How long it takes says nothing of where they differ.
        return given.count == own.count && zip(given, own).reduce(0) { $0 | $1.0 ^ $1.1 } == 0
    }

    /// Writes the file, in place of the one that may be there.
    public func write(to path: String) throws(FileError) {
        let temporary = path + ".tmp"
        guard unlink(temporary) == 0 || errno == ENOENT else {
            throw FileError.system("remove", temporary)
        }
        let file = try File(creating: temporary, mode: 0o600)
        try Array(text.utf8).withBytes { raw throws(FileError) in try file.write(raw) }
        guard rename(temporary, path) == 0 else { throw FileError.system("rename to", path) }
    }

    /// Removes the file, unless another server has written its own since.
    public func remove(from path: String) {
        if (try? File.read(path, atMost: 1024)) == Array(text.utf8) { unlink(path) }
    }
}
