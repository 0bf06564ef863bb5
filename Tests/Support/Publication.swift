import Concord
import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A data directory, a key and a place for a tree, in a scratch folder: what a run of `concord-publish` needs.
public struct Publication: Sendable {
    public let scratch: Scratch
    public let fixture: ChainFixture
    /// The data directory: the scratch folder's own copy unless another was given.
    public let datadir: String
    /// The key's file.
    public let key: String
    public let publicKey: String
    public var name = "alpha"
    /// Where the chain comes from; the data directory if nil.
    public var source: [String]?
    public var shards: Int
    public var epoch: Int

    public var tree: PlainTree { PlainTree(scratch.path("tree")) }
    public var state: PlainTree { PlainTree(scratch.path("tree.state")) }
    public var journal: PlainTree { PlainTree(scratch.path("tree.state/journal/\(publicKey)")) }

    /// - Parameters:
    ///   - datadir: one to share that no test changes.
    ///   - key: a key's file; a new one is made where there is none.
    public init(_ fixture: ChainFixture, datadir: String? = nil, key: String? = nil) throws {
        scratch = try Scratch()
        self.fixture = fixture
        shards = fixture.shards
        epoch = fixture.epoch
        self.datadir = datadir ?? scratch.path("node")
        if datadir == nil { try fixture.unpack(into: self.datadir) }
        self.key = key ?? scratch.path("key.pem")
        if key == nil { try Self.program().print("keygen", "--key", self.key) }
        publicKey = try Self.publicKey(of: self.key)
    }

    /// The compressed form, as `openssl` knows it.
    private static func publicKey(of path: String) throws -> String {
        let der = try Program.installed("openssl").print(
            "ec", "-in", path, "-pubout", "-conv_form", "compressed", "-outform", "DER")
        return Array(der.suffix(33)).hex
    }

    public static func program() throws -> Program { try .built("concord-publish") }

    /// The arguments of a run.
    public func arguments(_ more: [String] = []) -> [String] {
        ["run"] + (source ?? ["--datadir", datadir]) + [
            "--tree", tree.root, "--key", key, "--name", name, "--network", fixture.network, "--shards",
            "\(shards)", "--epoch", "\(epoch)",
        ] + more
    }

    /// Runs to the end, whatever it is.
    public func run(_ more: String...) throws -> Program.Outcome {
        try Self.program().run(arguments(more))
    }

    /// Runs, and throws unless it succeeds.
    @discardableResult
    public func publish(_ more: String...) throws -> Program.Outcome {
        let outcome = try Self.program().run(arguments(more))
        guard outcome.isSuccess else { throw TestError("concord-publish: \(outcome.errors)") }
        return outcome
    }

    /// Starts a run and returns at once.
    public func start(_ more: String...) throws -> RunningProgram {
        try Self.program().start(arguments(more))
    }

    /// The data directory's files as they are in the fixture.
    public func coreFiles() throws -> CoreFiles {
        let reference = try ReferenceTree.of(fixture)
        return CoreFiles("\(datadir)/blocks", sameAs: reference.coreFiles)
    }
}

/// A tree made in one go by one undisturbed run, for tests to read and to compare with. Nobody changes it.
public struct ReferenceTree: Sendable {
    public let publication: Publication
    public let outcome: Program.Outcome
    /// Its `.zst` files, unpacked.
    public let unpacked: PlainTree
    /// Its data directory.
    public let coreFiles: CoreFiles

    public var tree: PlainTree { publication.tree }

    public static let regtestRich = Result { try ReferenceTree(.regtestRich) }
    public static let mainnet4312 = Result { try ReferenceTree(.mainnet4312) }

    public static func of(_ fixture: ChainFixture) throws -> ReferenceTree {
        try (fixture.network == "main" ? mainnet4312 : regtestRich).get()
    }

    private init(_ fixture: ChainFixture) throws {
        publication = try Publication(fixture)
        ScratchOfProcess.remove(publication.scratch)
        outcome = try publication.publish("--json")
        unpacked = try publication.tree.unpack(into: publication.scratch.path("unpacked"))
        coreFiles = try CoreFiles(
            "\(publication.datadir)/blocks",
            magic: fixture.network == "regtest" ? [0xfa, 0xbf, 0xb5, 0xda] : [0xf9, 0xbe, 0xb4, 0xd9])
    }
}

/// Scratch folders that live as long as the process, and are removed when it exits.
private enum ScratchOfProcess {
    private nonisolated(unsafe) static var folders: [Scratch] = []
    private static let lock = NSLock()
    private static let atExit: Void = {
        atexit { for folder in ScratchOfProcess.folders { folder.remove() } }
    }()

    static func remove(_ folder: Scratch) {
        lock.withLock {
            _ = atExit
            folders.append(folder)
        }
    }
}
