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
    let first: Int
    let signer: Publisher.Signer
    let report: RunReport
    let page: PageWriter
    let progress: ProgressLine

    func run(from chain: any ChainSource) throws {
        if let to = options.to, to > chain.tip, !options.follow {
            progress.say("note: the node's chain ends at height \(chain.tip), \(to) is not there yet")
        }
        if let latest = try? Tree(tree.root).latest(), latest.height > chain.tip {
            progress.say(
                "note: the node's chain ends at height \(chain.tip), below the tree's \(latest.height)")
        }
        guard options.follow else {
            try publish(chain)
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
    private func follow(from first: any ChainSource) throws {
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
                    let reasons = try input.readiness(now: Int64(Date().timeIntervalSince1970)).reasons
                    if !reasons.isEmpty, !options.allowBehind {
                        standing.note("the node is not ready: \(reasons[0]); waiting for it", progress)
                        pause()
                        continue
                    }
                    for reason in reasons.prefix(1) {
                        standing.note("the node is behind: \(reason)", progress)
                    }
                    try publish(now)
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
                case .passing, .moved: trouble.note("\(error)", progress)
                case .garbage, .denied, .refused:
                    if trouble.lasts(Self.patience) { throw error }
                    trouble.note("\(error); trying again", progress)
                default: throw error
                }
                pause()
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
    private func publish(_ chain: any ChainSource) throws {
        let started = Date()
        let target = min(options.to ?? chain.tip, chain.tip - options.confirmations)
        if let to = options.to, to < first {
            throw CommandFailure(.usage, "--to \(to) is below height \(first), where the tree begins")
        }
        guard target >= first else {
            let words =
                "the tree begins at height \(first); the node's chain ends at \(chain.tip)"
                + (options.confirmations > 0
                    ? ", and \(options.confirmations) confirmations are asked for" : "")
            guard options.follow else { throw CommandFailure(.localFailure, words) }
            progress.update(words)
            return
        }
        var publisher = Publisher(
            SetBuilder(
                source: chain, data: data, parameters: parameters, level: options.level,
                isFixed: { [tree, parameters] in tree.contains(TreePath.attestation($0, parameters)) }),
            tree: tree,
            state: state, first: first,
            beginning: options.fromDump.map { .dump($0) } ?? .blocks(memory: options.memory.bytes),
            webSeeds: options.webSeed, signer: signer)
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

    private func tell(_ event: Publisher.Event) {
        switch event {
        case .goingBack(let block, let error):
            progress.say("note: \(error); going back behind height \(block.height)")
        case .folding(.folded(let height, let to)):
            progress.update("going over the blocks before: height \(height) of \(to)")
        case .folding(.merging(let height, let coins)):
            progress.update("merging the changes up to height \(height) with \(coins) coins")
        case .reading(let coins, let all):
            progress.update("reading the dump: \(coins) of \(all) coins")
        case .counting:
            progress.update("counting the coins of the first snapshot")
        case .resuming(let height, let to):
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
