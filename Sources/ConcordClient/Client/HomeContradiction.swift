import Concord
import ConcordFiles

extension Home {
    /// Two statements of one block, signed by authorities that are in the list.
    public struct Contradiction: Sendable {
        public let block: BlockID
        /// The folder with the signed files, if it is there.
        public let evidence: String?
    }

    /// The one that `concord check` would end with, from what was seen before, without asking anybody; nil if none is known.
    public func contradiction(on network: Network) throws -> Contradiction? {
        guard let memory = try AttestationLog(reading: folder) else { return nil }
        guard let block = try memory.contradiction(among: try knownMembers(), on: network) else { return nil }
        let evidence = EvidenceSearch.folder(of: block)
        return Contradiction(
            block: block, evidence: try Folder.isFolder(folder.path(evidence)) ? folder.path(evidence) : nil)
    }
}
