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
        try publish(chain)
        guard options.follow else { return }
        var tip = chain.blockID(at: chain.tip)
        var trouble = ""
        while !StopSignal.isStopping, newestHeight < options.to ?? .max {
            do {
                try input.waitForChange(since: tip, isStopping: { StopSignal.isStopping })
                if StopSignal.isStopping { break }
                let chain = try input.chain()
                trouble = ""
                if chain.blockID(at: chain.tip) == tip { continue }
                try publish(chain)
                tip = chain.blockID(at: chain.tip)
            } catch let error as FileError where error.path.hasPrefix(input.path) {
                // The node may be writing just now, or be down for a while.
                if "\(error)" != trouble { progress.say("note: \(error); trying again until it can be read") }
                trouble = "\(error)"
            }
        }
        report.stopped(Tree(tree.root), bySignal: StopSignal.isStopping)
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
