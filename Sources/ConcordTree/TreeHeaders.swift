import Concord
import ConcordFiles

/// The headers of a tree: linked from the network's genesis block to the last, and from the first height of the tree on every
/// block of them is attested (FORMAT.md, «To verify a tree»).
struct TreeHeaders {
    let tree: Tree
    let authority: AuthorityFile
    let statements: AttestedStatements
    /// The files that are there.
    private(set) var files: [String] = []
    /// The blocks whose headers are right.
    private(set) var blocks: Set<BlockID> = []
    /// In words that name the file.
    private var problems: [String] = []

    init(tree: Tree, authority: AuthorityFile, statements: AttestedStatements) {
        (self.tree, self.authority, self.statements) = (tree, authority, statements)
    }

    /// What is wrong.
    ///
    /// - Parameter names: of what is in the folder, sorted.
    mutating func run(_ names: [String]) throws -> [String] {
        var last: BlockID?
        for name in names {
            guard name.hasSuffix(".bin"), let start = TreePath.height(digits: name.dropLast(4)),
                start % authority.parameters.epoch == 0
            else { continue }
            let path = "headers/\(name)"
            files.append(path)
            do {
                last = try check(path, from: start, after: last)
            } catch let error as ParseError {
                try problems.note(FileError.parse(error, tree.path(path)))
            } catch {
                try problems.note(error)
            }
        }
        return problems
    }

    /// Checks a file, and gives its last block.
    private mutating func check(_ path: String, from start: Int, after last: BlockID?) throws -> BlockID? {
        let parameters = authority.parameters
        let bytes = try File.read(tree.path(path), atMost: parameters.epoch * BlockHeader.size)
        let chain = try HeaderChain(parsing: bytes, from: start, of: authority.network)
        guard start == (last.map { $0.height + 1 } ?? 0), chain.parent == (last?.hash ?? .zero) else {
            throw ParseError(.malformed("does not go on from the headers before"), at: 0)
        }
        let own = (start..<start + chain.hashes.count).compactMap { chain.block(at: $0) }
        for block in own where block.height >= authority.first {
            guard let statement = statements[block] else {
                throw ParseError(
                    .malformed("has a header of height \(block.height) that is not attested"),
                    at: (block.height - start) * BlockHeader.size)
            }
            if statement.parent != chain.parent(at: block.height) {
                problems.append(
                    "\(tree.path(TreePath.attestation(block, parameters))): names another parent than the block's header"
                )
            }
        }
        blocks.formUnion(own)
        return own.last
    }
}
