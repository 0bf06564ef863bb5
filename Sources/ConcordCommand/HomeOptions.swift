import ArgumentParser
import ConcordConsole
import ConcordFetch
import ConcordTree
import Foundation

/// Where the client keeps what it knows and has fetched.
struct HomeOptions: ParsableArguments {
    @Option(
        name: .customLong("home"),
        help: ArgumentHelp("The client's folder. (default: $CONCORD_HOME, else ~/.concord)", valueName: "dir"))
    var path: String?

    func open() throws -> Home {
        let path =
            path ?? ProcessInfo.processInfo.environment["CONCORD_HOME"].flatMap { $0.isEmpty ? nil : $0 }
            ?? NSHomeDirectory() + "/.concord"
        return try Home(path)
    }
}

extension Home {
    /// The authorities; an empty list ends the command with what to do.
    func someTrust() throws -> TrustList {
        let list = try trustList()
        guard !list.authorities.isEmpty else {
            throw CommandFailure(
                .localFailure,
                "no authorities are known in \(root): add some with «concord trust add NAME KEY URL»")
        }
        return list
    }
}
