import Concord
import ConcordFiles
import ConcordTree

/// The files of a tree that nobody signs: who publishes it, the document that explains it, and the script
/// that audits it by that document.
public struct TreeMetadata {
    let folder: Folder
    public let authority: AuthorityFile

    public init(folder: Folder, authority: AuthorityFile) {
        self.folder = folder
        self.authority = authority
    }

    /// What a tree says of itself; nil where there is none yet.
    public static func known(in folder: Folder) throws(FileError) -> AuthorityFile? {
        try folder.contains(TreePath.authority) ? try Tree(folder.root).authority() : nil
    }

    /// Throws if the tree there belongs to another authority or is partitioned otherwise: one tree, one key.
    ///
    /// - Parameter mayRename: whether the authority is to have another name from now on.
    public func check(mayRename: Bool = false) throws(FileError) {
        guard let known = try Self.known(in: folder) else { return }
        let path = folder.path(TreePath.authority)
        guard known.key == authority.key else {
            throw FileError(
                path,
                "is the tree of the key \(known.key.hex) («\(known.name)»), not of \(authority.key.hex): "
                    + "give that key, or another --tree", kind: .conflict)
        }
        guard known.network == authority.network, known.parameters == authority.parameters else {
            throw FileError(
                path,
                "is a tree of the network \(known.network.rawValue) with \(known.parameters.shards) shards and "
                    + "epochs of \(known.parameters.epoch) blocks: give these, or another --tree",
                kind: .conflict)
        }
        // Until something is attested they may still be changed.
        guard try folder.contains("attestations") else { return }
        let tree = Tree(folder.root)
        if let latest = try? tree.latest() {
            let attestation = tree.path(TreePath.attestation(latest, authority.parameters))
            let bytes = (try? File.read(attestation, atMost: Attestation.maxBytes)) ?? []
            do throws(ParseError) { _ = try Attestation(parsing: bytes) } catch
                where error.reason == .malformed(Statement.earlierFormat)
            {
                throw FileError(
                    attestation,
                    "is of the format as it was before statements had `muhashes`. Nobody reads that any more: begin another "
                        + "--tree, with a new --key and its own --state", kind: .conflict)
            } catch {
                // Whoever needs it says what is wrong.
            }
        }
        guard known.first == authority.first else {
            throw FileError(
                path, "begins at height \(known.first): leave --first out, or give another --tree",
                kind: .conflict)
        }
        guard mayRename || known.name == authority.name else {
            throw FileError(
                path,
                "is the tree of \(known.name), not of \(authority.name): give --name \(known.name). If this authority is "
                    + "to be called \(authority.name) from now on, give --rename too, once; what is attested keeps "
                    + "the old name",
                kind: .conflict)
        }
    }

    /// Writes what is missing or has changed.
    public func write() throws(FileError) {
        try write(Array(authority.text.utf8), at: TreePath.authority)
        try write(Array(authority.key.pem.utf8), at: TreePath.authorityPEM)
        try write(PackageResources.FORMAT_md, at: "FORMAT.md")
        try write(PackageResources.audit_sh, at: "audit.sh")
    }

    private func write(_ bytes: [UInt8], at relative: String) throws(FileError) {
        if (try? File.read(folder.path(relative), atMost: bytes.count)) == bytes { return }
        try folder.write(bytes, at: relative)
    }
}
