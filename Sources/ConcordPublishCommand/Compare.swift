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
            All files that change are compared, the newest attestation, patch and snapshot, and others by chance, more of \
            them with --sample. A cache may be some seconds behind, so what is not right yet is asked for again until \
            --wait is over. Ends with status 4 unless every host serves the tree as it is.
            """)

    /// Lines about one host.
    private static let mostShown = 5

    @Option(help: ArgumentHelp("The folder of the tree.", valueName: "folder"))
    var tree: String
    @Option(help: ArgumentHelp("How long a host may take to serve the newest files.", valueName: "seconds"))
    var wait = 60
    @Option(help: ArgumentHelp("How many files of any age are compared as well.", valueName: "n"))
    var sample = 8
    @Argument(help: "Where hosts serve the tree.")
    var urls: [String]

    func validate() throws {
        guard (0...86400).contains(wait) else { throw ValidationError("--wait is 0 to 86400 seconds.") }
        guard (0...100_000).contains(sample) else { throw ValidationError("--sample is 0 to 100000.") }
    }

    func run() throws {
        let paths = try TreeSample(Tree(tree), count: sample).paths
        let progress = ProgressLine()
        var wrong = 0
        for url in urls {
            let host = HostComparison(of: Tree(tree), at: url)
            let faults = try host.run(paths, wait: .seconds(wait)) { progress.update($0) }
            for fault in faults.prefix(Self.mostShown) { progress.say(fault) }
            if faults.count > Self.mostShown { progress.say("and \(faults.count - Self.mostShown) more") }
            if let warning = faults.isEmpty ? try host.rangeWarning(paths) : nil { progress.say(warning) }
            progress.clear()
            print(
                faults.isEmpty
                    ? "\(WebAddress.shown(url)) serves the tree: \(paths.count) files are the same"
                    : "\(WebAddress.shown(url)) does not serve the tree: \(faults.count) of \(paths.count) files are wrong"
            )
            if !faults.isEmpty { wrong += 1 }
        }
        if wrong > 0 {
            throw CommandFailure(.noValidBytes, "\(wrong) of \(urls.count) hosts do not serve \(tree)")
        }
    }
}
