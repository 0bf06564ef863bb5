import Foundation

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
    private let process: Process
    private let input: Pipe

    /// Serves `folder`, created if missing; a new one inside `home` if nil. `directives` go into the server block.
    public init(serving folder: URL? = nil, directives: String = "", encrypted: Bool = false) throws {
        home = FileManager.default.temporaryDirectory.appending(path: "concord-web-\(UUID().uuidString)")
        self.folder = folder ?? home.appending(path: "www")
        try FileManager.default.createDirectory(at: home, withIntermediateDirectories: true)
        try FileManager.default.createDirectory(at: self.folder, withIntermediateDirectories: true)
        certificate = encrypted ? try Self.makeCertificate(in: home) : nil

        // Between the choice of a port and nginx taking it, somebody else may.
        for _ in 1...5 {
            let port = try Socket.freePort()
            let token = UUID().uuidString
            try Self.configuration(self.folder, port, token, directives, encrypted: encrypted)
                .write(to: home.appending(path: "nginx.conf"), atomically: true, encoding: .utf8)
            let (process, input) = try Self.start(in: home)
            if Self.waits(for: process, at: port, token: token) {
                self.process = process
                self.input = input
                base = "\(encrypted ? "https" : "http")://127.0.0.1:\(port)"
                return
            }
            try? input.fileHandleForWriting.close()
            process.waitUntilExit()
        }
        let log = (try? String(contentsOf: home.appending(path: "error.log"), encoding: .utf8)) ?? ""
        throw NotStarted(description: "nginx does not start (is nginx-light installed?): \(log)")
    }

    /// Stops the server and removes `home`. The folder it served stays if it is somewhere else.
    public func stop() {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
        try? FileManager.default.removeItem(at: home)
    }

    /// The lines of the access log so far: `METHOD URI STATUS BYTES CONNECTION`.
    public var requests: [String] {
        let log = try? String(contentsOf: home.appending(path: "access.log"), encoding: .utf8)
        return log?.split(separator: "\n").map(String.init) ?? []
    }

    /// The same, once there are so many: the server writes its log after its answer.
    public func requests(atLeast count: Int) -> [String] {
        for _ in 0..<500 where requests.count < count { usleep(10_000) }
        return requests
    }

    /// A shell stands between, waiting for its input to end, which it also does when the tests are killed. SIGKILL,
    /// because children inherit the signals that the tests' threads block, and SIGTERM is one of them.
    private static func start(in home: URL) throws -> (Process, Pipe) {
        let process = Process()
        let input = Pipe()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = [
            "-c",
            """
            command -v nginx >/dev/null || exit 1
            nginx -p "$0" -c nginx.conf -e error.log 2>>start.log & read -r _; kill -9 $!
            """, home.path,
        ]
        process.currentDirectoryURL = home
        var environment = ProcessInfo.processInfo.environment
        environment["PATH", default: ""] += ":/usr/sbin:/usr/local/sbin:/opt/homebrew/bin"
        process.environment = environment
        process.standardInput = input
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        return (process, input)
    }

    private static func waits(for process: Process, at port: UInt16, token: String) -> Bool {
        // Plain http even where the server is encrypted: `error_page 497` answers that.
        for _ in 0..<200 where process.isRunning {
            if let socket = try? Socket(connectingTo: port) {
                socket.send("GET /.alive HTTP/1.0\r\n\r\n")
                let answer = socket.receiveAll()
                if answer.contains(token) { return true }
                if !answer.isEmpty { return false }
            }
            usleep(25_000)
        }
        return false
    }

    /// One process, as whoever runs the tests, so that it can read what they write.
    private static func configuration(
        _ folder: URL, _ port: UInt16, _ token: String, _ directives: String, encrypted: Bool
    ) -> String {
        """
        daemon off;
        master_process off;
        pid nginx.pid;
        events { worker_connections 512; }
        http {
            log_format short '$request_method $request_uri $status $body_bytes_sent $connection $server_protocol';
            access_log access.log short;
            client_body_temp_path body;
            proxy_temp_path proxy;
            fastcgi_temp_path fastcgi;
            uwsgi_temp_path uwsgi;
            scgi_temp_path scgi;
            default_type application/octet-stream;
            types {}
            keepalive_requests 100000;
            server {
                listen 127.0.0.1:\(port)\(encrypted ? " ssl http2" : "");
                \(encrypted ? "ssl_certificate certificate.pem; ssl_certificate_key key.pem;" : "")
                \(encrypted ? "error_page 497 =200 /.alive;" : "")
                location = /.alive { access_log off; return 200 "\(token)"; }
                root "\(folder.path)";
                \(directives)
            }
        }
        """
    }

    private static func makeCertificate(in home: URL) throws -> String {
        let path = home.appending(path: "certificate.pem").path
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments =
            "openssl req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -days 2 -subj /CN=concord"
            .split(separator: " ").map(String.init)
            + [
                "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", home.appending(path: "key.pem").path,
                "-out", path,
            ]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw NotStarted(description: "openssl makes no certificate")
        }
        return path
    }
}
