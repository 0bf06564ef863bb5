import ArgumentParser
import Concord
import ConcordChain
import ConcordFiles
import Foundation

/// Where a program reads the chain from.
public struct ChainOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Bitcoin Core's data directory, or any folder with «blocks» in it.", valueName: "dir"))
    var datadir: String?

    @Option(
        help: ArgumentHelp(
            "A running Bitcoin Core node, like http://127.0.0.1:8332. With --datadir too, it gives the blocks that "
                + "are not there.", valueName: "url"))
    var node: String?

    @Option(
        help: ArgumentHelp(
            "The node's cookie. (default: .cookie in the network's folder of --datadir, else of Bitcoin Core's own "
                + "data directory)", valueName: "file"))
    var cookie: String?

    @Option(help: ArgumentHelp("A user of the node, in place of the cookie.", valueName: "name"))
    var user: String?

    @Option(help: ArgumentHelp("A file with that user's password in its first line.", valueName: "file"))
    var passwordFile: String?

    public init() {}

    /// Whether a running node is asked.
    public var hasNode: Bool { node != nil }

    public func validate() throws {
        guard datadir != nil || node != nil else {
            throw ValidationError("give --datadir, --node or both.")
        }
        // The port is the network's, and of no interest here.
        if let node {
            do throws(NodeError) {
                _ = try NodeAddress(node, network: .main)
            } catch {
                throw ValidationError("\(error)")
            }
        }
        guard node != nil || (cookie == nil && user == nil && passwordFile == nil) else {
            throw ValidationError("--cookie, --user and --password-file are about --node.")
        }
        guard cookie == nil || user == nil else {
            throw ValidationError("give --cookie or --user, not both.")
        }
        guard (user == nil) == (passwordFile == nil) else {
            throw ValidationError("--user and --password-file belong together.")
        }
        guard user.map({ !$0.contains(":") && !$0.isEmpty }) ?? true else {
            throw ValidationError("--user is a name without «:».")
        }
    }

    /// What was given, ready to be read.
    ///
    /// - Parameters:
    ///   - cache: the program's own folder, where the scan and the node's headers are kept.
    ///   - progress: shows how far it is read, and what an operator should know.
    public func input(
        network: Network, cache: Folder, _ progress: ProgressLine
    ) throws -> ChainInput {
        let tell: @Sendable (String) -> Void = { progress.say("note: \($0)") }
        var settings = Node.Settings()
        // SIGINT and SIGTERM end every wait for the node.
        settings.isStopping = { StopSignal.isStopping }
        settings.tell = tell
        let node = try node.map {
            Node(
                try NodeAddress($0, network: network), network: network, login: login(network),
                settings: settings)
        }
        return ChainInput(
            datadir: datadir.map(Self.withoutSlash), node: node, network: network, cache: cache, tell: tell
        ) { event in
            switch event {
            case .scanning(let done, let all): progress.update("scanning the block files: \(done) of \(all)")
            case .headers(let done, let all): progress.update("reading the node's headers: \(done) of \(all)")
            }
        }
    }

    private func login(_ network: Network) -> NodeLogin {
        if let user, let passwordFile { return .password(user: user, file: passwordFile) }
        if let cookie { return .cookie([cookie]) }
        return .cookie(in: datadir.map(Self.withoutSlash) ?? Self.standardFolder, network: network)
    }

    /// Bitcoin Core's data directory where it is not told another (`GetDefaultDataDir`).
    private static var standardFolder: String {
        let home = ProcessInfo.processInfo.environment["HOME"].flatMap { $0.isEmpty ? nil : $0 }
        #if os(macOS)
            return (home ?? NSHomeDirectory()) + "/Library/Application Support/Bitcoin"
        #else
            return (home ?? NSHomeDirectory()) + "/.bitcoin"
        #endif
    }

    /// A folder as it was given, without slashes at its end.
    public static func withoutSlash(_ path: String) -> String {
        path.count > 1 && path.hasSuffix("/") ? withoutSlash(String(path.dropLast())) : path
    }
}
