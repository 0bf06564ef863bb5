import Concord
import ConcordChain
import ConcordFiles
import ConcordTree

/// The files of a tree that change: the hint, and the headers of the chain that it is on.
struct TreeTip {
    let folder: Folder
    let parameters: TreeParameters
    let source: any ChainSource

    /// Writes the headers of a block's epoch, so far, and the hint, and removes headers of later epochs. Where the hint
    /// is further already, on the same chain, or on what the node has yet to come to, it stays: work that is done once
    /// more takes nothing back.
    func point(to block: BlockID, _ headers: [UInt8]) throws {
        let path = TreePath.headers(epochOf: block.height, parameters)
        if try isFurther(than: block, headers) {
            let bytes = try? File.read(folder.path(path), atMost: BlockHeader.size * parameters.epoch)
            if bytes?.starts(with: headers) != true { try folder.write(headers, at: path) }
            return
        }
        try folder.write(headers, at: path)
        try folder.write(Array("\(block)\n".utf8), at: TreePath.latest)
        for name in try Folder.names(in: folder.path("headers")) {
            guard let start = TreePath.height(digits: name.prefix(7)), start > block.height else { continue }
            try folder.remove("headers/\(name)")
        }
    }

    /// The block that the hint names, if it was published and the chain has left it.
    func left() throws -> BlockID? {
        guard let latest = try? Tree(folder.root).latest(),
            try folder.contains(TreePath.attestation(latest, parameters))
        else { return nil }
        if latest.height <= source.tip {
            return source.blockID(at: latest.height) == latest ? nil : latest
        }
        // The node's chain is shorter. The block stands on it if the headers that lead to the block pass by its tip.
        let tip = source.blockID(at: source.tip)
        let path = folder.path(TreePath.headers(epochOf: tip.height, parameters))
        let chain = (try? File.read(path, atMost: BlockHeader.size * parameters.epoch))
            .flatMap { try? HeaderChain(parsing: $0, from: parameters.epochStart(of: tip.height)) }
        if let passed = chain?.block(at: tip.height), passed != tip { return latest }
        return try source.hasLeft(latest) ? latest : nil
    }

    /// Whether the hint names this block or one that stands on it.
    private func isFurther(than block: BlockID, _ headers: [UInt8]) throws -> Bool {
        guard let latest = try? Tree(folder.root).latest(), latest.height >= block.height else {
            return false
        }
        if latest.height <= source.tip { return source.blockID(at: latest.height) == latest }
        // The node's chain is shorter: it has yet to come to the block, or was told to leave it.
        if try source.hasLeft(latest) { return false }
        // What is published stands on it only if the headers lead there.
        var last: Digest?
        let first = parameters.epochStart(of: block.height)
        for start in stride(from: first, through: latest.height, by: parameters.epoch) {
            let path = folder.path(TreePath.headers(epochOf: start, parameters))
            guard let bytes = try? File.read(path, atMost: BlockHeader.size * parameters.epoch),
                let chain = try? HeaderChain(parsing: bytes, from: start),
                last == nil ? bytes.starts(with: headers) : chain.parent == last
            else { return false }
            if let found = chain.block(at: latest.height) { return found == latest }
            last = chain.hashes.count == parameters.epoch ? chain.hashes.last : nil
            guard last != nil else { return false }
        }
        return false
    }

    /// The headers files of the epochs before one: there are none where a tree begins at a height, and others where the
    /// chain came back to a branch that was published before. Lowest first, so that a file that is right stands on
    /// others that are.
    func writeHeaders(below start: Int) throws {
        var first = start
        while first > 0 {
            let path = folder.path(TreePath.headers(epochOf: first - 1, parameters))
            let bytes = try? File.read(path, atMost: BlockHeader.size * parameters.epoch)
            if bytes?.count == BlockHeader.size * parameters.epoch,
                bytes?.suffix(BlockHeader.size).elementsEqual(try source.header(at: first - 1)) == true
            {
                break
            }
            first -= parameters.epoch
        }
        for start in stride(from: first, to: start, by: parameters.epoch) {
            var headers: [UInt8] = []
            for height in start..<start + parameters.epoch { headers += try source.header(at: height) }
            try folder.write(headers, at: TreePath.headers(epochOf: start, parameters))
        }
    }
}
