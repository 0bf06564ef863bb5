import Foundation
import Synchronization
import TestSupport

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A tree as an authority published it. Nobody changes it.
struct PublishedTree: Sendable {
    let name: String
    /// The file of its private key.
    let keyFile: String
    let publicKey: String
    let tree: PlainTree

    /// Three authorities of the fixture's chain, each with a key and a zstd level of its own.
    static let atTip = Result { try made.get().map(\.late) }
    /// The same three five blocks before.
    static let fiveBlocksBefore = Result { try made.get().map(\.early) }

    static let tip = 330

    /// Two authorities' trees of a part of the chain, for what is read again and again by programs that take their time.
    static let short = Result {
        let scratch = try Scratch.ofProcess()
        let datadir = scratch.path("node")
        try ChainFixture.regtestRich.unpack(into: datadir)
        return try ["alpha", "bravo"].map { name in
            var publication = try Publication(.regtestRich, datadir: datadir)
            publication.name = name
            publication.epoch = 20
            try publication.publish("--first", "100", "--to", "\(shortTip)")
            let keyFile = scratch.path("\(name).pem")
            try FileManager.default.copyItem(atPath: publication.key, toPath: keyFile)
            let copy = PlainTree(scratch.path(name))
            try publication.tree.link(to: copy.root)
            return PublishedTree(name: name, keyFile: keyFile, publicKey: publication.publicKey, tree: copy)
        }
    }

    static let shortTip = 126

    private static let made = Result {
        let scratch = try Scratch.ofProcess()
        let datadir = scratch.path("node")
        try ChainFixture.regtestRich.unpack(into: datadir)
        let kinds = [("alpha", "1"), ("bravo", "9"), ("charlie", "13")]
        let made = Mutex<[String: Result<(early: PublishedTree, late: PublishedTree), any Error>]>([:])
        DispatchQueue.concurrentPerform(iterations: kinds.count) { i in
            let (name, level) = kinds[i]
            let result = Result { try publish(name, level, datadir, scratch) }
            made.withLock { $0[name] = result }
        }
        return try made.withLock { made in try kinds.compactMap { try made[$0.0]?.get() } }
    }

    private static func publish(
        _ name: String, _ level: String, _ datadir: String, _ scratch: Scratch
    ) throws -> (early: PublishedTree, late: PublishedTree) {
        var publication = try Publication(.regtestRich, datadir: datadir)
        publication.name = name
        try publication.publish("--level", level, "--to", "\(tip - 5)")
        let keyFile = scratch.path("\(name).pem")
        try FileManager.default.copyItem(atPath: publication.key, toPath: keyFile)
        func copied(_ folder: String) throws -> PublishedTree {
            let copy = PlainTree(scratch.path("\(name)-\(folder)"))
            try publication.tree.link(to: copy.root)
            return PublishedTree(
                name: name, keyFile: keyFile, publicKey: publication.publicKey, tree: copy)
        }
        let early = try copied("early")
        try publication.publish("--level", level)
        return (early: early, late: try copied("late"))
    }
}

extension Scratch {
    /// A folder that lives as long as the process, and is removed when it exits.
    static func ofProcess() throws -> Scratch {
        let scratch = try Scratch()
        lock.withLock {
            _ = atExit
            folders.append(scratch)
        }
        return scratch
    }

    private nonisolated(unsafe) static var folders: [Scratch] = []
    private static let lock = NSLock()
    private static let atExit: Void = {
        atexit { for folder in Scratch.folders { folder.remove() } }
    }()
}

extension PlainTree {
    /// Another folder with the same files: hard links, cheap as long as files are replaced and never written into.
    func link(to folder: String) throws {
        for path in files() {
            let target = "\(folder)/\(path)"
            let parent = URL(fileURLWithPath: target).deletingLastPathComponent()
            try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
            guard Foundation.link(self.path(path), target) == 0 else { throw TestError("link \(target)") }
        }
    }

    /// Puts a new file in the place of the one that may be there.
    func replace(_ relative: String, _ bytes: some Sequence<UInt8>) throws {
        let url = URL(fileURLWithPath: path(relative))
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try? FileManager.default.removeItem(at: url)
        try Data(bytes).write(to: url)
    }

    func replace(_ relative: String, _ text: String) throws { try replace(relative, text.utf8) }

    /// Flips one bit in the middle.
    func flip(_ relative: String) throws {
        var bytes = try read(relative)
        bytes[bytes.count / 2] ^= 0x04
        try replace(relative, bytes)
    }

    func remove(_ relative: String) throws {
        try FileManager.default.removeItem(atPath: path(relative))
    }

    /// The attestation of the best chain's block of a height, of trees without stale branches.
    func attestation(_ height: Int) throws -> String {
        guard let path = attestations()[height]?.first else { throw TestError("no attestation of \(height)") }
        return path
    }

    func paths(_ folder: String, containing text: String) -> [String] {
        files(under: folder).filter { $0.contains(text) }
    }
}

/// An authority's tree on a web server of its own, for one test to spoil.
final class Site {
    let name: String
    let keyFile: String
    let publicKey: String
    let server: WebServer
    private let published: PlainTree
    private let scratch: Scratch
    /// Whoever made the tree, if it goes with them.
    private let publisher: Publication?

    var url: String { server.base }

    init(
        _ published: PublishedTree, of publisher: Publication? = nil, directives: String = "",
        http: String = ""
    ) throws {
        self.publisher = publisher
        name = published.name
        keyFile = published.keyFile
        publicKey = published.publicKey
        self.published = published.tree
        scratch = try Scratch()
        let folder = scratch.path("tree")
        try FileManager.default.createSymbolicLink(atPath: folder, withDestinationPath: published.tree.root)
        server = try WebServer(
            serving: URL(fileURLWithPath: folder), directives: directives, http: http)
    }

    /// What it serves. Until somebody looks at it, the published tree itself; from then on a copy.
    private(set) lazy var tree: PlainTree = {
        let (copy, folder) = (scratch.path("copy"), scratch.path("tree"))
        do {
            try published.link(to: copy)
            try FileManager.default.removeItem(atPath: folder)
            try FileManager.default.createSymbolicLink(atPath: folder, withDestinationPath: copy)
        } catch {
            fatalError("\(copy): \(error)")
        }
        return PlainTree(copy)
    }()

    /// Serves another tree from now on, as it was published.
    func serve(_ other: PublishedTree) throws {
        let folder = scratch.path("tree")
        try FileManager.default.removeItem(atPath: folder)
        try FileManager.default.createSymbolicLink(atPath: folder, withDestinationPath: other.tree.root)
    }

    deinit { server.stop() }

    /// The sites of all three authorities.
    static func all(directives: String = "", http: String = "") throws -> [Site] {
        try PublishedTree.atTip.get().map { try Site($0, directives: directives, http: http) }
    }

    /// The paths, without the slash in front, that were asked for with this status.
    func served(status: Int = 200) -> [String] {
        server.requests.compactMap { line in
            let words = line.split(separator: " ")
            return words[2] == "\(status)" ? String(words[1].dropFirst()) : nil
        }
    }
}
