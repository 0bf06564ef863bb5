import Concord
import ConcordFiles
import ConcordTree

/// The patches, deltas, MuHashes, manifests and shards that one side's statements name, each held to the statement: in a folder, or
/// brought there from an authority's hosts when somebody wants to look at one.
public struct CommittedData {
    let folder: Folder
    /// Nil where everything that there is is in the folder.
    private let hosts: (places: [TreeReader.Place], reader: TreeReader, deadline: Duration)?

    /// Data in a folder with the layout of a tree.
    public init(in folder: Folder) {
        self.folder = folder
        hosts = nil
    }

    /// Data of authorities that all state the same, fetched into a folder for it alone.
    public init(of authorities: [Authority], reader: TreeReader, into folder: Folder) {
        self.folder = folder
        // What is to be looked at can be large; a host that trickles it is not waited for.
        hosts = (
            authorities.flatMap(\.places), reader, reader.deadline(after: reader.settings.surveyTime)
        )
    }

    /// Decompresses a patch or delta that a statement names. Throws `FileError`, or `NotThere` where no host has it.
    func changes(
        _ file: ChangeFile, _ parameters: TreeParameters, into out: inout ByteBuffer
    ) throws -> PatchIndex {
        let question = TreeQuestion.changes(file, parameters)
        try bring(question)
        var tools = PatchReader.Tools()
        return try PatchFile.read(folder.path(question.path), file, parameters, &tools, into: &out)
    }

    /// The MuHashes of all shards that a statement names.
    func muhashes(_ statement: Statement) throws -> ShardMuHashes {
        let path = TreePath.muhashes(statement.blockID, statement.parameters)
        if try !folder.contains(path) {
            var bytes = ByteBuffer()
            try small(TreeQuestion.muhashes(statement)).append(to: &bytes)
            try folder.install([try folder.stage(bytes.bytes, at: path)])
        }
        return try Tree(folder.root).muhashes(of: statement)
    }

    private func small<Answer>(_ question: TreeQuestion<Answer>) throws -> Answer {
        guard let hosts, !hosts.places.isEmpty else { throw NotThere(path: question.path, faults: []) }
        let reply = try hosts.reader.answer(
            question, at: hosts.places, TreeReader.Asking(deadline: hosts.deadline))
        guard let answer = reply.answer else { throw NotThere(path: question.path, faults: reply.faults) }
        return answer
    }

    /// The manifest of the snapshot that a statement of an epoch height names.
    func manifest(_ statement: Statement) throws -> Manifest {
        let (parameters, root) = (statement.parameters, statement.snapshotRoot)
        let question = TreeQuestion.manifest(of: statement.blockID, parameters, root: root)
        if try !folder.contains(question.path) {
            try folder.write(Array(small(question).text.utf8), at: question.path)
        }
        return try Tree(folder.root).manifest(of: statement.blockID, parameters: parameters, root: root)
    }

    /// Opens a shard of a snapshot.
    func shard(_ shard: Int, of block: BlockID, _ manifest: Manifest) throws -> ShardReader {
        let question = TreeQuestion.shard(shard, of: block, manifest)
        try bring(question)
        // Who compares coins may stop before its end.
        var reader = try ShardReader(folder.path(question.path), expected: manifest.shards[shard].contents)
        try reader.check()
        return try ShardReader(folder.path(question.path), expected: manifest.shards[shard].contents)
    }

    private func bring(_ question: TreeQuestion<Folder.Staged>) throws {
        if try folder.contains(question.path) { return }
        guard let hosts, !hosts.places.isEmpty else { throw NotThere(path: question.path, faults: []) }
        defer { try? folder.removeParts() }
        try Downloads(hosts.reader, into: folder, from: hosts.places, deadline: hosts.deadline).run([question]
        )
    }
}
