import ArgumentParser
import Concord
import ConcordConsole
import ConcordClient
import ConcordFiles
import ConcordTransfers
import ConcordTree
import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Where the client keeps what it knows and has fetched.
struct HomeOptions: ParsableArguments {
    @Option(
        name: .customLong("home"),
        help: ArgumentHelp("The client's folder. (default: $CONCORD_HOME, else ~/.concord)", valueName: "dir")
    )
    var path: String?

    /// For commands that change something.
    func open() throws -> Home { try Home(folder()) }

    /// For commands that only look.
    func openForReading() throws -> Home { try Home(reading: folder()) }

    func folder() throws -> String {
        let environment = ProcessInfo.processInfo.environment.filter { !$0.value.isEmpty }
        if let folder = path ?? environment["CONCORD_HOME"] { return folder }
        guard let home = environment["HOME"] ?? Self.homeOfUser else {
            throw CommandFailure(
                .localFailure,
                "there is no HOME, and this user is not in the system's list: say with --home or CONCORD_HOME where the "
                    + "client's folder is")
        }
        return home + "/.concord"
    }

    private static var homeOfUser: String? {
        getpwuid(getuid()).flatMap { $0.pointee.pw_dir.map { String(cString: $0) } }
    }
}

/// How patient the client is with hosts.
struct HostOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Give up on a host that sends next to nothing for so long. (default: 30)", valueName: "seconds"))
    var timeout: Int?
    @Option(
        help: ArgumentHelp(
            "Go on for so long with a host that asks for fewer requests, or for a pause. (default: 120)",
            valueName: "seconds"))
    var patience: Int?

    @Option(
        help: ArgumentHelp(
            "Ask through this proxy, such as socks5h://127.0.0.1:9050 of Tor. (default: that of the environment)",
            valueName: "url"))
    var proxy: String?

    func validate() throws {
        guard proxy.map({ Proxy($0) != nil }) ?? true else {
            throw ValidationError(
                "--proxy is socks5h://HOST:PORT, or with socks5, socks4a, socks4, http or https in front.")
        }
        guard patience.map({ (1...86_400).contains($0) }) ?? true else {
            throw ValidationError("--patience is 1 to 86400 seconds.")
        }
        guard timeout.map({ (1...3600).contains($0) }) ?? true else {
            throw ValidationError("--timeout is 1 to 3600 seconds.")
        }
    }

    /// Behind a proxy that can keep requests apart, each has a circuit of its own.
    func transport() -> any Transport {
        var settings = CurlTransport.Settings()
        settings.proxy = proxy.flatMap { Proxy($0)?.isolated }
        if let timeout { settings.connect = min(settings.connect, .seconds(timeout)) }
        return SchemeTransport(web: CurlTransport(settings))
    }

    var settings: TreeReader.Settings {
        var settings = TreeReader.Settings()
        settings.isCancelled = { StopSignal.isStopping }
        if let timeout { settings.timeout = .seconds(timeout) }
        if let patience { settings.patience = .seconds(patience) }
        return settings
    }

    func reader() -> TreeReader { TreeReader(transport(), settings) }
}

/// How much work the chain must have.
struct WorkOptions: ParsableArguments {
    @Flag(
        name: .customLong("allow-low-work"),
        help:
            "Take a chain with less work than the network's is known to have: for chains made to test with."
    )
    var allowsLowWork = false
}

extension HomeOptions {
    /// A client that tells its progress in one line.
    func client(_ hosts: HostOptions, _ progress: ProgressLine) throws -> Client {
        // What is wrong with CONCORD_NOW is said before anything is begun.
        let now = try Clock.now()
        let clock: @Sendable () -> Int64 = { (try? Clock.now()) ?? now }
        return try Client(
            home: folder(), transport: hosts.transport(), alone: { hosts.transport() },
            settings: hosts.settings,
            clock: clock
        ) { progress.tell($0) }
    }
}

extension ProgressLine {
    func tell(_ event: ClientEvent) {
        switch event {
        case .trustnetFault(let fault): say("warning: \(fault)")
        case .walking(let name, let height): update("\(name): gone down its headers to height \(height)")
        case .searching: update("looking for what differs first")
        case .headers(let height, let all): update("followed the headers to height \(height) of \(all)")
        case .fetching(.statements(let done, let all, let bytes)):
            update("fetched \(done) of \(all) statements, \(bytes) bytes")
        case .fetching(.files(let done, let all, let bytes)):
            update("fetched \(done) of \(all) files, \(bytes) bytes")
        case .fetching(.merging(let height)):
            update("making the snapshot of height \(height) from what was here and the changes since")
        case .fetching(.checking(let shards)):
            update("working out the MuHash of \(shards) shards")
        }
    }
}
