import Concord
import ConcordFiles
import ConcordTransfers
import ConcordTree
import Foundation

/// The way from agreement to an installed set: statements → manifest → shards, patches and deltas → states → pointer.
///
/// Authorities agree on the newest statement; what it pins needs nobody's signature. What is installed is gone on from: the
/// files since come, and where a new epoch has begun its snapshot is made here, of what was held and what came, and held
/// to the manifest. At the end the MuHash of every shard that is held must be the one that the agreed statement names.
/// Files have the names of the blocks they belong to, so that what an earlier run fetched is kept and what it began is
/// gone on with; the pointer changes last.
public final class SetFetch {
    private let report: Survey.Report
    private let agreed: Statement
    private let blocks: [BlockID]
    /// What the header of the first block of the agreed one's epoch says of its time.
    private let startTime: Int64
    private let reader: TreeReader
    private let lanes: ShardLanes
    private let folder: Folder
    private let log: AttestationLog
    /// Trees of authorities that agree and did well just now.
    private let places: [TreeReader.Place]
    /// All others.
    private let fallbacks: [TreeReader.Place]
    private let agreeing: [Authority]
    /// What hosts served instead of the small files.
    private var faults: [Fault] = []
    private var parameters: TreeParameters { agreed.parameters }

    /// What came differs from what these authorities were seen to sign of a block before. The log has what they signed.
    public struct Contradicted: Error {
        public let block: BlockID
    }

    public struct Result: Sendable {
        public let bytes: Int
        /// What hosts did wrong although it was fetched from others.
        public let faults: [Fault]
        public let shards: Int
        public let patches: Int
        public let deltas: Int
        /// Patches and deltas of which only sections came.
        public let sections: Int
        /// The height that was installed and gone on from; nil where it began with a snapshot.
        public let base: Int?
        /// The filters that came.
        public let filters: Int
        /// The shards that are held from now on; all if nil.
        public let held: [Int]?
        /// The shards that are followed by their sections alone.
        public let followed: [Int]

        /// What came in this round and the next one together.
        func joined(_ next: Result) -> Result {
            Result(
                bytes: max(bytes, next.bytes), faults: faults + next.faults, shards: shards + next.shards,
                patches: patches + next.patches, deltas: deltas + next.deltas,
                sections: sections + next.sections, base: base, filters: filters + next.filters,
                held: next.held, followed: next.followed)
        }
    }

    /// What is told while it goes on.
    public enum Event: Sendable {
        /// Statements on the way down from the agreed one.
        case statements(done: Int, of: Int, bytes: Int)
        /// Shards, patches and deltas.
        case files(done: Int, of: Int, bytes: Int)
        /// The snapshot of a new epoch is made of what was held.
        case merging(height: Int)
        /// The states of shards are worked out.
        case checking(shards: Int)
    }

    /// - Parameters:
    ///   - report: must have ended in agreement on `agreed`.
    ///   - headers: must have ended with the agreed one on the chain with most work.
    ///   - folder: the network's.
    init(
        _ report: Survey.Report, on agreed: Statement, _ headers: HeaderSurvey.Report, log: AttestationLog,
        reader: TreeReader, lanes: ShardLanes, into folder: Folder
    ) {
        blocks = headers.blocks
        precondition(
            blocks.first.map { $0.height <= agreed.epochStart } ?? false && blocks.last == agreed.blockID)
        (self.report, self.agreed, startTime) = (report, agreed, headers.epochTime)
        (self.reader, self.lanes, self.folder, self.log) = (reader, lanes, folder, log)
        let verdicts = zip(report.heard, report.outcome.verdicts)
        agreeing = verdicts.filter { $0.1 == .agrees }.map(\.0.authority)
        // Those that did well just now, then all others.
        let broken = Set(report.heard.flatMap(\.problems).map(\.url))
        let all = (agreeing + report.heard.map(\.authority)).flatMap(\.places)
            .reduce(into: [TreeReader.Place]()) { if !$0.map(\.url).contains($1.url) { $0.append($1) } }
        let good = Set(agreeing.flatMap(\.urls).filter { !broken.contains(WebAddress.shown($0)) })
        let chosen = good.isEmpty ? Set(agreeing.flatMap(\.urls)) : good
        places = all.filter { chosen.contains($0.url) }
        fallbacks = all.filter { !chosen.contains($0.url) }
    }

    private func block(at height: Int) -> BlockID? {
        let place = height - (blocks.first?.height ?? 0)
        return blocks.indices.contains(place) ? blocks[place] : nil
    }

