import Concord
import ConcordFiles
import ConcordTree

/// Downloads of large files in several turns of one run, and how many of each kind came.
final class CountedDownloads {
    private let make: () -> Downloads
    private(set) var shards = 0
    private(set) var patches = 0
    private(set) var deltas = 0
    var count: Int { shards + patches + deltas }
    /// What hosts did wrong.
    private(set) var faults: [Fault] = []

    init(_ make: @escaping () -> Downloads) { self.make = make }

    /// As `Downloads.run`.
    func run(
        _ questions: [TreeQuestion<Folder.Staged>], progress: @escaping (_ done: Int) -> Void
    ) throws {
        let downloads = make()
        defer { faults += downloads.hostFaults }
        try downloads.run(questions, progress: progress)
        for question in questions {
            switch question.asked {
            case .shard: shards += 1
            case .patch: patches += 1
            case .delta: deltas += 1
            default: break
            }
        }
    }
}
