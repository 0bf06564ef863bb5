import Concord
import ConcordFiles
import ConcordTree

/// Brings what a set needs and counts it: patches and deltas whole, or of them the sections of some shards alone, whichever is
/// fewer bytes; and shards of a snapshot.
///
/// Whole patches and deltas say nothing of the shards that somebody wants. What does is asked for shard by shard, over
/// `ShardLanes`, of one host each.
final class SetDownloads {
    private let reader: TreeReader
    private let lanes: ShardLanes
    private let folder: Folder
    private let parameters: TreeParameters
    private let places: [TreeReader.Place]
    private let fallbacks: [TreeReader.Place]
    private var hosts: ShardHosts
    /// Directories that came.
    private var hints: [ChangeFile: SectionLane.Hint] = [:]
    private(set) var shards = 0
    private(set) var filters = 0
    private(set) var patches = 0
    private(set) var deltas = 0
    /// Patches and deltas of which some sections came.
    private(set) var sections = 0
    var count: Int { shards + filters + patches + deltas + sections }
    /// What hosts did wrong.
    private(set) var faults: [Fault] = []

    /// Body bytes so far.
    var bytes: Int { reader.received + lanes.received }

    init(
        _ reader: TreeReader, _ lanes: ShardLanes, into folder: Folder, _ parameters: TreeParameters,
        from places: [TreeReader.Place], fallbacks: [TreeReader.Place]
    ) {
        (self.reader, self.lanes, self.folder, self.parameters) = (reader, lanes, folder, parameters)
        (self.places, self.fallbacks) = (places, fallbacks)
        hosts = ShardHosts(folder)
    }

    // MARK: shards

    /// Brings all that a whole set needs and is not here. Asking for that says nothing, so all of it comes at once.
    ///
    /// - Parameter count: given what the coins of each shard come to.
    func bringAll(
        of block: BlockID, _ manifest: Manifest, _ files: [ChangeFile],
        progress: @escaping (_ done: Int, _ of: Int) -> Void,
        count: @escaping @Sendable (Int, ShardTotals) -> Void
    ) throws {
        let store = PartialStore(folder: folder, parameters: parameters)
        let missing = try missing(Array(0..<parameters.shards), of: block)
        let questions = missing.map { shard in
            TreeQuestion.shard(shard, of: block, manifest, parameters) { count(shard, $0) }
        }
        try bringWhole(files.filter { !store.isWhole($0) }, with: questions, progress)
        shards += missing.count
    }

    private func missing(_ shards: [Int], of block: BlockID) throws -> [Int] {
        try shards.filter { try !folder.contains(TreePath.shard($0, of: block)) }
    }

    /// Brings shards of a snapshot that are not here, each over its own way. `count` is given what the coins of each come to.
    func bringShards(
        _ wanted: [Int], of block: BlockID, _ manifest: Manifest,
        progress: @escaping (_ done: Int, _ of: Int) -> Void,
        count: @escaping @Sendable (Int, ShardTotals) -> Void
    ) throws {
        let (missing, parameters) = (try missing(wanted, of: block), parameters)
        try bringAlone(missing) { shard in
            .shard(shard, of: block, manifest, parameters) { count(shard, $0) }
        } progress: {
            progress($0, missing.count)
        }
        shards += missing.count
    }

    /// Brings the filters of shards of a snapshot that are not here; where `isWhole`, of all shards, so that asking for them
    /// says nothing.
    func bringFilters(
        _ wanted: [Int], of block: BlockID, _ manifest: Manifest, isWhole: Bool,
        progress: @escaping (_ done: Int, _ of: Int) -> Void
    ) throws {
        if wanted.isEmpty { return }
        let missing = try (isWhole ? Array(0..<parameters.shards) : wanted).filter {
            try !folder.contains(TreePath.filter($0, of: block))
        }
        let question: @Sendable (Int) -> TreeQuestion<Folder.Staged> = { .filter($0, of: block, manifest) }
        if isWhole {
            try bring(missing.map(question)) { progress($0, missing.count) }
        } else {
            try bringAlone(missing, question) { progress($0, missing.count) }
        }
        filters += missing.count
    }

    /// Brings one file of each of some shards, each over its own way.
    private func bringAlone(
        _ shards: [Int], _ question: @escaping @Sendable (Int) -> TreeQuestion<Folder.Staged>,
        progress: (_ done: Int) -> Void
    ) throws {
        let orders = orders(of: shards)
        let folder = folder
        let came = try lanes.run(shards, shared: reader, tell: progress) { shard, reader in
            let order = orders[shard] ?? []
            let downloads = Downloads(
                reader, into: folder, from: Array(order.prefix(1)), fallbacks: Array(order.dropFirst()),
                isHedged: false)
            try downloads.run([question(shard)])
            return (downloads.hostFaults, downloads.lastSource)
        }
        for (shard, (faults, host)) in came {
            self.faults += faults
            if let host { hosts.keep(host, for: shard) }
        }
        try hosts.save()
    }

    private func orders(of shards: [Int]) -> [Int: [TreeReader.Place]] {
        var orders: [Int: [TreeReader.Place]] = [:]
        for shard in shards { orders[shard] = hosts.order(for: shard, places, fallbacks: fallbacks) }
        return orders
    }

