import ArgumentParser
import Concord
import ConcordConsole
import ConcordTransfers
import ConcordTree

/// Whether hosts serve what was published.
struct Compare: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Read a tree back from its hosts, and compare it byte for byte with the folder.",
        discussion: """
            All files that change are compared, the newest attestation, MuHashes, patch, deltas and snapshot, and others \
            by chance, more of them with --sample. A cache may be some seconds behind, so what is not right yet is asked \
            for again until --wait is over. Ends with status 4 unless every host serves the tree as it is.
            """)

    /// Lines about one host.
    private static let maxShown = 5

    @Option(help: ArgumentHelp("The folder of the tree.", valueName: "folder"))
    var tree: String
    @Option(help: ArgumentHelp("How long a host may take to serve the newest files.", valueName: "seconds"))
    var wait = 60
    @Option(help: ArgumentHelp("How many files of any age are compared as well.", valueName: "n"))
    var sample = 8
    @Flag(help: "Print JSON.")
    var json = false
    @Argument(help: "Where hosts serve the tree.")
    var urls: [String]

    func validate() throws {
        guard (0...86400).contains(wait) else { throw ValidationError("--wait is 0 to 86400 seconds.") }
        guard (0...100_000).contains(sample) else { throw ValidationError("--sample is 0 to 100000.") }
    }

    func run() throws {
        let paths = try TreeSample(Tree(tree), count: sample).paths
        let progress = ProgressLine(isQuiet: json)
        var hosts: [JSON.Host] = []
        for url in urls {
            let comparison = HostComparison(of: Tree(tree), at: url)
            let faults = try comparison.run(paths, wait: .seconds(wait)) { progress.update($0) }
            let warning = faults.isEmpty ? try comparison.rangeWarning(paths) : nil
            hosts.append(JSON.Host(url: WebAddress.shown(url), faults: faults, warning: warning))
            progress.clear()
            if !json { try say(hosts[hosts.count - 1], of: paths.count, progress) }
        }
        let wrong = hosts.count { !$0.serves }
        let failure =
            wrong == 0
            ? nil : CommandFailure(.noValidBytes, "\(wrong) of \(urls.count) hosts do not serve \(tree)")
        if json {
            try printJSON(
                JSON(
                    tree: tree, network: try Tree(tree).authority().network.rawValue, files: paths.count,
                    hosts: hosts, error: failure.map { .init($0) }))
        }
        if let failure { throw failure.printed }
    }

    private func say(_ host: JSON.Host, of files: Int, _ progress: ProgressLine) throws {
        for fault in host.faults.prefix(Self.maxShown) { progress.say(fault) }
        if host.faults.count > Self.maxShown {
            progress.say("and \(host.faults.count - Self.maxShown) more")
        }
        if let warning = host.warning { progress.say("warning: \(warning)") }
        try Output.say(
            host.serves
                ? "\(host.url) serves the tree: \(files) files are the same"
                : "\(host.url) does not serve the tree: \(host.faults.count) of \(files) files are wrong")
    }

    private struct JSON: Encodable {
        struct Host: Encodable {
            let url: String
            let serves: Bool
            /// One a file.
            let faults: [String]
            let warning: String?

            init(url: String, faults: [String], warning: String?) {
                self.url = url
                serves = faults.isEmpty
                self.faults = faults
                self.warning = warning
            }
        }
        let tree, network: String
        /// So many were compared at each host.
        let files: Int
        let hosts: [Host]
        let error: FailureJSON.Description?
    }
}
