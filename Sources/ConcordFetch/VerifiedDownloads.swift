import Concord
import ConcordFiles
import ConcordTransfers
import ConcordTree
import Foundation
import Synchronization

/// Downloads many files of a tree from several hosts, and believes none: each is checked on another thread while the
/// next ones come, and one that does not pass is fetched from another host.
final class VerifiedDownloads {
    /// A file that is wanted.
    struct Wanted: Sendable {
        /// Its path in the tree, on the hosts and here.
        let path: String
        /// The most bytes it can have as it comes.
        let limit: Int
        /// Throws unless the file at this path is what was signed.
        let check: @Sendable (_ path: String) throws -> Void
    }

    /// A host that served a file that is not what was signed, or did not serve it.
    struct Fault: Sendable {
        /// Of the tree.
        let url: String
        /// In words that name the file.
        let text: String

        /// A local file's path is left out of the words.
        init(_ url: String, _ path: String, _ error: any Error) {
            self.url = url
            let words = (error as? FileError)?.message ?? "\(error)"
            text = error is Failure ? words : "\(WebAddress.shown(url))/\(path): \(words)"
        }
    }

    /// No host had the file.
    struct NoHost: Error, CustomStringConvertible {
        let path: String
        let faults: [Fault]

        var description: String {
            "no host had valid bytes for \(path):" + faults.map { "\n  \($0.text)" }.joined()
        }
    }

    private struct Job: Sendable {
        let index: Int
        /// The hosts that were asked, the last one now.
        var asked: [Int] = []
        var faults: [Fault] = []
        var temporary = ""
    }

    private let transfers: Transfers
    private let folder: Folder
    private let hosts: [String]
    /// How many of the hosts, from the first, are likely to have everything.
    private let preferred: Int
    /// How often each host could not be reached, or served something else than what was signed.
    private var strikes: [Int]
    /// How many files each host served as they were signed, and how many it has not got.
    private var served: [Int]
    private var absent: [Int]
    /// Checked files that wait to be installed together.
    private var staged: [Folder.Staged] = []
    private var all: [Fault] = []

    /// What hosts did wrong. One that has none of the files, and was never wrong, does not count: an authority may attest
    /// only.
    var faults: [Fault] {
        let without = Set(
            hosts.indices.lazy.filter { self.hasNoData($0) && self.strikes[$0] == 0 }.map { self.hosts[$0] })
        return all.filter { !without.contains($0.url) }
    }

    /// Files installed at a time: so many, or what has come in so long, so that a run that is killed loses little.
    private static let group = 128
    private static let interval: Duration = .seconds(1)
    private var lastInstall = ContinuousClock.now

    /// `hosts` are URLs of trees; the first `preferred` share the work, the others are asked when those fail.
    init(_ transfers: Transfers, into folder: Folder, hosts: [String], preferred: Int) {
        self.transfers = transfers
        self.folder = folder
        self.hosts = hosts
        self.preferred = preferred
        strikes = .init(repeating: 0, count: hosts.count)
        served = strikes
        absent = strikes
    }

