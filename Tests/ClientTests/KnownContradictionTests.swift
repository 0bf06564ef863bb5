import Foundation
import TestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What was seen of authorities that contradict each other stands above every answer from the disk.
@Suite(.waits) struct KnownContradictionTests {
    let sites: [Site]
    let client: Client

    init() throws {
        sites = try Site.all()
        // What charlie says of any block was not seen before: whoever has room is asked.
        client = try Client(trusting: Array(sites.prefix(2)))
        try client.fetch()
        try client.trust(sites[2])
        // Seen at a block below the one that is installed; all of them agree on that one.
        try sites[2].lie(at: 320)
        #expect(try client.check("--height", "320").status == 2)
        // From here on nobody can be asked.
        for site in sites { site.server.stop() }
    }

    private var answers: [[String]] {
        [["utxos", "raw(51)"], ["export", client.scratch.path("out"), "--force"]]
    }

    @Test func itEndsWhatAnswersFromTheDisk() throws {
        for words in answers {
            let outcome = try client.run(words)
            #expect(outcome.status == 2 && outcome.output.isEmpty, "\(outcome.said)")
            for part in [
                "at height 320", "do not use this set", client.home.path("evidence/0000320-"),
                "--despite-contradiction",
            ] {
                #expect(outcome.errors.contains(part), "\(outcome.said)")
            }
            let error = try client.run(words + ["--json"]).json(Refused.self).error
            #expect(error.status == 2 && error.kind == "contradiction")
        }
        #expect(!FileManager.default.fileExists(atPath: client.scratch.path("out")))
    }

    @Test func whoeverInsistsIsWarned() throws {
        struct Known: Decodable {
            struct Block: Decodable { let height: Int }
            let contradiction: Block
        }
        for words in answers {
            let outcome = try client.succeed(words + ["--despite-contradiction"])
            #expect(
                outcome.errors.hasPrefix("warning: authorities in your list contradict each other")
                    && !outcome.output.isEmpty, "\(outcome.said)")
            let json = try client.succeed(words + ["--despite-contradiction", "--json"])
            #expect(try json.json(Known.self).contradiction.height == 320)
        }
    }

    /// As for `check`: what counts is who is in the list.
    @Test func aPartyThatWasLeftDoesNotCount() throws {
        try client.succeed("trust", "remove", "charlie")
        for words in answers { #expect(try client.succeed(words).errors.isEmpty) }
        try client.trust("charlie", sites[2].publicKey, sites[2].url)
        for words in answers { #expect(try client.run(words).status == 2) }
        // A key that was retired counts below the height that is named, and not from there on.
        try client.succeed("trust", "retire", "charlie", "--from", "321")
        for words in answers { #expect(try client.run(words).status == 2) }
        try client.succeed("trust", "retire", "charlie", "--from", "320")
        for words in answers { #expect(try client.succeed(words).errors.isEmpty) }
        try client.succeed("trust", "remove", "charlie")
        try client.trust("charlie", sites[2].publicKey, sites[2].url)
        try client.succeed("trust", "remove", "alpha")
        // Bravo says the same as alpha did.
        for words in answers { #expect(try client.run(words).status == 2) }
        try client.succeed("trust", "remove", "bravo")
        for words in answers { #expect(try client.succeed(words).errors.isEmpty) }
    }

    /// A run that was killed in the middle of a write has left what only a run that may write can put in order.
    @Test func afterAWriteThatWasCutOff() throws {
        let write = """
            PRAGMA cache_size = 1;
            BEGIN IMMEDIATE;
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 2000)
            INSERT INTO seen SELECT randomblob(32), randomblob(33), i, 0, 0, randomblob(500), randomblob(64) FROM n;
            .shell kill -9 $PPID

            """
        let killed = try Program.installed("sqlite3").run(
            client.home.path("memory.sqlite"), input: Array(write.utf8))
        #expect(killed.signal == SIGKILL)
        for words in answers {
            let outcome = try client.run(words)
            #expect(outcome.status == 1, "\(outcome.said)")
            #expect(
                outcome.errors.contains("asking the authorities again puts it in order"),
                "\(outcome.said)")
        }
        let checked = try client.run("check")
        #expect(checked.status == 2, "\(checked.said)")
        for words in answers { #expect(try client.run(words).status == 2) }
    }

    /// A folder that may only be read is enough; without a memory nothing is known.
    @Test func itIsKnownWhereNothingMayBeWritten() throws {
        let program = try Program.unprivileged([try Client.program().path, "utxos", "raw(51)"])
        #expect(chmod(client.home.root, 0o555) == 0)
        defer { chmod(client.home.root, 0o755) }
        let run = {
            try Program(at: program[0]).run(
                Array(program.dropFirst()), environment: ["CONCORD_HOME": client.home.root])
        }
        #expect(try run().status == 2)
        chmod(client.home.root, 0o755)
        try client.home.remove("memory.sqlite")
        chmod(client.home.root, 0o555)
        #expect(try run().status == 0)
        chmod(client.home.root, 0o755)
        try client.home.replace("memory.sqlite", "")
        #expect(try run().status == 0)
        try client.home.replace("memory.sqlite", String(repeating: "damaged ", count: 500))
        let damaged = try run()
        #expect(
            damaged.status == 1 && damaged.errors.contains(client.home.path("memory.sqlite")),
            "\(damaged.said)")
    }
}
