import Concord
import ConcordFiles
import ConcordTransfers

/// A node's best chain as headers: those of an earlier run first, then what is new.
struct NodeHeaders {
    private let node: Node
    private var file: HeaderFile
    private(set) var list: HeaderList

    /// Headers in one request of REST (`MAX_REST_HEADERS_RESULTS`).
    private static let page = 2000
    /// Headers asked for before they are checked and saved.
    private static let stretch = 20 * page
    /// How often a chain that moves while it is read is begun anew.
    private static let attempts = 5

    init(_ node: Node, cache: Folder) {
        self.node = node
        file = HeaderFile(in: cache)
        list = file.load(node.network)
    }

    /// What `getblockheader` says of a block.
    struct Block: Decodable {
        let height: Int
        let chainwork: String
        /// Less than zero where the block is not on the best chain.
        let confirmations: Int
    }

    /// Brings the headers to those of the chain that ends in the node's best block.
    ///
    /// - Parameter progress: is told how many are there and how many there will be.
    mutating func update(progress: (Int, Int) -> Void) throws {
        var moved: NodeError?
        for _ in 1...Self.attempts {
            let text: String = try node.call("getbestblockhash")
            guard let hash = Digest(reversedHex: text) else {
                throw NodeError(
                    .garbage, node.subject("getbestblockhash"), "«\(NodeJSON.shown(text))» is no hash")
            }
            let tip: Block = try node.call("getblockheader", .text(text))
            guard (0...TreePath.maxHeight).contains(tip.height) else {
                throw NodeError(.garbage, node.subject("getblockheader"), "\(tip.height) is no height")
            }
            do throws(NodeError) {
                try read(to: BlockID(height: tip.height, hash: hash), progress)
                return
            } catch {
                guard error.kind == .moved else { throw error }
                moved = error
            }
        }
        if let moved { throw moved }
    }

    private mutating func read(to tip: BlockID, _ progress: (Int, Int) -> Void) throws(NodeError) {
        let kept = list.contains(tip) ? tip.height + 1 : try fork(below: tip.height) + 1
        list.truncate(to: kept)
        file.forget(behind: kept)
        while list.count <= tip.height {
            let heights = list.count..<min(list.count + Self.stretch, tip.height + 1)
            try add(try headers(heights), heights)
            try save()
            if heights.count > Self.page { progress(list.count, tip.height + 1) }
        }
        try save()
        guard list.contains(tip) else {
            throw contradiction("its headers do not lead to its best block \(tip.hash.reversedHex)")
        }
    }

    private mutating func save() throws(NodeError) {
        do throws(FileError) {
            try file.save(list)
        } catch {
            throw NodeError(.local, error.path, error.message)
        }
    }

    private mutating func add(_ bytes: [UInt8], _ heights: Range<Int>) throws(NodeError) {
        do throws(ParseError) {
            try list.append(bytes)
        } catch {
            throw contradiction(
                "what it says are the headers of heights \(heights.lowerBound) to \(heights.upperBound - 1) "
                    + error.description)
        }
        guard list.count == heights.upperBound else {
            throw contradiction("it has no headers from height \(list.count) on")
        }
    }

    private func contradiction(_ words: String) -> NodeError {
        NodeError(
            .moved, node.address.description,
            "\(words): its chain moved while it was read, or this is no node")
    }

    /// The height of a block that is both here and on the node's chain, near the highest; -1 if there is none.
    private func fork(below height: Int) throws(NodeError) -> Int {
        var heights: [Int] = []
        var step = 1
        var next = min(list.count - 1, height)
        while next > 0 {
            heights.append(next)
            next -= step
            step *= 2
        }
        if list.count > 0 { heights.append(0) }
        let hashes = try node.batch("getblockhash", heights.map { [.number($0)] }, as: String.self)
        for (height, hash) in zip(heights, hashes) {
            switch hash {
            case .success(let text): if list.hashes[height].reversedHex == text { return height }
            // Above its tip, which may have gone back.
            case .failure(let error): guard case .refused = error.kind else { throw error }
            }
        }
        return -1
    }

    /// The headers of some heights; fewer where the node's chain is shorter by now.
    private func headers(_ heights: Range<Int>) throws(NodeError) -> [UInt8] {
        if try node.hasREST() {
            if let bytes = try pages(heights) { return bytes }
            node.giveUpREST()
        }
        var bytes: [UInt8] = []
        let headers = try node.batch(
            "getblockheader", try hashes(Array(heights)).map { [.text($0), false] }, as: String.self)
        for header in headers {
            guard let header = [UInt8](hex: try header.get()), header.count == BlockHeader.size else {
                throw NodeError(.garbage, node.subject("getblockheader"), "the answer is no header")
            }
            bytes += header
        }
        return bytes
    }

    private func hashes(_ heights: [Int]) throws(NodeError) -> [String] {
        let results = try node.batch("getblockhash", heights.map { [.number($0)] }, as: String.self)
        var hashes: [String] = []
        for result in results {
            // Up to where the chain goes.
            guard case .success(let hash) = result else { break }
            guard Digest(reversedHex: hash) != nil else {
                throw NodeError(
                    .garbage, node.subject("getblockhash"), "«\(NodeJSON.shown(hash))» is no hash")
            }
            hashes.append(hash)
        }
        return hashes
    }

    /// By REST, many pages at once; nil where the node does not give them.
    private func pages(_ heights: Range<Int>) throws(NodeError) -> [UInt8]? {
        let starts = Array(stride(from: heights.lowerBound, to: heights.upperBound, by: Self.page))
        let requests = zip(try hashes(starts), starts).map { hash, start in
            let count = min(Self.page, heights.upperBound - start)
            return Node.Exchange.rest(
                "/rest/headers/\(hash).bin?count=\(count)", limit: count * BlockHeader.size)
        }
        let answers = try node.ask(requests) { (_, body) throws(NodeError) in
            body.status == 200 ? body.bytes : nil
        }
        var bytes: [UInt8] = []
        for answer in answers {
            guard let answer else { return nil }
            bytes += answer
        }
        return bytes
    }
}
