import Concord
import ConcordBuild
import ConcordChain
import ConcordConsole
import ConcordFiles
import ConcordPublish
import ConcordTree
import Foundation

/// A run on folders that are opened and locked: once, or again for every change of the chain.
struct PublishRun {
    let options: Run
    let parameters: TreeParameters
    let input: ChainInput
    let tree: Folder
    let data: Folder
    let state: Folder
    let face: TreeMetadata
    /// The MuHash of the set at the tree's first height, if that is known.
    let expected: Digest?
    let signer: Publisher.Signer
    let report: RunReport
    let page: PageWriter
    let progress: ProgressLine
    /// Following goes on with what was known of the blocks before.
    let recent = RecentCoins()
    var reached: SetBuilder.Position?

    private var first: Int { face.authority.first }

    /// - Parameter readiness: nil where the tip is followed, and the node is asked each time.
    mutating func run(from chain: any ChainSource, _ readiness: Readiness?) throws {
        if let to = options.to, to > chain.tip, !options.follow {
            progress.say("note: the node's chain ends at height \(chain.tip), \(to) is not there yet")
        }
        if let latest = try? Tree(tree.root).latest(), latest.height > chain.tip {
            progress.say(
                "note: the node's chain ends at height \(chain.tip), below the tree's \(latest.height)")
        }
        guard options.follow else {
            try publish(chain, readiness)
            guard StopSignal.isStopping else { return }
            throw CommandFailure(
                .localFailure,
                newestHeight < 0
                    ? "stopped by a signal before anything was attested; the next run goes on"
                    : "stopped by a signal at height \(newestHeight); the next run goes on from there")
        }
        try follow(from: chain)
        try report.stopped(Tree(tree.root), bySignal: StopSignal.isStopping)
    }

    /// How long what is wrong is borne where it is not likely to pass by itself.
    private static let patience: TimeInterval = 30

    /// Publishes now, and again whenever the chain has another tip. What may pass is waited for: a node that is away or
    /// behind for as long as it is, other trouble with the node's answers or files for half a minute.
    private mutating func follow(from first: any ChainSource) throws {
        var chain: (any ChainSource)? = first
        var published: BlockID?
        var trouble = Trouble()
        var standing = Trouble()
        while !StopSignal.isStopping {
            do {
                let now = try chain ?? input.chain()
                chain = nil
                let tip = now.blockID(at: now.tip)
                if tip != published {
                    let readiness = try input.readiness(now: Int64(Date().timeIntervalSince1970))
                    let reasons = readiness.reasons
                    if !reasons.isEmpty, !options.allowBehind {
                        standing.note("the node is not ready: \(reasons[0]); waiting for it", progress)
                        pause()
                        continue
                    }
                    for reason in reasons.prefix(1) {
                        standing.note("the node is behind: \(reason)", progress)
                    }
                    try publish(now, readiness)
                    published = tip
                    if reasons.isEmpty { standing = Trouble() }
                }
                // All of it could be read: what is wrong from here on is new.
                trouble = Trouble()
                if newestHeight >= options.to ?? .max { return }
                try input.waitForChange(since: tip, isStopping: { StopSignal.isStopping })
            } catch let error as NodeError {
                switch error.kind {
                case .stopped: return
                case .passing: trouble.note(error.words, progress)
                case .moved:
                    trouble.note("\(error.words); trying again", progress)
                    input.lookAgain()
                case .garbage, .denied, .refused:
                    if trouble.lasts(Self.patience) { throw error }
                    trouble.note("\(error); trying again", progress)
                default: throw error
                }
                pause()
            } catch let fault as SigningClock.Fault {
                standing.note("\(fault); waiting", progress)
                pause()
            } catch let error as FileError
                where error.isContent && error.path.hasPrefix(state.path("replay/"))
            {
                // It was removed.
                trouble.note("\(error); trying again", progress)
            } catch let error as FileError where !error.isConflict && input.owns(error.path) {
                if trouble.lasts(Self.patience) { throw error }
                trouble.note("\(error); trying again", progress)
                input.lookAgain()
                pause()
            }
        }
    }

    /// What is wrong for now; said once for as long as it is the same.
    private struct Trouble {
        private var words: String?
        private var since: Date?

        mutating func note(_ words: String, _ progress: ProgressLine) {
            if words != self.words { progress.say("note: \(words)") }
            self.words = words
            since = since ?? Date()
        }

