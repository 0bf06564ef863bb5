import Foundation
import Synchronization

/// nginx, serving one folder on a loopback port of its own until `stop`, or until the tests' process ends.
///
/// Everything it writes is in `home`: its configuration, `error.log` and `access.log`.
public final class WebServer: Sendable {
    public struct NotStarted: Error, CustomStringConvertible {
        public let description: String
    }

    /// What requests are answered from.
    public let folder: URL
    /// `http://127.0.0.1:PORT`, without a slash at the end; `https:` if it has a certificate.
    public let base: String
    public let home: URL
    /// The certificate that clients must be told to trust; nil for http.
    public let certificate: String?
    private let port: ReservedPort
    /// Held open until the server is to end.
    private let input: FileHandle
    private let process = Mutex<RunningProgram?>(nil)

    /// Serves `folder`, created if missing; a new one inside `home` if nil. `directives` go into the server block, `http` into
    /// the block around it.
    public init(
        serving folder: URL? = nil, directives: String = "", http: String = "", encrypted: Bool = false
    ) throws {
        home = FileManager.default.temporaryDirectory.appending(path: "concord-web-\(UUID().uuidString)")
        self.folder = folder ?? home.appending(path: "www")
        try FileManager.default.createDirectory(at: home, withIntermediateDirectories: true)
        try FileManager.default.createDirectory(at: self.folder, withIntermediateDirectories: true)
        certificate = encrypted ? try Self.makeCertificate(in: home) : nil
        port = try ReservedPort()
        base = "\(encrypted ? "https" : "http")://127.0.0.1:\(port.number)"
        try Self.configuration(self.folder, port.number, directives, http, encrypted: encrypted)
            .write(to: home.appending(path: "nginx.conf"), atomically: true, encoding: .utf8)
        let pipe = home.appending(path: "input").path
        guard mkfifo(pipe, 0o600) == 0 else { throw NotStarted(description: "mkfifo \(pipe)") }
        // For reading too: so it waits for nobody. No program that is started meanwhile gets it.
        let descriptor = open(pipe, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { throw NotStarted(description: "open \(pipe)") }
        input = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        let home = home.path
        try process.withLock { $0 = try Self.start(in: home) }
        guard isThere() else {
            let log = (try? String(contentsOf: self.home.appending(path: "error.log"), encoding: .utf8)) ?? ""
            throw NotStarted(description: "nginx does not start (is nginx-light installed?): \(log)")
        }
    }

    deinit { stop() }

    /// Stops the server and removes `home`. The folder it served stays if it is somewhere else, and nobody else answers
    /// at `base` for as long as this lives.
    public func stop() {
        try? input.close()
        process.withLock {
            _ = try? $0?.wait()
            $0 = nil
        }
        try? FileManager.default.removeItem(at: home)
    }

    /// The lines of the access log so far: `METHOD URI STATUS BYTES CONNECTION PROTOCOL RANGE`.
    public var requests: [String] {
        // A line is written behind the answer, and before the next connection is looked at.
        _ = answersHere()
        let log = try? String(contentsOf: home.appending(path: "access.log"), encoding: .utf8)
        return log?.split(separator: "\n").map(String.init) ?? []
    }

    /// A shell stands between, waiting for its input to end, which it also does when the tests are killed.
    private static func start(in home: String) throws -> RunningProgram {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        return try Program(at: "/bin/sh").start(
            [
                "-c",
                """
                command -v nginx >/dev/null || exit 1
                exec <"$0/input"
                nginx -p "$0" -c nginx.conf -e error.log & read -r _; kill -9 $!; wait
                """, home,
            ], environment: ["PATH": path + ":/usr/sbin:/usr/local/sbin:/opt/homebrew/bin"])
    }

    /// Waits until it answers; false if it ends or takes too long.
    private func isThere() -> Bool {
        let deadline = Date().addingTimeInterval(60)
        while Date() < deadline, process.withLock({ $0?.isRunning() == true }) {
            if answersHere() { return true }
            usleep(10_000)
        }
        return false
    }

    private func answersHere() -> Bool {
        // Plain http even where the server is encrypted: `error_page 497` answers that.
        guard let socket = try? Socket(connectingTo: port.number) else { return false }
        socket.send("GET /.alive HTTP/1.0\r\n\r\n")
        return !socket.receiveAll().isEmpty
    }

    /// One process, as whoever runs the tests, so that it can read what they write.
    private static func configuration(
        _ folder: URL, _ port: UInt16, _ directives: String, _ http: String, encrypted: Bool
    ) -> String {
        """
        daemon off;
        master_process off;
        pid nginx.pid;
        events { worker_connections 512; }
        http {
            log_format short '$request_method $request_uri $status $body_bytes_sent $connection $server_protocol $http_range';
            access_log access.log short;
            client_body_temp_path body;
            proxy_temp_path proxy;
            fastcgi_temp_path fastcgi;
            uwsgi_temp_path uwsgi;
            scgi_temp_path scgi;
            default_type application/octet-stream;
            types {}
            keepalive_requests 100000;
            \(http)
            server {
                listen 127.0.0.1:\(port)\(encrypted ? " ssl http2" : "");
                \(encrypted ? "ssl_certificate certificate.pem; ssl_certificate_key key.pem;" : "")
                \(encrypted ? "error_page 497 =200 /.alive;" : "")
                location = /.alive { access_log off; return 200 "alive"; }
                root "\(folder.path)";
                \(directives)
            }
        }
        """
    }

    private static func makeCertificate(in home: URL) throws -> String {
        let path = home.appending(path: "certificate.pem").path
        let arguments =
            "req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -days 2 -subj /CN=concord"
            .split(separator: " ").map(String.init)
        try Program.installed("openssl").print(
            arguments + [
                "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", home.appending(path: "key.pem").path,
                "-out", path,
            ])
        return path
    }
}
