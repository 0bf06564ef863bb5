import Foundation
import TestSupport

/// Caddy, serving one folder on a loopback port of its own.
final class CaddyServer {
    let base: String
    private let scratch: Scratch
    private let port: ReservedPort
    private let process: RunningProgram

    init(serving folder: String, directives: String) throws {
        scratch = try Scratch()
        port = try ReservedPort()
        base = "http://127.0.0.1:\(port.number)"
        let file = try scratch.write(
            """
            {
                admin off
                auto_https off
            }
            \(base) {
                root * \(folder)
                file_server
            \(directives)
            }
            """, to: "Caddyfile")
        process = try startServer(
            [Program.installed("caddy").path, "run", "--adapter", "caddyfile", "--config", file],
            log: scratch.path("log"), ["HOME": scratch.folder, "XDG_DATA_HOME": "", "XDG_CONFIG_HOME": ""])
        try waitForServer(base, process)
    }
}

/// A store of objects that speaks S3, in memory.
final class ObjectStore {
    let base: String
    private let scratch: Scratch
    private let port: ReservedPort
    private let process: RunningProgram

    /// What rclone has to know about it: a remote of the name `store`, whose objects everybody may read.
    var environment: [String: String] {
        [
            "RCLONE_CONFIG": scratch.path("rclone.conf"), "RCLONE_CONFIG_STORE_TYPE": "s3",
            "RCLONE_CONFIG_STORE_PROVIDER": "Other", "RCLONE_CONFIG_STORE_ENDPOINT": base,
            "RCLONE_CONFIG_STORE_ACCESS_KEY_ID": "test", "RCLONE_CONFIG_STORE_SECRET_ACCESS_KEY": "test",
            "RCLONE_CONFIG_STORE_ACL": "public-read", "RCLONE_TRANSFERS": "8", "AWS_CA_BUNDLE": "",
        ]
    }

    /// The program that it runs as; `Tests/run` installs it.
    static let program = ProcessInfo.processInfo.environment["CONCORD_TEST_S3"]

    init() throws {
        scratch = try Scratch()
        port = try ReservedPort()
        base = "http://127.0.0.1:\(port.number)"
        try scratch.write("", to: "rclone.conf")
        process = try startServer(
            [Self.program ?? "", "-H", "127.0.0.1", "-p", "\(port.number)"], log: scratch.path("log"))
        try waitForServer(base, process)
    }

    /// The paths that were put since the store began, in order, without the bucket.
    func puts() throws -> [String] {
        String(decoding: try scratch.read("log"), as: UTF8.self).matches(of: /PUT \/bucket\/([^ ?]+)[ ?]/)
            .map { String($0.output.1) }
    }
}

/// Starts a server that says what it does in a log.
private func startServer(
    _ command: [String], log: String, _ environment: [String: String] = [:]
) throws -> RunningProgram {
    try Program(at: "/bin/sh").start(
        ["-c", #"exec "$@" 2>"$0""#, log] + command, environment: environment)
}

/// Waits until somebody answers there.
private func waitForServer(_ base: String, _ process: RunningProgram) throws {
    let deadline = Date().addingTimeInterval(120)
    while Date() < deadline {
        if (try? WebAnswer(base)) != nil { return }
        guard process.isRunning() else { break }
        usleep(50_000)
    }
    process.send(SIGKILL)
    throw TestError("\(base) does not answer: \(try process.wait().errors)")
}
