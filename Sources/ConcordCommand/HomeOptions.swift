import ArgumentParser
import Concord
import ConcordConsole
import ConcordFetch
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
    func openForReading() throws -> Home { Home(reading: try folder()) }

    private func folder() throws -> String {
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
            "Give up on a host that sends nothing for so long. (default: 30)", valueName: "seconds"))
    var timeout: Int?

    func validate() throws {
        guard timeout.map({ (1...3600).contains($0) }) ?? true else {
            throw ValidationError("--timeout is 1 to 3600 seconds.")
        }
    }

    func transfers() -> Transfers {
        var settings = Transfers.Settings()
        if let timeout {
            settings.stall = .seconds(timeout)
            settings.connect = min(settings.connect, settings.stall)
            settings.memoryDeadline = .seconds(2 * timeout)
        }
        return Transfers(settings)
    }
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

extension Home {
    /// The set of the network with this name; of the only one that something was fetched of if nil.
    func chosenSet(_ network: Network?) throws -> InstalledSet {
        let sets = try installed()
        let chosen = network.map { network in sets.filter { $0.statement.network == network } } ?? sets
        guard let set = chosen.first else {
            throw CommandFailure(.localFailure, "nothing was fetched yet: run «concord fetch» first")
        }
        guard chosen.count == 1 else {
            let names = sets.map(\.statement.network.rawValue).joined(separator: ", ")
            throw CommandFailure(
                .usage, "sets of several networks are here (\(names)): choose one with --network")
        }
        return set
    }
}
