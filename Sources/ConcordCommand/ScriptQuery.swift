import Concord
import ConcordConsole
import ConcordFiles
import Foundation

/// One address, script or descriptor that somebody asks about.
struct ScriptQuery: Sendable {
    /// One of its scripts.
    struct Script: Sendable {
        let bytes: [UInt8]
        /// Which of the descriptor's branches it is of, from 0.
        let branch: Int
        /// 0 where the descriptor has no range.
        let index: UInt32
        /// Its place among the scripts of the branch at the index, of which `combo` has several.
        let place: Int
    }

    /// As it was given.
    let query: String
    /// The address, the hex, raw(HEX) or the descriptor, without what was around it: for people.
    let text: String
    let descriptor: Descriptor
    let branches: [Descriptor]

    init(_ typed: TypedLine, on network: Network) throws {
        do throws(TypedScriptError) {
            let read = try TypedScript(typed.text, on: network)
            query = typed.text.trimmingCharacters(in: .whitespacesAndNewlines)
            text = read.text
            descriptor = read.descriptor
            branches = read.descriptor.branches
        } catch {
            throw CommandFailure(.usage, "\(typed.place)\(typed.shown(error)) \(error)")
        }
    }

    /// An account of a wallet.
    init(_ descriptor: Descriptor, of wallet: String) {
        (query, text) = (descriptor.description, "\(wallet), \(descriptor)")
        (self.descriptor, branches) = (descriptor, descriptor.branches)
    }

    /// The scripts of a branch at an index.
    func scripts(branch: Int, at index: UInt32) throws -> [Script] {
        try branches[branch].scripts(at: index).enumerated().map { place, bytes in
            Script(bytes: bytes, branch: branch, index: index, place: place)
        }
    }

    /// Its scripts at all indexes of a range, branch by branch; without `/*` there is but one index.
    private func indexes(_ range: ClosedRange<UInt32>) -> ClosedRange<UInt32> {
        descriptor.isRanged ? range : 0...0
    }

    /// The scripts of all, query by query, made on all cores.
    ///
    /// - Throws: `CommandFailure` where they are more than are taken at a time.
    static func scripts(
        of queries: [ScriptQuery], _ range: ClosedRange<UInt32>, _ progress: ProgressLine
    ) throws -> [[Script]] {
        var steps: [Step] = []
        var count = 0
        for (number, query) in queries.enumerated() {
            let indexes = query.indexes(range)
            count += indexes.count * (try query.descriptor.scripts(at: indexes.lowerBound).count)
            guard count <= ScriptArguments.maxScripts else {
                throw CommandFailure(
                    .usage,
                    "these are more scripts than the \(ScriptArguments.maxScripts) that are taken at a time: give fewer, or a "
                        + "shorter --range")
            }
            for branch in query.branches.indices {
                for start in stride(from: Int(indexes.lowerBound), through: Int(indexes.upperBound), by: 256)
                {
                    let end = min(start + 255, Int(indexes.upperBound))
                    steps.append(Step(query: number, branch: branch, indexes: UInt32(start)...UInt32(end)))
                }
            }
        }
        let all = steps.count
        let made = try Parallel.map(all) { [steps] item in
            let step = steps[item]
            progress.update("made the scripts of \(item) of \(all) parts of the range")
            return try step.indexes.flatMap { try queries[step.query].scripts(branch: step.branch, at: $0) }
        }
        var scripts = [[Script]](repeating: [], count: queries.count)
        for (step, some) in zip(steps, made) { scripts[step.query] += some }
        return scripts
    }

    /// What is made at a time.
    private struct Step: Sendable {
        let query: Int
        let branch: Int
        let indexes: ClosedRange<UInt32>
    }

    /// What Bitcoin Core says of an output with one of its scripts.
    func inferred(_ script: Script, on network: Network) throws -> String {
        try branches[script.branch].inferred(at: script.index, on: network)[script.place]
    }
}

extension TreeParameters {
    func shard(of script: ScriptQuery.Script) -> Int { script.bytes.withBytes(shard(of:)) }
}
