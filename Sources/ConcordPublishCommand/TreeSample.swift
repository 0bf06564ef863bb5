import Concord
import ConcordFiles
import ConcordTree

/// The files of a tree by which a host's copy is judged: those that change, those of the newest block, the newest deltas
/// and the newest snapshot, and some by chance, so that in time every file is looked at.
struct TreeSample {
    /// Each once, the hint first.
    let paths: [String]

    /// - Parameter count: how many are chosen by chance.
    init(_ tree: Tree, count: Int) throws {
        let parameters = try tree.authority().parameters
        let newest = try tree.latest()
        var paths = TreeFileKind.all.reversed().filter(\.isSingle).map(\.glob)
        let attestation = TreePath.attestation(newest, parameters)
        paths += [
            attestation, TreePath.signature(attestation), TreePath.patch(newest, parameters),
            TreePath.muhashes(newest, parameters),
        ]
        for span in parameters.spans {
            let last = try Self.lastDelta(span, in: tree)
            paths += last.map { [$0] } ?? []
        }
        paths += try Folder.names(in: tree.path("headers")).suffix(2).map { "headers/\($0)" }
        if let snapshot = try Folder.names(in: tree.path("snapshots")).last(where: {
            TreePath.block(named: $0[...]) != nil
        }) {
            paths += ["snapshots/\(snapshot)/manifest.txt", "snapshots/\(snapshot)/snapshot.torrent"]
            for folder in ["shards", "filters"] {
                paths +=
                    try Self.random("snapshots/\(snapshot)/\(folder)", in: tree, parameters).map { [$0] }
                    ?? []
            }
        }
        // Pages, torrents, and where an authority attests only, patches need not be there.
        paths = try paths.filter { try Folder(reading: tree.root).contains($0) }
        for index in 0..<count {
            let kind = ["attestations", "patches", "snapshots", "deltas", "muhashes"][index % 5]
            if let path = try Self.random(kind, in: tree, parameters) { paths.append(path) }
        }
        var seen: Set<String> = []
        self.paths = paths.filter { seen.insert($0).inserted }
    }

    /// The path of the newest delta of so many blocks.
    private static func lastDelta(_ span: Int, in tree: Tree) throws -> String? {
        for epoch in try Folder.names(in: tree.path("deltas")).reversed() {
            let names = try Folder.names(in: tree.path("deltas/\(epoch)"))
            if let name = names.last(where: { $0.hasSuffix("-\(span).zst") }) {
                return "deltas/\(epoch)/\(name)"
            }
        }
        return nil
    }

    /// Some signed file or its signature below a folder; nil where chance meets none.
    private static func random(
        _ folder: String, in tree: Tree, _ parameters: TreeParameters
    ) throws -> String? {
        guard
            let name = try Folder.names(in: tree.path(folder)).filter({ !Furniture.isFolder($0) })
                .randomElement()
        else { return nil }
        let path = "\(folder)/\(name)"
        if try Folder.isFolder(tree.path(path)) { return try random(path, in: tree, parameters) }
        return TreePath.block(ofFile: path, parameters) == nil ? nil : path
    }
}
