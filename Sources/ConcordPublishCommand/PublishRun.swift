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
    let progress: ProgressLine

    func run(from chain: any ChainSource) throws {
        if let to = options.to, to > chain.tip, !options.follow {
            progress.say("note: the node's chain ends at height \(chain.tip), \(to) is not there yet")
        }
        if let latest = try? Tree(tree.root).latest(), latest.height > chain.tip {
            progress.say(
                "note: the node's chain ends at height \(chain.tip), below the tree's \(latest.height)")
        }
        guard options.follow else { return try publish(chain) }
        try follow(from: chain)
        report.stopped(Tree(tree.root), bySignal: StopSignal.isStopping)
    }

    /// Publishes now, and again whenever the chain has another tip. What may pass is waited for: a node that is away or
    /// behind, files that are just being written.
    private func follow(from first: any ChainSource) throws {
        var chain: (any ChainSource)? = first
        var published: BlockID?
        var trouble: String?
        while !StopSignal.isStopping {
            do {
                if chain == nil { chain = try input.chain() }
                guard let now = chain else { continue }
                chain = nil
                let tip = now.blockID(at: now.tip)
                if tip != published {
                    let reasons = try input.readiness(now: Int64(Date().timeIntervalSince1970)).reasons
                    guard reasons.isEmpty || options.allowBehind else {
                        note("the node is not ready: \(reasons[0]); waiting for it", &trouble)
                        pause()
                        continue
                    }
                    try publish(now)
                    published = tip
                }
                trouble = nil
                if newestHeight >= options.to ?? .max { return }
                try input.waitForChange(since: tip, isStopping: { StopSignal.isStopping })
            } catch let error as NodeError {
                switch error.kind {
                case .stopped: return
                case .passing, .moved: note("\(error)", &trouble)
                default: throw error
                }
                pause()
            } catch let error as FileError where chain == nil && input.owns(error.path) {
                note("\(error); trying again until it can be read", &trouble)
                pause()
            }
        }
    }

    /// Says what is wrong, once for as long as it is the same.
    private func note(_ words: String, _ trouble: inout String?) {
        if words != trouble { progress.say("note: \(words)") }
        trouble = words
    }

    private func pause() {
        for _ in 0..<20 where !StopSignal.isStopping { usleep(100_000) }
    }

    private var newestHeight: Int { (try? Tree(tree.root).latest())?.height ?? -1 }

    /// Publishes what is new on a chain.
    private func publish(_ chain: any ChainSource) throws {
        let started = Date()
        let target = min(options.to ?? chain.tip, chain.tip - options.confirmations)
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
            SetBuilder(source: chain, data: data, parameters: parameters, level: options.level), tree: tree,
            state: state, first: first,
            beginning: options.fromDump.map { .dump($0) } ?? .blocks(memory: options.memory.bytes),
            signer: signer)
        let result = try publisher.run(
            to: target, now: { Int64(Date().timeIntervalSince1970) }, isStopping: { StopSignal.isStopping },
            tell: tell)
        progress.clear()
        if let result { try report.say(result, seconds: Date().timeIntervalSince(started)) }
    }

    private func tell(_ event: Publisher.Event) {
        switch event {
        case .goingBack(let block, let error):
            progress.say("note: \(error); going back behind height \(block.height)")
        case .folding(.folded(let height, let to)):
            progress.update("going over the blocks before: height \(height) of \(to)")
        case .folding(.merging(let height, let coins)):
            progress.update("merging the changes up to height \(height) with \(grouped(coins)) coins")
        case .reading(let coins, let all):
            progress.update("reading the dump: \(grouped(coins)) of \(grouped(all)) coins")
        case .counting:
            progress.update("counting the coins of the first snapshot")
        case .resuming(let height, let to):
            progress.update("publishing heights \(height) to \(to)")
        case .published(let height, let to):
            progress.update("published height \(height) of \(to)")
        case .snapshot(let height, let coins):
            progress.update("snapshot of height \(height): \(grouped(coins)) coins")
        }
    }
}
