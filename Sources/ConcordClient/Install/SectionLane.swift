import Concord
import ConcordTree

/// Brings the sections of one shard out of patches and deltas, from one host as far as it has them, and from the next one
/// what is left.
///
/// The frames of a file may be cut in another way at each host, so a directory that another host gave is tried first, as they
/// nearly always are the same, and where it leads to nothing the host's own is asked for.
struct SectionLane {
    let shard: Int
    let reader: TreeReader
    /// The shard's own host first.
    let places: [TreeReader.Place]
    let parameters: TreeParameters

    /// A directory, and the URL of the tree that gave it.
    struct Hint: Sendable {
        let directory: PatchDirectory
        let source: String
    }

    /// A section that was held to the root of its file, and the index entries of its range.
    struct Part: Sendable {
        let section: [UInt8]
        let index: PatchIndex
    }

    struct Result: Sendable {
        var parts: [ChangeFile: Part] = [:]
        /// What no host had by ranges.
        var left: [ChangeFile] = []
        var faults: [Fault] = []
        /// The tree that had all that was still wanted; nil where none had.
        var host: String?
    }

    func run(_ files: [ChangeFile: Hint]) throws -> Result {
        var result = Result()
        var left = files
        for place in places where !left.isEmpty {
            var faults = try ask(left, at: place, &result)
            left = left.filter { result.parts[$0.key] == nil }
            // By somebody else's directory, what a host has may be taken for wrong.
            let doubtful = left.filter { file, hint in
                hint.source != place.url
                    && faults[file].map { $0.isInvalid || $0.kind == .wrongRange } ?? false
            }
            if !doubtful.isEmpty {
                let own = try directories(of: Array(doubtful.keys), at: place, &faults)
                let others = own.filter { $0.value.directory != left[$0.key]?.directory }
                for (file, hint) in own { left[file] = hint }
                for file in others.keys { faults[file] = nil }
                faults.merge(try ask(others, at: place, &result)) { $1 }
                left = left.filter { result.parts[$0.key] == nil }
            }
            result.faults += left.keys.compactMap { faults[$0] }
            if left.isEmpty { result.host = place.url }
        }
        result.left = Array(left.keys)
        return result
    }

    /// Asks one host for the index entries of all files, and then for the sections. Gives what was wrong with each.
    private func ask(
        _ files: [ChangeFile: Hint], at place: TreeReader.Place, _ result: inout Result
    ) throws -> [ChangeFile: Fault] {
        var faults: [ChangeFile: Fault] = [:]
        let indexes = try ask(files, at: place, &faults) { file, hint throws(ParseError) in
            try TreeQuestion<PatchIndex>.index(file, of: shard, hint.directory)
        }
        let found = files.filter { indexes[$0.key] != nil }
        let sections = try ask(found, at: place, &faults) { file, hint throws(ParseError) in
            guard let index = indexes[file] else { preconditionFailure("its index was found") }
            return try TreeQuestion<[UInt8]>.section(file, of: shard, hint.directory, index)
        }
        for (file, section) in sections {
            if let index = indexes[file] { result.parts[file] = Part(section: section, index: index) }
        }
        return faults
    }

    private func ask<Answer: Sendable>(
        _ files: [ChangeFile: Hint], at place: TreeReader.Place, _ faults: inout [ChangeFile: Fault],
        _ question: (ChangeFile, Hint) throws(ParseError) -> TreeQuestion<Answer>
    ) throws -> [ChangeFile: Answer] {
        let answers = Answers<Answer>()
        for (file, hint) in files.sorted(by: { $0.key.block.height < $1.key.block.height }) {
            let asked: TreeQuestion<Answer>
            do throws(ParseError) { asked = try question(file, hint) } catch {
                // The directory's own word.
                answers.faults[file] = Fault(
                    authority: place.authority, url: hint.source, asked: TreeFile(file),
                    path: file.path(parameters), .malformed(error))
                continue
            }
            try reader.ask(asked, at: [place]) { answers.take(file, $0) }
        }
        try reader.run()
        faults.merge(answers.faults) { $1 }
        return answers.found
    }

    /// What came of questions to one host.
    private final class Answers<Answer> {
        var found: [ChangeFile: Answer] = [:]
        var faults: [ChangeFile: Fault] = [:]

        func take(_ file: ChangeFile, _ reply: TreeReader.Reply<Answer>) {
            found[file] = reply.answer
            if reply.answer == nil { faults[file] = reply.faults.last }
        }
    }

    private func directories(
        of files: [ChangeFile], at place: TreeReader.Place, _ faults: inout [ChangeFile: Fault]
    ) throws -> [ChangeFile: Hint] {
        let answers = Answers<PatchDirectory>()
        for file in files {
            try reader.ask(.directory(file, parameters), at: [place]) { answers.take(file, $0) }
        }
        try reader.run()
        faults.merge(answers.faults) { $1 }
        return answers.found.mapValues { Hint(directory: $0, source: place.url) }
    }
}
