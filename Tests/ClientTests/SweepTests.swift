import Foundation
import TestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Every command of both programs on machines that do not do what they should: each run ends with the status and the words
/// that a user can go by, and never in a crash.
@Suite(.waits) struct SweepTests {
    enum Machine: String, CaseIterable {
        case fullDisk, closedPipe, noInput, noOutput, noErrors, noHome, otherUmask, otherLocale

        /// For a shell, which runs the words that follow.
        var script: String {
            switch self {
            case .fullDisk: "exec \"$@\" >/dev/full"
            // A pipe that nobody has open for reading.
            case .closedPipe:
                """
                pipe=$(mktemp -u); mkfifo "$pipe" && exec 3<>"$pipe" 4>"$pipe" 3<&-; rm -f "$pipe"; exec "$@" >&4 4>&-
                """
            case .noInput: "exec \"$@\" <&-"
            case .noOutput: "exec \"$@\" >&-"
            case .noErrors: "exec \"$@\" 2>&-"
            case .noHome: "unset HOME; exec \"$@\""
            case .otherUmask: "umask 077; exec \"$@\""
            case .otherLocale: "LC_ALL=ar_EG.UTF-8 LANG=ar_EG.UTF-8 LANGUAGE=ar exec \"$@\""
            }
        }

        /// Whether what is printed cannot arrive.
        var losesOutput: Bool { [.fullDisk, .closedPipe, .noOutput].contains(self) }

        func isRight(_ outcome: Program.Outcome) -> Bool {
            switch self {
            case .fullDisk:
                outcome.status == 1
                    && outcome.errors.contains("cannot write to standard output: No space left on device")
            case .noOutput: outcome.status == 1 && outcome.errors.contains("standard output is closed")
            case .closedPipe: outcome.signal == SIGPIPE && !outcome.errors.contains("rror: ")
            case .noErrors: outcome.status == 0 && !outcome.output.isEmpty && outcome.errors.isEmpty
            case .noInput, .noHome, .otherUmask: outcome.status == 0 && !outcome.output.isEmpty
            case .otherLocale:
                outcome.status == 0
                    && outcome.output.unicodeScalars.allSatisfy {
                        $0.isASCII || $0.properties.numericType == nil
                    }
            }
        }
    }

    @Test(arguments: Machine.allCases) func everyCommandEndsWell(on machine: Machine) throws {
        let bench = try Bench()
        var count = 0
        for isJSON in machine.losesOutput ? [false, true] : [false] {
            for command in bench.commands() where !isJSON || command.hasJSON {
                let words = command.words + (isJSON ? ["--json"] : [])
                let outcome = try bench.run(words, script: machine.script)
                #expect(machine.isRight(outcome), "\(words.dropFirst()): \(outcome.ended)")
                count += 1
            }
        }
        #expect(count > 25)
    }

    /// What others wrote down is there and may not be read, or not be written: which file it is, and why.
    @Test(arguments: [false, true]) func filesThatAreDenied(isWritten: Bool) throws {
        let bench = try Bench()
        for command in bench.commands() {
            guard let path = isWritten ? command.target : command.input else { continue }
            let mode = try bench.change(path, isWritten ? 0o555 : 0)
            defer { _ = try? bench.change(path, mode) }
            let outcome = try bench.run(command.words, script: "exec \"$@\"", isUnprivileged: true)
            #expect(outcome.status == 1, "\(command.words.dropFirst()): \(outcome.ended)")
            #expect(outcome.errors.hasPrefix("error: "), "\(outcome.ended)")
            #expect(
                outcome.errors.contains(path) || outcome.errors.contains(bench.scratch.path(path)),
                "\(path): \(outcome.ended)")
        }
    }

    /// A home that may not be written to: what only reads answers, and what must write names the place.
    @Test func aHomeThatIsReadOnly() throws {
        let bench = try Bench()
        let closed = ["home"] + (try bench.everything(below: "home"))
        let modes = try closed.map { try bench.change($0, removing: 0o222) }
        defer { for (path, mode) in zip(closed, modes) { _ = try? bench.change(path, mode) } }
        var denied = 0
        for command in bench.commands() {
            let outcome = try bench.run(command.words, script: "exec \"$@\"", isUnprivileged: true)
            if command.writesHome {
                #expect(
                    outcome.status == 1 && outcome.errors.hasPrefix("error: ")
                        && outcome.errors.contains(bench.scratch.path("home")),
                    "\(command.words.dropFirst()): \(outcome.ended)")
                denied += 1
            } else {
                #expect(outcome.status == 0, "\(command.words.dropFirst()): \(outcome.ended)")
            }
        }
        #expect(denied > 5)
    }

    /// No HOME, and no entry in the system's list of users.
    @Test func aUserWithoutAnything() throws {
        guard geteuid() == 0 else { return }
        let outcome = try Program.installed("setpriv").run(
            "--reuid=54321", "--clear-groups", "env", "-u", "HOME", "-u", "CONCORD_HOME",
            try Client.program().path, "trust", "add", "alpha", UsageTests.key, "https://a.example")
        #expect(
            outcome.status == 1 && outcome.errors.hasPrefix("error: there is no HOME"), "\(outcome.ended)")
    }
}

