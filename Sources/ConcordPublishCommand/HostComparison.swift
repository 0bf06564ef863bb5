import Concord
import ConcordFiles
import ConcordTransfers
import ConcordTree
import Foundation

/// One host's copy of a tree, held to the folder that it was uploaded from.
struct HostComparison {
    let tree: Tree
    let url: String
    private let transport: any Transport

    /// Files are in memory while they are compared, so few at a time.
    private static let maxAtOnce = 8
    private static let pause: Duration = .seconds(2)

    init(of tree: Tree, at url: String) {
        self.tree = tree
        self.url = url.hasSuffix("/") ? String(url.dropLast()) : url
        var settings = CurlTransport.Settings()
        settings.stall = .seconds(30)
        transport = SchemeTransport(web: CurlTransport(settings))
    }

    /// What is wrong, a line a file: empty once every file was served as it is in the folder. What is not right is asked
    /// for again for as long as `wait` says. Throws what this machine is to blame for.
    func run(_ paths: [String], wait: Duration, tell: (String) -> Void) throws -> [String] {
        let end = ContinuousClock.now + wait
        var wrong = paths
        while true {
            var faults: [(path: String, text: String)] = []
            for start in stride(from: 0, to: wrong.count, by: Self.maxAtOnce) {
                tell("\(WebAddress.shown(url)): comparing file \(start + 1) of \(wrong.count)")
                faults += try faultsOf(wrong[start..<min(start + Self.maxAtOnce, wrong.count)])
            }
            if faults.isEmpty || ContinuousClock.now >= end { return faults.map(\.text) }
            wrong = faults.map(\.path)
            tell("\(WebAddress.shown(url)): \(wrong.count) files are not there yet, like \(wrong[0])")
            Thread.sleep(forTimeInterval: Self.pause / .seconds(1))
        }
    }

    private func faultsOf(_ paths: ArraySlice<String>) throws -> [(path: String, text: String)] {
        let files = try paths.map { path in
            (path, bytes: try File.read(tree.path(path), atMost: .max))
        }
        let requests = files.map { Request("\(url)/\($0)", limit: $1.count) }
        return try zip(files, transport.fetch(requests, atOnce: 4)).compactMap { file, result in
            let (path, bytes) = file
            do {
                let served = try result.get().bytes
                if served == bytes { return nil }
                let same = zip(served, bytes).prefix { $0 == $1 }.count
                return (
                    path,
                    "\(WebAddress.shown(url))/\(path) is not \(tree.path(path)): "
                        + "\(served.count) bytes for \(bytes.count), the same up to byte \(same)"
                )
            } catch let failure as Failure {
                if failure.isLocal { throw failure }
                return (path, "\(failure); in the tree it is \(tree.path(path)) with \(bytes.count) bytes")
            }
        }
    }

    /// What to say of a host that sends whole files for ranges; nil if it does not.
    func rangeWarning(_ paths: [String]) throws -> String? {
        guard let path = paths.first(where: { $0.hasPrefix("headers/") }) else { return nil }
        do {
            _ = try transport.fetch(Request("\(url)/\(path)", limit: 2, range: 1..<3))
            return nil
        } catch {
            if error.isLocal { throw error }
            return
                "\(WebAddress.shown(url)) does not serve ranges of files: whoever fetches has to take all of them"
        }
    }
}