        func lasts(_ seconds: TimeInterval) -> Bool {
            since.map { Date().timeIntervalSince($0) > seconds } ?? false
        }
    }

    private func pause() {
        for _ in 0..<20 where !StopSignal.isStopping { usleep(100_000) }
    }

    private var newestHeight: Int { (try? Tree(tree.root).latest())?.height ?? -1 }

    /// Publishes what is new on a chain.
    private mutating func publish(_ chain: any ChainSource, _ readiness: Readiness?) throws {
        let started = Date()
        let target = min(options.to ?? chain.tip, chain.tip - options.confirmations)
        if let to = options.to, to < first {
            throw CommandFailure(.usage, "--to \(to) is below height \(first), where the tree begins")
        }
        guard target >= first else {
            let words =
                try "the tree begins at height \(first); the node's chain ends at \(chain.tip)"
                + (options.confirmations > 0
                    ? ", and \(options.confirmations) confirmations are asked for" : "")
                + (tree.contains("attestations")
                    ? "" : ". Nothing is attested yet, so --first may be another")
            guard options.follow else { throw CommandFailure(.localFailure, words) }
            progress.update(words)
            return
        }
        // First, so that what a killed run leaves says whose it is and how it is partitioned. A run that does not come as far
        // leaves nothing behind.
        try face.write()
        var publisher = Publisher(
            SetBuilder(
                source: chain, data: data, parameters: parameters, level: options.level, recent: recent,
                isFixed: { [tree, parameters] block throws(FileError) in
                    try tree.contains(TreePath.attestation(block, parameters))
                }),
            tree: tree,
            state: state, first: first,
            beginning: options.fromDump.map { .dump($0) } ?? .blocks(memory: options.memory.bytes),
            expected: expected, webSeeds: options.webSeed,
            clock: SigningClock(isAtTip: readiness?.isAtTip, isTrusted: options.allowClock),
            reached: reached, signer: signer)
        defer { reached = publisher.reached }
        let result = try publisher.run(
            to: target, now: { Int64(Date().timeIntervalSince1970) }, isStopping: { StopSignal.isStopping },
            tell: tell)
        var removed: TreePruning.Report?
        if let result, let pruning = options.keep.flatMap(TreePruning.init(keep:)) {
            removed = try pruning.run(tree, newest: result.statement.blockID, parameters)
        }
        page.write()
        try? tree.removeTemporaries()
        progress.clear()
        if let result { try report.say(result, seconds: Date().timeIntervalSince(started)) }
        if let removed, removed.snapshots > 0 { progress.say("note: \(Prune.words(removed))") }
    }

    /// What nobody notices before the next snapshot; said when a tree begins.
    private static let filesAlone =
        "note: block files alone cannot show at once that undo data gives a coin of the last snapshot wrongly: that is "
        + "found at the next epoch height, and what was signed since is wrong then. A node with coinstatsindex=1, given "
        + "with --node, shows it before anything is signed"

    private func tell(_ event: Publisher.Event) {
        switch event {
        case .goingBack(let block, let error):
            progress.say("note: \(error); going back behind height \(block.height)")
        case .replaying(.replayed(let height, let to)):
            progress.update("going over the blocks before: height \(height) of \(to)")
        case .replaying(.merging(let height, let coins)):
            progress.update("merging the changes up to height \(height) with \(coins) coins")
        case .reading(let coins, let all):
            progress.update("reading the dump: \(coins) of \(all) coins")
        case .replaying(.tracing(let height, let to)), .building(.tracing(let height, let to)):
            progress.update("looking for what is wrong: height \(height) of \(to)")
        case .building(.recounting(let height, let coins)):
            progress.update("recounting the snapshot of height \(height): \(coins) coins")
        case .counting:
            progress.update("counting the coins of the first snapshot")
        case .resuming(let height, let to):
            if !options.chain.hasNode, !options.json, (try? tree.contains("attestations")) == false {
                progress.say(Self.filesAlone)
            }
            progress.update("publishing heights \(height) to \(to)")
        case .published(let height, let to):
            progress.update("published height \(height) of \(to)")
        case .snapshot(let height, let coins):
            progress.update("snapshot of height \(height): \(coins) coins")
            page.write()
        case .torrent(let height):
            progress.update("torrent of the snapshot of height \(height)")
        }
    }
}
