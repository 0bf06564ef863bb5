import Foundation

/// A process that runs beside the test until it is ended.
final class Child {
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()

    init(_ command: String, _ arguments: [String]) throws {
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [command] + arguments
        process.standardInput = input
        process.standardOutput = output
        try process.run()
    }

    func readLine() throws -> String {
        var line: [UInt8] = []
        while let byte = try output.fileHandleForReading.read(upToCount: 1)?.first, byte != 0x0a {
            line.append(byte)
        }
        return String(decoding: line, as: UTF8.self)
    }

    /// Closes its input and waits for its end.
    func end() throws {
        try input.fileHandleForWriting.close()
        process.waitUntilExit()
    }
}