    // MARK: patches and deltas

    /// Whether patches and deltas come whole for so many shards.
    func takesWhole(_ shards: Int) -> Bool { shards * 2 > parameters.shards }

    /// Brings of patches and deltas what some shards need and is not here.
    func bringChanges(
        _ files: [ChangeFile], for shards: [Int], progress: @escaping (_ done: Int, _ of: Int) -> Void
    ) throws {
        let store = PartialStore(folder: folder, parameters: parameters)
        if takesWhole(shards.count) {
            return try bringWhole(files.filter { !store.isWhole($0) }, progress)
        }
        let missing = files.reduce(into: [ChangeFile: [Int]]()) { missing, file in
            let lacking = store.missing(shards, of: file)
            if !lacking.isEmpty { missing[file] = lacking }
        }
        if missing.isEmpty { return }
        let hints = try directories(of: missing.keys.sorted { $0.block.height < $1.block.height })
        let inParts = hints.filter { file, hint in isWorthParts(missing[file] ?? [], hint.directory) }
        let (parts, left) = try bringParts(inParts, missing, progress)
        try store.add(parts, nodes: inParts.mapValues(\.directory.nodes), keeping: shards)
        sections += parts.count
        // What no host has by ranges, and what is fewer bytes as a whole.
        let whole = missing.keys.filter { inParts[$0] == nil || left.contains($0) }
        try bringWhole(whole.sorted { $0.block.height < $1.block.height }, progress)
    }

    /// The bytes of a shard's sections in all of these files, with what shows that they are right; nil where the directory of one
    /// cannot be had.
    func sectionBytes(_ files: [ChangeFile], of shard: Int) throws -> Int? {
        let hints = try directories(of: files)
        guard hints.count == files.count else { return nil }
        return hints.values.reduce(0) { $0 + bytes(of: shard, $1.directory) }
    }

    private func bytes(of shard: Int, _ directory: PatchDirectory) -> Int {
        directory.indexFrame(ofRange: parameters.range(ofShard: shard)).range.count
            + directory.sectionFrame(ofShard: shard).range.count
    }

    /// Whether the sections of some shards, with what shows that they are right, are fewer bytes than the file.
    private func isWorthParts(_ shards: [Int], _ directory: PatchDirectory) -> Bool {
        shards.reduce(0) { $0 + bytes(of: $1, directory) } < directory.end
    }

    /// The directories of files, from whichever host has each. Those that no host gives are left out.
    private func directories(of files: [ChangeFile]) throws -> [ChangeFile: SectionLane.Hint] {
        var asking = TreeReader.Asking()
        asking.fallbacks = fallbacks
        for file in files where hints[file] == nil {
            try reader.ask(.directory(file, parameters), at: places, asking) { [self] reply in
                // Hosts without ranges are no worse for it.
                faults += reply.faults.filter(\.isInvalid)
                if let directory = reply.answer, let place = reply.place {
                    hints[file] = SectionLane.Hint(directory: directory, source: place.url)
                }
            }
        }
        try reader.run()
        return hints.filter { files.contains($0.key) }
    }

    private func bringParts(
        _ hints: [ChangeFile: SectionLane.Hint], _ missing: [ChangeFile: [Int]],
        _ progress: (_ done: Int, _ of: Int) -> Void
    ) throws -> (parts: [ChangeFile: [Int: SectionLane.Part]], left: Set<ChangeFile>) {
        let shards = Set(hints.keys.flatMap { missing[$0] ?? [] }).sorted()
        let (orders, parameters) = (orders(of: shards), parameters)
        let came = try lanes.run(shards, shared: reader, tell: { progress($0, shards.count) }) {
            shard, reader in
            try SectionLane(shard: shard, reader: reader, places: orders[shard] ?? [], parameters: parameters)
                .run(hints.filter { missing[$0.key]?.contains(shard) ?? false })
        }
        var parts: [ChangeFile: [Int: SectionLane.Part]] = [:]
        var left: Set<ChangeFile> = []
        for (shard, result) in came {
            for (file, part) in result.parts { parts[file, default: [:]][shard] = part }
            left.formUnion(result.left)
            // To have no ranges is no fault: what is whole comes then.
            faults += result.faults.filter { !$0.isAbsence && $0.kind != .wrongRange }
            if let host = result.host { hosts.keep(host, for: shard) }
        }
        try hosts.save()
        return (parts, left)
    }

    private func bringWhole(
        _ files: [ChangeFile], with others: [TreeQuestion<Folder.Staged>] = [],
        _ progress: @escaping (_ done: Int, _ of: Int) -> Void
    ) throws {
        let questions = others + files.map { TreeQuestion.changes($0, parameters) }
        try bring(questions) { progress($0, questions.count) }
        for file in files {
            if file.span == 1 { patches += 1 } else { deltas += 1 }
        }
    }

    private func bring(
        _ questions: [TreeQuestion<Folder.Staged>], progress: @escaping (_ done: Int) -> Void
    ) throws {
        if questions.isEmpty { return }
        let downloads = Downloads(reader, into: folder, from: places, fallbacks: fallbacks)
        defer { faults += downloads.hostFaults }
        try downloads.run(questions, progress: progress)
    }
}
