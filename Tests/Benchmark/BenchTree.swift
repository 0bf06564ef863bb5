import Concord
import ConcordBuild
import ConcordConsole
import ConcordFiles
import ConcordPublish
import ConcordTree

/// The tree that one authority publishes of a chain, in a folder; what it needs besides is in another one beside it.
struct BenchTree: Sendable {
    let folder: Folder
    let parameters: TreeParameters
    let authority: Authority

    /// When everything is signed, seconds since 1970: later than all blocks.
    static let time: Int64 = 1_700_000_000

    /// The first height of a tree that is there; nil where none is.
    static func first(in path: String) throws -> Int? {
        try TreeMetadata.known(in: Folder(reading: path))?.first
    }

    /// Publishes what is missing, up to a height.
    ///
    /// - Parameters:
    ///   - first: the height that the tree begins at.
    ///   - dump: what it begins with, unless that is the first block.
    init(
        _ chain: BenchChain, in path: String, _ parameters: TreeParameters, to height: Int, first: Int = 0,
        dump: String? = nil, tell: (String) -> Void
    ) throws {
        let lock = try FolderLock("\(path).state")
        let state = try Folder("\(path).state")
        folder = try Folder(path)
        let key = try Self.key(state)
        guard let name = AuthorityName("bench") else { preconditionFailure("it is one") }
        let metadata = TreeMetadata(
            folder: folder,
            authority: AuthorityFile(
                name: name, network: chain.network, key: key.publicKey, parameters: parameters, first: first))
        try metadata.check()
        try metadata.write()
        let tree = folder
        var publisher = Publisher(
            SetBuilder(
                source: chain, data: tree, parameters: parameters, level: ZstdCompressor.defaultLevel,
                isFixed: { block throws(FileError) in
                    try tree.contains(TreePath.attestation(block, parameters))
                }),
            tree: tree, state: state, first: first,
            beginning: dump.map { .dump($0) } ?? .blocks(memory: InitialReplay.defaultMemory),
            signer: Publisher.Signer(key: key, name: name, software: Software.name, note: nil))
        _ = try publisher.run(to: height, now: { Self.time }) { event in
            switch event {
            case .published(let done, let all): tell("published block \(done) of \(all)")
            case .reading(let coins, let all): tell("read \(coins) coins of \(all)")
            case .counting: tell("counting the coins of the dump")
            default: break
            }
        }
        self.parameters = parameters
        authority = Authority(name: name, key: key.publicKey, urls: [TreeTransport.url])
        lock.release()
    }

    /// That of the tree, made once.
    private static func key(_ state: Folder) throws -> SigningKey {
        let path = state.path("key.pem")
        if try state.contains("key.pem") { return try SigningKey(readingFrom: path) }
        let key = SigningKey.generate()
        try key.write(to: path)
        return key
    }
}
