import Foundation
import TestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The examples of README.md that make `publish.sh` a job of systemd.
@Suite(.waits) struct ScheduleTests {
    @Test(.enabled(if: (try? Program.installed("systemd-analyze")) != nil, "needs systemd-analyze"))
    func systemdTakesTheUnits() throws {
        let scratch = try Scratch()
        let readme = try String(contentsOfFile: "\(UploadJob.repository)/README.md", encoding: .utf8)
        let units = readme.components(separatedBy: "```ini\n").dropFirst().map {
            String($0.prefix(while: { $0 != "`" }))
        }
        #expect(units.count == 2)
        let paths = try units.map { unit in
            let name = try #require(unit.firstMatch(of: /# (concord\.[a-z]+)\n/)).output.1
            // The program is where the clone is.
            return try scratch.write(
                unit.replacing("/opt/concord/", with: UploadJob.repository + "/"), to: String(name),
                mode: 0o644)
        }
        let outcome = try Program.installed("systemd-analyze").run(["verify", "--man=no"] + paths)
        #expect(outcome.isSuccess && !outcome.errors.contains("concord."), "\(outcome.errors)")
    }

    /// cron's line keeps what a job ends with: it says so, for cron to mail, and the words are in the journal.
    @Test func cronHearsOfAFailure() throws {
        let scratch = try Scratch()
        let readme = try String(contentsOfFile: "\(UploadJob.repository)/README.md", encoding: .utf8)
        let line = try #require(readme.firstMatch(of: #/\n\*/10 \* \* \* \* concord (.*)\n/#)).output.1
        #expect(!line.replacing("||", with: "").contains("|"))
        let job = try scratch.write("#!/bin/sh\nexit $JOB\n", to: "job", mode: 0o755)
        // Like the real one, it runs a command, and ends as that does.
        try scratch.write(
            "#!/bin/sh\n[ \"$1\" = -t ] && shift 2\nexec \"$@\"\n", to: "systemd-cat", mode: 0o755)
        let command = line.replacing("/opt/concord/publish.sh", with: job)
        for status in ["0", "1", "64"] {
            let outcome = try Program(at: "/bin/sh").run(
                ["-c", String(command)],
                environment: ["PATH": "\(scratch.folder):/usr/bin:/bin", "JOB": status])
            #expect(outcome.output.isEmpty == (status == "0"), "\(outcome)")
        }
    }

    /// Settings that nothing knows, and files that others can have had a hand in, end the job before it does anything.
    @Test func aConfigurationThatIsRefused() throws {
        let scratch = try Scratch()
        let script = Program(at: "\(UploadJob.repository)/publish.sh")
        let good = "CONCORD_DATADIR=/none\nCONCORD_TREE=\(scratch.path("tree"))\n"
        for (text, mode, words) in [
            (good + "CONCORD_TREEE=x\n", 0o600, "line 3: there is no setting CONCORD_TREEE"),
            ("export CONCORD_KEYFILE=x\n" + good, 0o600, "line 1: there is no setting CONCORD_KEYFILE"),
            (good.replacing("\n", with: "\r\n"), 0o600, "line 1: ends"),
            (good + "# x\r\n", 0o600, "line 3: ends"),
            (good, 0o620, "can be written by others"), (good, 0o602, "can be written by others"),
            ("CONCORD_TREE=x\n", 0o600, "sets neither CONCORD_DATADIR nor CONCORD_NODE"),
            // All is well with these so far.
            (good, 0o600, "CONCORD_KEY is not set"), (good, 0o644, "CONCORD_KEY is not set"),
            (good + "CONCORD_HOME=x CONCORD_NOW=x CONCORD_TEST_X=x\n", 0o600, "CONCORD_KEY is not set"),
        ] as [(String, Int, String)] {
            let path = try scratch.write(text, to: "publish.conf", mode: mode)
            let outcome = try script.run("--config", path)
            #expect(outcome.status == 1 && outcome.errors.contains(words), "\(words): \(outcome.errors)")
            #expect(outcome.errors.hasPrefix("error: "))
        }
        let typed = try script.run([], environment: ["CONCORD_DATADIRR": "/none"])
        #expect(
            typed.status == 1 && typed.errors.contains("there is no setting CONCORD_DATADIRR"),
            "\(typed.errors)")
        #expect(!FileManager.default.fileExists(atPath: scratch.path("tree")))
    }

    @Test func aConfigurationOfSomebodyElse() throws {
        // Only root can give a file away.
        guard geteuid() == 0 else { return }
        let scratch = try Scratch()
        let path = try scratch.write("CONCORD_DATADIR=/none\n", to: "publish.conf")
        #expect(chown(path, 1, 0) == 0)
        let outcome = try Program(at: "\(UploadJob.repository)/publish.sh").run("--config", path)
        #expect(
            outcome.status == 1 && outcome.errors.contains("belongs to another user"), "\(outcome.errors)")
    }

    /// Every setting of the help is in the example, and an example that nobody filled in sets nothing.
    @Test func theExampleHasEverySetting() throws {
        let script = Program(at: "\(UploadJob.repository)/publish.sh")
        let pattern = #/^(?:  |#)(CONCORD_[A-Z_]+)(?: |=)/#.anchorsMatchLineEndings()
        let settings = try ["--help", "example"].map { argument in
            String(decoding: try script.print(argument), as: UTF8.self).matches(of: pattern).map {
                String($0.output.1)
            }
        }
        #expect(settings[0] == settings[1] && settings[0].count >= 15)
        let used = Set(
            try String(contentsOfFile: script.path, encoding: .utf8).matches(
                of: /\$\{(CONCORD_[A-Z_]+)[:\-}]/
            )
            .map { String($0.output.1) })
        #expect(used.subtracting(settings[0]) == ["CONCORD_CONFIG", "CONCORD_SAMPLE_PORT"])
        let example = try script.print("example")
        #expect(!example.split(separator: 10).contains { $0.first != UInt8(ascii: "#") })
    }
}
