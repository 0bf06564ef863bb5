import Concord
import ConcordBuild
import ConcordChain
import ConcordFiles
import ConcordPublish
import ConcordTree
import Foundation
import TestSupport

/// The fixture's chain with undo data that a test bends, and a tree that is published from it in this process.
struct BentChain {
    static let parameters = TreeParameters(shards: 16, epoch: 50)

    /// A coin that a block of the chain spends.
    struct Spend: Sendable {
        let block: CoreFiles.Block
        /// The place of the coin in the undo record.
        let n: Int
        let outpoint: Outpoint
        let coin: PlainCoin

        var height: Int { block.height }
        /// The height of the block that made it.
        var made: Int { Int(coin.code >> 1) }
    }

    /// The fixture's files as they are, and the records in them.
    private static let source = Result {
        let scratch = try Scratch()
        try ChainFixture.regtestRich.unpack(into: scratch.folder)
        return (scratch, try CoreFiles(scratch.path("blocks"), magic: Network.regtest.magic))
    }

    /// All spends of heights 101 to 200, in order.
    static let spends = Result { try readSpends() }

    private static func readSpends() throws -> [Spend] {
        let files = try source.get().1
        let answers = try ChainFixture.regtestRich.answers()
        var coins = BlockCoins()
        var spends: [Spend] = []
        for height in 101...200 {
            let block = try files.block(at: height, below: answers[height].block)
            guard let undo = block.undo else { throw TestError("no undo record") }
            var n = 0
            try block.record.bytes.withBytes { bytes in
                try Array(undo.bytes.prefix(undo.count)).withBytes { record in
                    try coins.visit(block: bytes, undo: record, height: height, network: .regtest) { coin in
                        guard coin.isSpent else { return }
                        spends.append(Spend(block: block, n: n, outpoint: coin.outpoint, coin: coin.plain))
                        n += 1
                    }
                }
            }
        }
        return spends
    }

    /// The first spend that is wanted.
    static func spend(_ isWanted: (Spend) -> Bool) throws -> Spend {
        guard let spend = try spends.get().first(where: isWanted) else { throw TestError("no such spend") }
        return spend
    }

    /// How a coin of an undo record is bent.
    enum Bend: CaseIterable, Sendable {
        case amount, height, coinbase, script, scriptOfAnotherShard

        func apply(to coin: inout PlainUndo.Coin, of spend: Spend) {
            switch self {
            case .amount: coin.amount += 1
            case .height: coin.code += 2
            case .coinbase: coin.code ^= 1
            case .script, .scriptOfAnotherShard:
                let own = spend.coin.script.withBytes { BentChain.parameters.shard(of: $0) }
                var hash = [UInt8](repeating: 7, count: 20)
                while true {
                    hash[0] &+= 1
                    let script = [0x76, 0xa9, 20] + hash + [0x88, 0xac]
                    let shard = script.withBytes { BentChain.parameters.shard(of: $0) }
                    if (shard == own) == (self == .script) { break }
                }
                coin.script = [0] + hash
            }
        }
    }

    private static let key = SigningKey.generate()
    /// A tree up to height 100, with its state.
    private static let start = Result {
        let scratch = try Scratch()
        let chain = BentChain(scratch)
        _ = try chain.publish(to: 100, from: try source.get().0.folder)
        return scratch
    }

    let scratch: Scratch
    var tree: PlainTree { PlainTree(scratch.path("tree")) }
    private var datadir: String { scratch.path("node") }

    private init(_ scratch: Scratch) {
        self.scratch = scratch
    }

    /// - Parameter isBegun: whether there is a tree up to height 100 already.
    init(isBegun: Bool = true) throws {
        self.init(try Scratch())
        if isBegun {
            for name in ["tree", "state"] {
                try FileManager.default.copyItem(
                    atPath: try Self.start.get().path(name), toPath: scratch.path(name))
            }
        }
        try FileManager.default.createDirectory(atPath: datadir, withIntermediateDirectories: true)
        try restore()
    }

    /// Puts the files back as they were.
    func restore() throws {
        try? FileManager.default.removeItem(atPath: "\(datadir)/blocks")
        try FileManager.default.copyItem(
            atPath: try Self.source.get().0.path("blocks"),
            toPath: "\(datadir)/blocks")
    }

    /// Bends one undo record.
    func bend(_ block: CoreFiles.Block, _ change: (inout PlainUndo) -> Void) throws {
        guard let undo = block.undo else { throw TestError("no undo record") }
        var record = try PlainUndo(undo.bytes.prefix(undo.count))
        change(&record)
        let files = CoreFiles("\(datadir)/blocks", sameAs: try Self.source.get().1)
        try files.replaceUndo(of: block, with: record.bytes)
    }

    func bend(_ spend: Spend, _ bend: Bend) throws {
        try self.bend(spend.block) { record in
            let (transaction, input) = record.place(spend.n)
            bend.apply(to: &record.coins[transaction][input], of: spend)
        }
    }

    @discardableResult
    func publish(
        to height: Int, from folder: String? = nil, first: Int = 0,
        beginning: Publisher.Beginning = .blocks(memory: 1 << 20), expected: Digest? = nil,
        parameters: TreeParameters = BentChain.parameters
    ) throws -> Publisher.Report? {
        let state = try Folder(scratch.path("state"))
        let tree = try Folder(scratch.path("tree"))
        let chain = try BestChain.scan(
            BlockFolder(folder ?? datadir, network: .regtest), cache: Folder(scratch.path("cache")))
        guard let name = AuthorityName("alice") else { throw TestError("alice is no name") }
        var publisher = Publisher(
            SetBuilder(
                source: chain, data: tree, parameters: parameters, level: 1,
                isFixed: { block throws(FileError) in
                    try tree.contains(TreePath.attestation(block, parameters))
                }),
            tree: tree, state: state, first: first, beginning: beginning, expected: expected,
            signer: Publisher.Signer(key: Self.key, name: name, software: Software.name, note: nil))
        return try publisher.run(
            to: height, now: { Int64(Date().timeIntervalSince1970) }, tell: { _ in })
    }

    /// The newest height that is attested.
    var newest: Int? { tree.attestations().keys.max() }

    /// Whether there is anything of a block in the tree.
    func hasFiles(of height: Int) -> Bool {
        tree.files().contains { $0.contains("/\(TreePath.digits(height))-") }
    }
}
