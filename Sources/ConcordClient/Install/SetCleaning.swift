import ConcordFiles

extension Folder {
    /// Removes all that is in some folders but what is to be kept, and the folders that lead there.
    ///
    /// - Parameters:
    ///   - keep: files and folders, relative to this one.
    ///   - parents: of this folder.
    func removeOthers(than keep: Set<String>, in parents: [String]) throws {
        for parent in parents { try removeOthers(than: keep, in: parent) }
    }

    private func removeOthers(than keep: Set<String>, in parent: String) throws {
        for name in try Folder.names(in: path(parent)) {
            let path = "\(parent)/\(name)"
            if keep.contains(path) { continue }
            if keep.contains(where: { $0.hasPrefix("\(path)/") }) {
                try removeOthers(than: keep, in: path)
            } else {
                try removeTree(path)
            }
        }
    }
}
