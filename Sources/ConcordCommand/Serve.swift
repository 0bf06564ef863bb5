import ArgumentParser
import Concord
import ConcordConsole
import ConcordClient
import ConcordServe
import Dispatch
import Foundation
import Synchronization

struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Answer programs on this machine from what was fetched.",
        discussion: """
            Speaks two languages at one port of 127.0.0.1, of the set that `concord fetch` brought; nobody is asked. \
            Esplora's paths, by GET: /address/:address/utxo, /scripthash/:hash/utxo, /blocks/tip/height, /blocks/tip/hash, \
            /block/:hash/header, /block-height/:height. Bitcoin Core's JSON-RPC, by POST to /, with the cookie in the \
            client's folder: scantxoutset, gettxoutsetinfo, getblockchaininfo, getblockhash, getblockheader, \
            getblockcount, getbestblockhash, uptime, help.
            What needs transactions, history, blocks, a mempool or fees is refused, and nothing is broadcast. Web pages of \
            other origins get no answer. A later `concord fetch` is noticed with the next request. Ends upon SIGINT or \
            SIGTERM.
            """)

    @OptionGroup var home: HomeOptions
    @Option(help: "The network, if sets of several were fetched.", transform: NetworkName.parse)
    var network: Network?
    @Option(help: ArgumentHelp("The port; 0 for any that is free.", valueName: "port"))
    var port = 3000
    @OptionGroup var despite: DespiteOptions

    func validate() throws {
        guard UInt16(exactly: port) != nil else { throw ValidationError("--port is 0 to 65535.") }
    }

    func run() throws {
        // What is wrong with CONCORD_NOW is said before anything is begun.
        let now = try Clock.now()
        let folder = try home.folder()
        let opened = try home.openForReading()
        let chosen = try opened.installed(network).statement.network
        try despite.pass(try opened.contradiction(on: chosen))
        let served = try ServedHome(
            folder, network: chosen, despiteContradiction: despite.isAllowed)
        let cookie = Cookie()
        let service = Service(
            served, cookie: cookie, now: { (try? Clock.now()) ?? now }, describe: Self.words)
        let server = LoopbackServer { service.answer($0) }
        StopSignal.catchSignals()
        let port = try listen(server)
        let cookieFile = folder + "/.cookie"
        try cookie.write(to: cookieFile)
        defer { cookie.remove(from: cookieFile) }
        try say(served, port, cookieFile)
        while !StopSignal.isStopping { usleep(50_000) }
        service.cancel()
        try Self.wait { await server.stop() }
    }

    private func listen(_ server: LoopbackServer) throws -> UInt16 {
        let wanted = UInt16(port)
        do {
            return try Self.wait { try await server.start(port: wanted) }
        } catch {
            throw CommandFailure(
                .localFailure,
                "cannot listen at port \(port) of 127.0.0.1: \(error.localizedDescription). --port chooses another"
            )
        }
    }

    private func say(_ served: ServedHome, _ port: UInt16, _ cookieFile: String) throws {
        let (block, authorities) = try served.installed()
        try Output.say(
            """
            serving the set of \(served.network.rawValue) at height \(block.height), block \(block.hash.reversedHex), \
            \(CoinAnswer.agreed(authorities))
            Esplora   http://127.0.0.1:\(port)
            JSON-RPC  bitcoin-cli -rpcport=\(port) -rpccookiefile=\(cookieFile.shellWord)
            """)
    }

    /// Why there is no answer.
    private static func words(_ error: any Error) -> String {
        switch error {
        case ServeError.contradicted(let contradiction): contradiction.text
        case ServeError.noHeaders:
            "the headers up to the installed block are not here, or have left it for another branch: run `concord fetch`"
        default: CommandFailure(ofClient: error)?.description ?? "\(error)"
        }
    }

    /// Waits for something that takes its time on other threads.
    private static func wait<Value: Sendable>(
        _ body: @escaping @Sendable () async throws -> Value
    ) throws -> Value {
        let done = DispatchSemaphore(value: 0)
        let result = Mutex<Result<Value, any Error>>(.failure(CancellationError()))
        Task {
            let ended: Result<Value, any Error>
            do { ended = .success(try await body()) } catch { ended = .failure(error) }
            result.withLock { $0 = ended }
            done.signal()
        }
        done.wait()
        return try result.withLock { $0 }.get()
    }
}