    /// Fetches what is missing and installs it. Throws `NotThere`, `Contradicted`, `StateContradiction`, `CancellationError`,
    /// and what this machine is to blame for.
    func run(_ wants: SetWants, progress: @escaping (Event) -> Void) throws -> Result {
        let counted = SetDownloads(
            reader, lanes, into: folder, parameters, from: places, fallbacks: fallbacks)
        for _ in 0..<Self.maxDamaged {
            do {
                return try run(wants, counted, progress)
            } catch let error as FileError {
                try remove(error)
            } catch let damage as SetDamage {
                guard case .file(let error) = damage.kind else { throw damage }
                try remove(error)
            }
        }
        return try run(wants, counted, progress)
    }

    /// Files of the set that were damaged since they came, and that one run brings again.
    private static let maxDamaged = 64

    /// Removes a damaged file of the set, so that it comes again.
    private func remove(_ error: FileError) throws {
        guard error.isContent || error.isMissing, error.path.hasPrefix(folder.root + "/") else { throw error }
        try folder.remove(String(error.path.dropFirst(folder.root.count + 1)))
    }

    private func run(
        _ wants: SetWants, _ counted: SetDownloads, _ progress: @escaping (Event) -> Void
    ) throws -> Result {
        let old = try? InstalledSet(in: folder)
        var plan = ShardPlan(wants, after: old, parameters)
        var base: Int?
        var known = old?.bases
        if let old, let crossing = crossing(from: old, plan) {
            do {
                if let bases = try crossing.run(progress, counted) {
                    (base, known) = (old.block.height, bases)
                }
            } catch let missing as NotThere
                where missing.faults.contains(where: { $0.isAbsence || $0.isInvalid })
            {
                // Hosts may have removed what is old; then the new snapshot comes.
                faults += missing.faults.filter { !$0.isAbsence }
            }
        }
        let way = try self.way(old, progress)
        let first = way.statements[0]
        if let old, old.snapshot == first.blockID, block(at: old.block.height) == old.block {
            base = old.block.height
        }
        let manifest = try fetchManifest(first)
        if known?.block != first.blockID { known = nil }
        let bases = try settle(
            &plan, known ?? ShardBases(at: first.blockID), manifest, counted, progress)
        let states = SetStates(
            agreed: agreed, before: SnapshotMerge.Before(block: first.blockID, contents: manifest.contents),
            files: way.files, folder: folder)
        try fetchFiles(way, manifest, plan, states, counted, progress)
        if old?.statement != agreed || old?.heldShards != plan.held || counted.count > 0 {
            progress(.checking(shards: plan.held.count))
            try states.check(plan.held, fetchMuHashes())
        }
        try install(way, plan, bases)
        try folder.removeOthers(than: kept(way), in: Self.parents)
        try folder.removeParts()
        return Result(
            bytes: counted.bytes, faults: faults + counted.faults, shards: counted.shards,
            patches: counted.patches, deltas: counted.deltas, sections: counted.sections, base: base,
            filters: counted.filters, held: plan.isWhole ? nil : plan.held, followed: plan.followed)
    }

    /// Decides by filters which shards are held: those where a wanted script may have had a coin at the snapshot and nothing
    /// says that it had none. Gives what is known of all others.
    private func settle(
        _ plan: inout ShardPlan, _ known: ShardBases, _ manifest: Manifest, _ counted: SetDownloads,
        _ progress: @escaping (Event) -> Void
    ) throws -> ShardBases {
        var (bases, unclear) = plan.bases(known, time: startTime)
        try counted.bringFilters(
            unclear.keys.sorted(), of: known.block, manifest, isWhole: plan.wants.takesAllFilters
        ) { progress(.files(done: $0, of: $1, bytes: counted.bytes)) }
        for (shard, scripts) in unclear {
            let filter = try ShardFilter.read(
                folder.path(TreePath.filter(shard, of: known.block)), known.block, manifest.shards[shard])
            if filter.mayHave(scripts).contains(true) {
                plan.hold(shard)
                bases[shard] = nil
            } else {
                for script in scripts { bases[shard]?.cover(script) }
            }
        }
        return bases
    }

    // MARK: statements

    private var pinned: PinnedStatements {
        let store = StatementStore(folder: folder, parameters: parameters)
        return PinnedStatements(
            reader: reader, places: places, fallbacks: fallbacks, kept: { store.statement(of: $0) })
    }

