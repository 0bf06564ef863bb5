import Concord
import ConcordFiles
import ConcordTransfers

/// Brings files of a tree to a folder from whichever of several hosts has them as they were signed. Each is checked before
/// it gets its name, and gets it soon after: what has come stays, however the run ends.
final class Downloads {
    private let reader: TreeReader
    private let folder: Folder
    private let places: [TreeReader.Place]
    private let fallbacks: [TreeReader.Place]
    /// `TreeReader.Asking.deadline`.
    private let deadline: Duration?
    /// `TreeReader.Asking.isHedged`.
    private let isHedged: Bool
    private var staged: [Folder.Staged] = []
    private var lastInstall = ContinuousClock.now
    /// What hosts did wrong with files that came from others.
    private(set) var faults: [Fault] = []
    /// Files that came from each host.
    private var served: [String: Int] = [:]
    /// The URL of the tree that the last file came from.
    private(set) var lastSource: String?
    /// The first file that no host had.
    private var missing: NotThere?

    /// Files installed at a time: so many, or what has come in so long.
    private static let group = 128
    private static let interval: Duration = .seconds(1)

    /// `fallbacks` are asked where none of `places` has a file.
    init(
        _ reader: TreeReader, into folder: Folder, from places: [TreeReader.Place],
        fallbacks: [TreeReader.Place] = [], deadline: Duration? = nil, isHedged: Bool = true
    ) {
        (self.reader, self.folder, self.places, self.fallbacks) = (reader, folder, places, fallbacks)
        (self.deadline, self.isHedged) = (deadline, isHedged)
    }

    /// Fetches, checks and installs all files. `progress` is told the number that came.
    ///
    /// - Parameter last: a file to be installed after them; then all get their names together, or none does.
    /// - Throws: `NotThere` where no host had one of them; the others are fetched all the same.
    func run(
        _ questions: [TreeQuestion<Folder.Staged>], with last: Folder.Staged? = nil,
        progress: @escaping (_ done: Int) -> Void = { _ in }
    ) throws {
        var asking = TreeReader.Asking()
        (asking.folder, asking.fallbacks, asking.deadline) = (folder, fallbacks, deadline)
        asking.isHedged = isHedged
        var done = 0
        for question in questions {
            try reader.ask(question, at: places, asking) { [self] reply in
                guard let file = reply.answer, let place = reply.place else {
                    missing = missing ?? NotThere(path: question.path, faults: reply.faults)
                    return
                }
                faults += reply.faults
                lastSource = place.url
                served[WebAddress.shown(place.url), default: 0] += 1
                staged.append(file)
                done += 1
                if last == nil { try installSome() }
            }
        }
        // What was checked is kept, however it ends, unless it is to be whole.
        defer { if last == nil { try? install() } }
        try reader.run {
            progress(done)
            if last == nil { try installSome() }
        }
        progress(done)
        if let missing { throw missing }
        if let last { staged.append(last) }
        try install()
    }

    /// What hosts did wrong. One that has none of the files and says nothing else does not count: an authority may attest
    /// only.
    var hostFaults: [Fault] { faults.filter { !$0.isAbsence || served[$0.url] != nil } }

    /// Installs what has come, where it is much or has waited for a while.
    private func installSome() throws {
        guard !staged.isEmpty,
            staged.count >= Self.group || ContinuousClock.now - lastInstall >= Self.interval
        else { return }
        try install()
    }

    private func install() throws {
        try folder.install(staged)
        staged.removeAll()
        lastInstall = .now
    }
}

/// No host had what was needed.
public struct NotThere: Error, Sendable {
    /// The file's path in the tree.
    public let path: String
    /// What each host served instead.
    public let faults: [Fault]
}
