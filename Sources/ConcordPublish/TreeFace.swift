import Concord
import ConcordFiles
import ConcordTree

/// The files of a tree that nobody signs: who publishes it, and the document that explains it.
public struct TreeFace {
    let folder: Folder
    let authority: AuthorityFile

    public init(folder: Folder, authority: AuthorityFile) {
        self.folder = folder
        self.authority = authority
    }

    /// Throws if the tree there belongs to another authority or is cut otherwise: one tree, one key.
    public func check() throws(FileError) {
        guard folder.contains(TreePath.authority) else { return }
        let known = try Tree(folder.root).authority()
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
    }

    /// Writes what is missing or has changed.
    public func write() throws(FileError) {
        try write(Array(authority.text.utf8), at: TreePath.authority)
        try write(Array(authority.key.pem.utf8), at: TreePath.authorityPEM)
        try write(PackageResources.FORMAT_md, at: "FORMAT.md")
    }

    private func write(_ bytes: [UInt8], at relative: String) throws(FileError) {
        if (try? File.read(folder.path(relative), atMost: bytes.count)) == bytes { return }
        try folder.write(bytes, at: relative)
    }
}
