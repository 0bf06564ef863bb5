import Foundation
import TestSupport
import Testing

/// The examples of README.md that make `publish.sh` a job of systemd.
@Suite struct ScheduleTests {
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