extension Program.Outcome {
    fileprivate var ended: String { "\(signal.map { "signal \($0)" } ?? "") \(said)" }
}

/// What all commands need: a client's folder with a set in it, a node, a tree of one's own, a trustnet.
private final class Bench {
    struct Command {
        let words: [String]
        var hasJSON = true
        /// A file that it reads, and a folder that it writes to: below the scratch folder.
        var input: String?
        var target: String?
        /// Whether it keeps something in the client's home.
        var writesHome: Bool {
            words[0] == "concord"
                && (["check", "fetch", "audit", "report"].contains(words[1])
                    || words[1] == "trust"
                        && ["add", "remove", "use", "update", "drop"].contains(words.dropFirst(2).first))
        }
    }

    let scratch: Scratch
    private var made = 0

    /// Copied for each bench.
    private static let template = Result {
        let scratch = try Scratch.ofProcess()
        let trees = try PublishedTree.atTip.get()
        let client = try Client()
        for published in trees {
            try client.trust(published.name, published.publicKey, "file://\(published.tree.root)")
        }
        try client.fetch()
        try FileManager.default.copyItem(atPath: client.home.root, toPath: scratch.path("home"))
        try trees[0].tree.link(to: scratch.path("tree"))
        var publication = try Publication(.regtestRich, datadir: try Client.node.get())
        publication.name = "alpha"
        try publication.publish("--level", "1", "--to", "110")
        for name in ["tree", "tree.state", "key.pem"] {
            let target = name.replacing("tree", with: "own")
            try FileManager.default.copyItem(
                atPath: publication.scratch.path(name), toPath: scratch.path(target))
        }
        let sites = try Site.all()
        let other = try Client(trusting: sites)
        try sites[2].lie(at: 330)
        let evidence = try #require(try other.check().answer.evidence)
        try FileManager.default.copyItem(atPath: evidence, toPath: scratch.path("evidence"))
        let program = try Publication.program()
        try program.print(
            "trustnet", "new", "--folder", scratch.path("net"), "--name", "example", "--network", "regtest",
            "--shards", "16", "--epoch", "50", "--key", scratch.path("key.pem"))
        for published in trees {
            try program.print(
                "trustnet", "add", "--folder", scratch.path("net"), published.name, published.publicKey,
                "https://\(published.name).example")
        }
        try program.print(
            "trustnet", "sign", "--folder", scratch.path("net"), "--key", scratch.path("key.pem"))
        return (scratch: scratch, key: publication.publicKey)
    }

    init() throws {
        scratch = try Scratch()
        let template = try Self.template.get().scratch
        for name in try FileManager.default.contentsOfDirectory(atPath: template.folder) {
            try FileManager.default.copyItem(atPath: template.path(name), toPath: scratch.path(name))
        }
    }

    /// A name that is free.
    private func new(_ name: String) -> String {
        made += 1
        return scratch.path("\(name)\(made)")
    }