    /// Fetches, checks and installs all files. `progress` is told the number installed and the bytes received.
    ///
    /// - Parameter last: a file to be installed after them; then all get their names together, or none does.
    func run(
        _ files: [Wanted], with last: Folder.Staged? = nil, progress: (_ done: Int, _ bytes: Int) -> Void
    ) throws {
        let checks = OperationQueue()
        checks.maxConcurrentOperationCount = Parallel.cores
        let checked = Mutex<[(Job, (any Error)?)]>([])
        var open = files.indices.reversed().map { Job(index: $0) }
        var pending = 0
        var done = 0
        let transfers = transfers
        defer { checks.waitUntilAllOperationsAreFinished() }

        func settle() throws {
            let results = checked.withLock { list in
                defer { list.removeAll() }
                return list
            }
            for (job, error) in results {
                pending -= 1
                if let error {
                    strikes[job.asked.last ?? 0] += 1
                    try again(job, error)
                } else {
                    served[job.asked.last ?? 0] += 1
                    staged.append(Folder.Staged(temporary: job.temporary, path: files[job.index].path))
                    done += 1
                    progress(done, transfers.received)
                }
            }
            if last == nil, staged.count >= Self.group || ContinuousClock.now - lastInstall >= Self.interval {
                try install()
            }
        }

        func again(_ job: Job, _ error: any Error) throws {
            let fault = Fault(hosts[job.asked.last ?? 0], files[job.index].path, error)
            all.append(fault)
            folder.discard(Folder.Staged(temporary: job.temporary, path: ""))
            var job = job
            job.faults.append(fault)
            guard job.asked.count < hosts.count else {
                throw NoHost(path: files[job.index].path, faults: job.faults)
            }
            open.append(job)
        }

        // What was checked is kept, however it ends, unless it is to be whole.
        defer { if last == nil { try? install() } }
        try transfers.run { () throws -> Transfers.Next<Job> in
            try settle()
            // What has come and is not checked yet waits on the disk; do not let it grow without end.
            if pending > 64 { return .wait }
            guard var job = open.popLast() else { return pending > 0 ? .wait : .finished }
            job.temporary = try folder.temporaryPath()
            let host = nextHost(for: job)
            job.asked.append(host)
            let file = files[job.index]
            return .request(
                Request(
                    "\(hosts[host])/\(file.path)", limit: file.limit, to: .file(job.temporary),
                    deadline: .seconds(120 + file.limit / 20_000)), job)
        } done: { job, result in
            switch result {
            case .failure(let failure):
                if failure.isLocal { throw failure }
                if failure.kind == .notFound {
                    absent[job.asked.last ?? 0] += 1
                } else {
                    strikes[job.asked.last ?? 0] += 1
                }
                try again(job, failure)
            case .success:
                pending += 1
                let check = files[job.index].check
                checks.addOperation {
                    let error = Result { try check(job.temporary) }.failure
                    checked.withLock { $0.append((job, error)) }
                    transfers.wake()
                }
            }
            progress(done, transfers.received)
        }
        if let last { staged.append(last) }
        try install()
    }

    private func install() throws {
        try folder.install(staged)
        staged.removeAll()
        lastInstall = .now
    }

    private func hasNoData(_ host: Int) -> Bool { served[host] == 0 && absent[host] >= 3 }

    /// A host that was not asked for this file: preferred ones first, taken in turn from file to file; those that
    /// failed a few times last.
    private func nextHost(for job: Job) -> Int {
        let rank = { (host: Int) in
            (
                self.strikes[host] < 3 && !self.hasNoData(host) ? 0 : 1, host < self.preferred ? 0 : 1,
                (host + job.index) % self.hosts.count
            )
        }
        return hosts.indices.filter { !job.asked.contains($0) }.min { rank($0) < rank($1) } ?? 0
    }
}

extension VerifiedDownloads.Wanted {
    /// A shard of the snapshot that a manifest lists.
    static func shard(_ shard: Int, of block: BlockID, _ manifest: Manifest) -> Self {
        let line = manifest.shards[shard]
        return Self(
            path: TreePath.shard(shard, of: block),
            limit: ZstdDecompressor.maxBytes(canonical: Int(line.bytes))
        ) {
            var reader = try ShardReader($0, expected: line)
            try reader.check()
        }
    }

    /// The patch that a statement names.
    static func patch(_ statement: Statement) -> Self {
        Self(
            path: TreePath.patch(statement.blockID, statement.parameters),
            limit: ZstdDecompressor.maxBytes(
                canonical: PatchIndex.maxBytes(shards: statement.parameters.shards))
        ) {
            var buffer = ByteBuffer(capacity: 1 << 20)
            try PatchFile.check($0, is: statement, with: &buffer)
        }
    }
}

extension Result {
    fileprivate var failure: Failure? {
        if case .failure(let error) = self { error } else { nil }
    }
}
