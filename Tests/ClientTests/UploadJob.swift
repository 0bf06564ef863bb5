import Foundation
import TestSupport
import Testing

/// `publish.sh` as somebody schedules it, with the programs that the tests come with, and a folder that a web server
/// serves as they print it.
final class UploadJob {
    let publication: Publication
    /// Where the host has its files.
    let target: PlainTree
    let server: WebServer
    /// More settings, in the file.
    var settings: [String: String] = [:]
    /// More of the environment.
    var environment: [String: String] = [:]

    var tree: PlainTree { publication.tree }

    init() throws {
        var publication = try Publication(.regtestRich)
        publication.name = "alice"
        self.publication = publication
        target = PlainTree(publication.scratch.path("host"))
        let folder = URL(fileURLWithPath: target.root)
        server = try WebServer(serving: folder, directives: HostingRow.printed("nginx"))
    }

    deinit { server.stop() }

    static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(
        path: "../.."
    )
    .standardized.path

    /// The command line of a run that publishes up to a height.
    private func command(_ height: Int) throws -> [String] {
        let program = try Publication.program().path
        let all = [
            "CONCORD_DATADIR": publication.datadir, "CONCORD_TREE": tree.root, "CONCORD_KEY": publication.key,
            "CONCORD_NAME": publication.name, "CONCORD_NETWORK": "regtest",
            "CONCORD_SHARDS": "\(publication.shards)", "CONCORD_EPOCH": "\(publication.epoch)",
            "CONCORD_OPTIONS": "--to \(height)",
            "CONCORD_BIN": URL(fileURLWithPath: program).deletingLastPathComponent().path,
        ].merging(settings) { $1 }
        let lines = all.map { "\($0)='\($1.replacing("'", with: #"'\''"#))'\n" }.sorted().joined()
        let config = try publication.scratch.write(lines, to: "publish.conf")
        return ["\(Self.repository)/publish.sh", "--config", config]
    }

    /// An upload that is killed leaves its copies with the test's own files.
    private var variables: [String: String] {
        environment.merging(["TMPDIR": publication.scratch.folder]) { $1 }
    }

    func run(to height: Int) throws -> Program.Outcome {
        try Program(at: "/bin/bash").run(try command(height), environment: variables, timeout: 300)
    }

    /// In a process group of its own, so that all of it can be killed.
    func start(to height: Int) throws -> RunningProgram {
        try Program.installed("setsid").start(try command(height), environment: variables)
    }

    /// Puts a script of this text where the job looks for a program first.
    func replace(_ program: String, by script: String) throws {
        try publication.scratch.write("#!/bin/bash\n\(script)\n", to: "bin/\(program)", mode: 0o755)
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        environment["PATH"] = "\(publication.scratch.path("bin")):\(path)"
    }

    /// What the host has, without the names of what is on its way.
    func uploaded() -> [String] {
        target.files().filter { !$0.split(separator: "/").contains { $0.hasPrefix(".") } }
    }

    /// Whether the host has all of the tree, byte for byte.
    func expectUploaded() throws {
        #expect(uploaded() == tree.files())
        for path in tree.files() { #expect(try target.read(path) == tree.read(path), "\(path)") }
    }

    /// Where there is a hint, all that it leads to is there too.
    func expectHintHasItsData(_ note: String) throws {
        guard let hint = try? target.text("latest.txt"), let height = hint.split(separator: " ").first,
            let newest = Int(height)
        else { return }
        for path in tree.files() where !["latest.txt", "index.html"].contains(path) {
            let name = path.split(separator: "/").first { $0.contains(/^[0-9]{7}-/) }
            if let name, Int(name.prefix(7))! > newest { continue }
            if path.hasPrefix("headers/") {
                let bytes = try tree.read(path)
                let start = Int(path.dropFirst("headers/".count).prefix(7))!
                let count = 80 * min(max(newest - start + 1, 0), bytes.count / 80)
                #expect(
                    (try? target.read(path))?.starts(with: bytes[..<count]) ?? (count == 0),
                    "\(note): \(path)")
            } else {
                #expect(try (try? target.read(path)) == tree.read(path), "\(note): \(path)")
            }
        }
    }
}