    /// Every command of both programs, so that each finds what it needs and the last leaves all as it was.
    func commands() -> [Command] {
        let tree = scratch.path("tree")
        let net = scratch.path("net")
        let bootstrap = (try? Self.template.get().key) ?? ""
        func concord(
            _ words: String..., hasJSON: Bool = true, input: String? = nil, target: String? = nil
        ) -> Command {
            Command(words: ["concord"] + words, hasJSON: hasJSON, input: input, target: target)
        }
        func publish(
            _ words: String..., hasJSON: Bool = true, input: String? = nil, target: String? = nil
        ) -> Command {
            Command(words: ["concord-publish"] + words, hasJSON: hasJSON, input: input, target: target)
        }
        return [
            concord("--help", hasJSON: false), concord("--version", hasJSON: false),
            concord("help", "trust", "add", hasJSON: false), concord("trust", hasJSON: false),
            concord("--generate-completion-script", "bash", hasJSON: false),
            concord("trust", "list", input: "home/trust.json"),
            concord(
                "trust", "add", "delta", UsageTests.key, "https://d.example", input: "home/trust.json",
                target: "home"),
            concord("trust", "remove", "delta"),
            concord("trust", "use", "file://\(net)", "--key", bootstrap, target: "home"),
            concord("trust", "update"), concord("trust", "drop", "example"),
            concord("check", input: "home/memory.sqlite", target: "home"),
            concord("report", new("page"), input: "home/trust.json"),
            concord("fetch", input: "home/headers/regtest.bin", target: "home"),
            concord("utxos", "raw(51)", input: "home/sets/regtest/agreed.json"),
            concord("export", new("out"), input: "home/memory.sqlite"),
            concord("verify", tree, input: "tree/authority.txt"),
            concord(
                "audit", "--datadir", (try? Client.node.get()) ?? "", "--network", "regtest",
                input: "home/trust.json"),
            concord("evidence", scratch.path("evidence"), input: "evidence"),
            concord("mirror", "file://\(tree)", new("mirror")),
            publish("--help", hasJSON: false), publish("help", "run", hasJSON: false),
            publish("keygen", "--key", new("key")),
            publish(
                "run", "--datadir", (try? Client.node.get()) ?? "", "--tree", scratch.path("own"), "--key",
                scratch.path("key.pem"), "--name", "alpha", "--network", "regtest", "--shards", "16",
                "--epoch",
                "50", "--to", "110", input: "key.pem"),
            publish("prune", "--tree", scratch.path("own"), "--keep", "2", input: "own/latest.txt"),
            publish("hosting", "nginx", hasJSON: false),
            publish("compare", "--tree", tree, "--wait", "0", "file://\(tree)", input: "tree/latest.txt"),
            publish(
                "trustnet", "new", "--folder", new("net"), "--name", "other", "--network", "regtest", "--key",
                scratch.path("key.pem"), input: "key.pem"),
            publish(
                "trustnet", "add", "--folder", net, "delta", UsageTests.key, "https://d.example",
                target: "net.state"),
            publish("trustnet", "retire", "--folder", net, "delta", "--from", "5"),
            publish("trustnet", "remove", "--folder", net, "delta"),
            publish(
                "trustnet", "sign", "--folder", net, "--key", scratch.path("key.pem"), input: "key.pem"),
            publish("trustnet", "show", "--folder", net, input: "net.state/journal/1.json"),
        ]
    }

    /// Runs a command under a shell's words, with the bench's home.
    func run(_ words: [String], script: String, isUnprivileged: Bool = false) throws -> Program.Outcome {
        let shell = ["/bin/sh", "-c", script, "sh", try Program.built(words[0]).path] + words.dropFirst()
        let all = isUnprivileged ? try Program.unprivileged(shell) : shell
        return try Program(at: all[0]).run(
            Array(all.dropFirst()), environment: ["CONCORD_HOME": scratch.path("home")])
    }

    /// Gives what the mode was.
    func change(_ path: String, _ mode: mode_t) throws -> mode_t {
        try change(path) { _ in mode }
    }

    func change(_ path: String, removing bits: mode_t) throws -> mode_t {
        try change(path) { $0 & ~bits }
    }

    private func change(_ path: String, to mode: (mode_t) -> mode_t) throws -> mode_t {
        var before = stat()
        guard stat(scratch.path(path), &before) == 0,
            chmod(scratch.path(path), mode(before.st_mode & 0o7777)) == 0
        else { throw TestError("chmod \(path)") }
        return before.st_mode & 0o7777
    }

    /// All files and folders below a folder, as paths below the scratch folder.
    func everything(below folder: String) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: scratch.path(folder)).map { "\(folder)/\($0)" }
    }
}
