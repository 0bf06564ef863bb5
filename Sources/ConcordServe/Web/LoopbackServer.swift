import FlyingFox
import FlyingSocks
import Foundation

/// Answers HTTP requests of this machine, at 127.0.0.1 and nowhere else.
public actor LoopbackServer {
    private let handler: WebHandler
    private let patience: Duration
    private var serving: Task<Void, Never>?
    private var server: HTTPServer?
    /// The port that it listens at, once it does.
    private var port: UInt16?
    /// Why it does not.
    private var failure: (any Error)?

    /// - Parameters:
    ///   - patience: how long a connection may neither send nor take anything (Bitcoin Core's `-rpcservertimeout`).
    ///   - answer: gives the answer to a request; may block.
    public init(
        patience: Duration = .seconds(30), answer: @escaping @Sendable (WebRequest) -> WebAnswer
    ) {
        (self.patience, handler) = (patience, WebHandler(answer))
    }

    /// Begins to listen.
    ///
    /// - Parameter port: 0 for any that is free.
    /// - Returns: the port.
    /// - Throws: what the system says, like that the port is in use.
    public func start(port: UInt16) async throws -> UInt16 {
        serving = Task { await serve(at: port) }
        while true {
            if let failure { throw failure }
            if case .ip4(_, let chosen)? = await server?.listeningAddress {
                self.port = chosen
                return chosen
            }
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    /// Closes all connections. Answers that are being worked on are waited for.
    public func stop() async {
        serving?.cancel()
        await serving?.value
    }

    /// Serves until it is cancelled. What else ends a server that listened is that the process has no more files to open: then
    /// all connections go, and another server takes the port.
    private func serve(at port: UInt16) async {
        while !Task.isCancelled {
            do {
                let server = try make(port: self.port ?? port)
                self.server = server
                try await server.run()
            } catch {
                guard self.port != nil else { return failure = error }
            }
            try? await Task.sleep(for: .milliseconds(200))
        }
    }

    private func make(port: UInt16) throws -> HTTPServer {
        // Long answers are no reason to end a connection, so that the server's own time for one is a day.
        let configuration = HTTPServer.Configuration(
            address: try .inet(ip4: "127.0.0.1", port: port), timeout: 86_400,
            sharedRequestReplaySize: WebRequest.maxBody,
            pool: ImpatientPool(pool: HTTPServer.defaultPool(), patience: patience), logger: .disabled)
        return HTTPServer(config: configuration, handler: handler)
    }
}
