import Concord
import ConcordFiles

/// The versions of a trustnet that were signed, or were about to be: one document a number, for ever.
///
/// Each is a file `N.json` that is on the disk, whole, before the signature is made, and is never written again. A run
/// that is killed in between is finished by the next one with the very same bytes, and so with the same signatures.
struct TrustnetJournal {
    private let folder: Folder

    init(_ folder: Folder) {
        self.folder = folder
    }

    private static let name = "journal"

    private func path(_ version: Int) -> String { "\(Self.name)/\(version).json" }

    /// The newest version; nil where nothing was signed yet.
    func newest() throws(FileError) -> Trustnet? {
        let versions = try Folder.names(in: folder.path(Self.name)).compactMap { name in
            name.hasSuffix(".json")
                ? FieldLines.decimal(String(name.dropLast(5)), atMost: UInt64(Trustnet.maxVersion)) : nil
        }
        guard let version = versions.max() else { return nil }
        return try self.version(Int(version))
    }

    func version(_ version: Int) throws(FileError) -> Trustnet {
        let path = folder.path(path(version))
        let trustnet = try TrustnetFolder.read(path)
        guard trustnet.version == version else {
            throw FileError(path, "holds version \(trustnet.version); take it from a backup")
        }
        return trustnet
    }

    /// Notes, durably, that this document is about to be signed under its number; throws where the number is taken.
    func record(_ trustnet: Trustnet) throws(FileError) {
        let path = path(trustnet.version)
        guard try !folder.contains(path) else {
            throw FileError(
                folder.path(path), "is there: another document was signed under this number", kind: .conflict)
        }
        try folder.write(Array(trustnet.text.utf8), at: path)
    }
}