    private func pinned(
        from top: Statement, to base: Int, _ progress: (Event) -> Void
    ) throws -> StatementWay {
        let (way, wrong) = try pinned.way(from: top, to: base, block: { block(at: $0) }) { done, all in
            progress(.statements(done: done, of: all, bytes: reader.received))
        }
        faults += wrong
        try checkLog(way)
        try keep(way)
        return way
    }

    /// What is named by a digest must be what those who name it were seen to sign of the block.
    private func checkLog(_ way: StatementWay) throws {
        for statement in way.statements {
            let block = statement.blockID
            for one in report.heard
            where agreeing.contains(one.authority) && one.view.counts(at: block.height) {
                let seen = try log.recall(block, of: one.authority.key)
                if seen.contains(where: { $0.statement != statement }) {
                    // Whoever has signed it too is in the log then.
                    _ = try? agreeSeparately(on: block)
                    throw Contradicted(block: block)
                }
            }
        }
    }

    /// Writes what of the statements is not here, or was damaged since it came.
    private func keep(_ way: StatementWay) throws {
        let store = StatementStore(folder: folder, parameters: parameters)
        try folder.install(
            try way.statements.dropLast().filter { store.statement(of: $0.blockID) != $0 }
                .map { try store.stage($0) })
    }

    /// The statements from the epoch's snapshot to the agreed one: by way of what is installed, where that needs no more
    /// files than the shortest way.
    private func way(_ held: InstalledSet?, _ progress: (Event) -> Void) throws -> StatementWay {
        let start = agreed.epochStart
        let shortest = try pinned(from: agreed, to: start, progress)
        guard let held, held.snapshot == shortest.statements[0].blockID, held.block.height <= agreed.height,
            block(at: held.block.height) == held.block
        else { return shortest }
        if shortest.statements.contains(held.statement) { return shortest }
        func missing(_ files: [ChangeFile]) throws -> Int {
            try files.count { try !folder.contains($0.path(parameters)) }
        }
        let steps = parameters.steps(from: held.block.height, to: agreed.height).count
        guard try missing(shortest.files) > steps + missing(held.files) else { return shortest }
        let rest = try pinned(from: agreed, to: held.block.height, progress)
        return StatementWay(held.statements.dropLast() + rest.statements) ?? shortest
    }

    // MARK: a new epoch

    /// The way from what is installed to the snapshot of a later epoch, if there is one to go.
    private func crossing(from old: InstalledSet, _ plan: ShardPlan) -> EpochCrossing? {
        let epochs = (agreed.epochStart - old.snapshot.height) / parameters.epoch
        let (held, followed) = (plan.held.filter(old.has), plan.followed.compactMap { old.bases[$0] })
        // Of the whole set, the sooner do changes cost less than a new snapshot the more of it is held.
        let most =
            plan.isWhole
            ? max(1, EpochCrossing.maxEpochs * held.count / parameters.shards) : EpochCrossing.maxEpochs
        guard TreeKind(old.statement) == TreeKind(agreed), epochs > 0, epochs <= most,
            block(at: old.block.height) == old.block, !held.isEmpty || !followed.isEmpty,
            !plan.isWhole || held.count == parameters.shards
        else { return nil }
        return EpochCrossing(
            old: old, start: agreed.epochStart, held: held, followed: followed, folder: folder,
            block: { [self] in block(at: $0) },
            pinned: { [self] in try pinned(from: $0 ?? agreed, to: $1, $2) },
            agreed: { [self] in try agreeSeparately(on: $0) },
            manifest: { [self] in try fetchManifest($0) })
    }

    /// The statement of a block of an earlier epoch, which the agreed one does not pin: everybody who agrees now is asked,
    /// and all who have one must say the same.
    private func agreeSeparately(on block: BlockID) throws -> Statement {
        var (said, wrong): ([SignedAttestation], [Fault]) = ([], [])
        for authority in agreeing {
            let question = TreeQuestion.attestation(of: block, parameters, keys: [authority.key])
            try reader.ask(question, at: authority.places) { [agreed] reply in
                wrong += reply.faults
                guard let signed = reply.answer, TreeKind(signed.statement) == TreeKind(agreed),
                    signed.statement.blockID == block
                else { return }
                said.append(signed)
            }
        }
        try reader.run()
        try log.remember(said)
        for one in report.heard where one.view.counts(at: block.height) {
            said += try log.recall(block, of: one.authority.key)
        }
        guard Set(said.map(\.statement)).count < 2 else { throw Contradicted(block: block) }
        let keys = Set(said.map(\.attestation.key))
        guard let statement = said.first?.statement, keys.count >= min(report.minimum, agreeing.count) else {
            throw NotThere(path: TreePath.attestation(block, parameters), faults: wrong)
        }
        return statement
    }

