import Concord
import ConcordFiles
import ConcordTransfers
import Foundation

/// A host of a tree on the disk that shows it as it was when one of its blocks was the newest, and counts what it is asked
/// for.
final class TreeTransport: Transport, @unchecked Sendable {
    /// Where the tree is served.
    static let url = "http://bench.example/tree"

    private let tree: BenchTree
    /// The newest block that is shown.
    private let newest: BlockID
    private let files = FileTransport()
    /// What has ended without a file of the tree.
    private var ended: [TransferEnd] = []
    /// What is under way.
    private var kinds: [Int: Traffic.Kind] = [:]
    private(set) var traffic = Traffic()

    init(_ tree: BenchTree, showing newest: BlockID) {
        (self.tree, self.newest) = (tree, newest)
    }

    var now: Duration { files.now }
    func received(_ id: Int) -> Int { 0 }
    func wake() {}

    func start(_ request: Request, as id: Int) {
        let path = String(request.url.dropFirst(Self.url.count + 1))
        let kind = Traffic.Kind(path: path, start: request.range?.lowerBound)
        traffic.ask(kind)
        kinds[id] = kind
        if let bytes = madeUp(path) {
            ended.append(TransferEnd(id, part(of: bytes, request)))
        } else if TreePath.block(ofFile: path, tree.parameters).map({ $0.height > newest.height }) ?? false {
            ended.append(TransferEnd(id, .failure(Failure(url: request.url, kind: .notFound))))
        } else {
            var own = request
            own.url = URL(fileURLWithPath: tree.folder.path(path)).absoluteString
            files.start(own, as: id)
        }
    }

    func cancel(_ id: Int) {
        kinds[id] = nil
        ended.removeAll { $0.id == id }
        files.cancel(id)
    }

    func wait(until time: Duration?) -> [TransferEnd] {
        let ends = ended + files.wait(until: nil)
        ended.removeAll()
        for end in ends {
            guard let kind = kinds.removeValue(forKey: end.id), case .success(let body) = end.result else {
                continue
            }
            traffic.receive(body.count, of: kind)
        }
        return ends
    }

    /// A file that was another one at that time; nil for all others.
    private func madeUp(_ path: String) -> [UInt8]? {
        if path == TreePath.latest { return Array("\(newest)\n".utf8) }
        let start = tree.parameters.epochStart(of: newest.height)
        guard path == TreePath.headers(epochOf: newest.height, tree.parameters),
            let bytes = try? File.read(
                tree.folder.path(path), atMost: tree.parameters.epoch * BlockHeader.size)
        else { return nil }
        return Array(bytes.prefix((newest.height - start + 1) * BlockHeader.size))
    }

    private func part(of bytes: [UInt8], _ request: Request) -> Result<Body, Failure> {
        let range = request.range ?? bytes.indices
        guard bytes.indices.contains(range), range.count <= request.limit else {
            return .failure(Failure(url: request.url, kind: .wrongRange))
        }
        return .success(Body(bytes: Array(bytes[range]), count: range.count))
    }
}
