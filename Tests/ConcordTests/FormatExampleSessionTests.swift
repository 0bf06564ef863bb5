import Foundation
import TestSupport
import Testing

/// The commands that FORMAT.md shows, run one after the other in a folder with the files it shows.
@Suite struct FormatExampleSessionTests {
    private static let tools = ["bash", "openssl", "python3", "sha256sum", "split", "tac", "xxd", "zstd"]

    /// GNU's tools are meant; where one is missing, the other tests still recompute the numbers.
    private static let hasTools: Bool = {
        #if os(Linux)
            let folders = ProcessInfo.processInfo.environment["PATH"]?.split(separator: ":") ?? []
            return tools.allSatisfy { tool in
                folders.contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(tool)") }
            }
        #else
            return false
        #endif
    }()

    @Test(.enabled(if: Self.hasTools)) func theCommandsPrintWhatTheDocumentShows() throws {
        let document = try FormatDocument()
        let folder = FileManager.default.temporaryDirectory.appending(path: "concord-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        var commands: [(line: String, output: String)] = []
        for (name, text) in document.blocks {
            guard name == "session" else {
                try text.write(to: folder.appending(path: name), atomically: false, encoding: .utf8)
                continue
            }
            for line in text.split(separator: "\n") {
                if line.hasPrefix("$ ") {
                    commands.append((String(line.dropFirst(2)), ""))
                } else {
                    try #require(!commands.isEmpty)
                    commands[commands.count - 1].output += line + "\n"
                }
            }
        }
        #expect(commands.count > 20)
        let printed = try Self.run(commands.map(\.line), in: folder)
        #expect(printed.count == commands.count)
        for (command, output) in zip(commands, printed) {
            #expect(output == command.output, "\(command.line)")
        }
    }

    /// What each command printed; those behind one that fails are not run.
    private static func run(_ commands: [String], in folder: URL) throws -> [String] {
        let outcome = try Program.installed("bash").run(
            "-c", "set -e -o pipefail\n" + commands.map { $0 + "\nprintf '\\036'\n" }.joined(),
            in: folder.path)
        #expect(outcome.isSuccess, "\(outcome.errors)")
        return outcome.output.components(separatedBy: "\u{1e}").dropLast()
    }
}