    // MARK: data

    private func fetchManifest(_ first: Statement) throws -> Manifest {
        guard let root = first.snapshotRoot else { preconditionFailure("the way begins with a snapshot") }
        if let kept = try? Tree(folder.root).manifest(of: first.blockID, parameters: parameters, root: root) {
            return kept
        }
        let manifest = try small(TreeQuestion.manifest(of: first.blockID, parameters, root: root))
        try folder.write(Array(manifest.text.utf8), at: TreePath.manifest(first.blockID))
        return manifest
    }

    private func fetchMuHashes() throws -> ShardMuHashes { try small(TreeQuestion.muhashes(agreed)) }

    /// Asks for a small file that is needed.
    private func small<Answer>(_ question: TreeQuestion<Answer>) throws -> Answer {
        var asking = TreeReader.Asking()
        asking.fallbacks = fallbacks
        let reply = try reader.answer(question, at: places, asking)
        guard let answer = reply.answer else { throw NotThere(path: question.path, faults: reply.faults) }
        // Not to have a file is no fault while another host has it: an authority may attest only.
        faults += reply.faults.filter { !$0.isAbsence }
        return answer
    }

    /// The shards and files that are not here yet. A file is only given its name when it was checked.
    private func fetchFiles(
        _ way: StatementWay, _ manifest: Manifest, _ plan: ShardPlan, _ states: SetStates,
        _ counted: SetDownloads, _ progress: @escaping (Event) -> Void
    ) throws {
        // What was counted stays known, however it ends.
        defer { try? states.save() }
        let tell = { [counted] (done: Int, all: Int) in
            progress(.files(done: done, of: all, bytes: counted.bytes))
        }
        let block = way.statements[0].blockID
        if plan.isWhole {
            return try counted.bringAll(of: block, manifest, way.files, progress: tell) {
                states.note($0, $1.number)
            }
        }
        try counted.bringShards(plan.held, of: block, manifest, progress: tell) {
            states.note($0, $1.number)
        }
        try counted.bringChanges(way.files, for: (plan.held + plan.followed).sorted(), progress: tell)
    }

    private func install(_ way: StatementWay, _ plan: ShardPlan, _ bases: ShardBases) throws {
        let store = StatementStore(folder: folder, parameters: parameters)
        try keep(way)
        for one in report.heard where agreeing.contains(one.authority) {
            for signed in one.attestations where signed.statement == agreed {
                try folder.install(try store.stage(signed))
            }
        }
        let digest = bases.shards.isEmpty ? nil : SHA256.hash(try bases.bytes())
        if digest != nil { try folder.install([bases.stage(in: folder)]) }
        let pointer = InstalledSet.Pointer(
            height: agreed.height, block: agreed.block.reversedHex, shards: plan.isWhole ? nil : plan.held,
            asked: plan.wants.asked, cover: plan.cover.isEmpty ? nil : plan.cover, bases: digest?.hex,
            epochShards: parameters.shards, epochBlocks: parameters.epoch,
            authorities: agreeing.map(\.name.description), witnesses: agreeing.map(\.key.hex),
            way: way.statements.map { TreePath.name($0.blockID) })
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try folder.write([UInt8](try encoder.encode(pointer)), at: InstalledSet.pointer)
    }

    /// What the installed set consists of; what belongs to other epochs, branches or ways is not needed.
    private func kept(_ way: StatementWay) -> Set<String> {
        let first = way.statements[0].blockID
        let attestation = TreePath.attestation(agreed.blockID, parameters)
        let trees = agreeing.map { StatementStore.tree(of: $0.key) }
        return Set(
            [
                "snapshots/\(TreePath.name(first))", ShardNumberFile(folder: folder, block: first).path,
                ShardBases.path(first),
            ]
                + way.files.map { $0.path(parameters) }
                + way.statements.dropLast().map { StatementStore.path($0.blockID) }
                + trees.flatMap { ["\($0)/\(attestation)", "\($0)/\(TreePath.signature(attestation))"] })
    }

    /// The folders of which nothing else is kept.
    private static let parents =
        TreePath.epochFolders + [
            "snapshots", ShardNumberFile.parent, ShardBases.parent, StatementStore.statements,
            StatementStore.authorities,
        ]
}
