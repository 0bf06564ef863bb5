import Concord
import ConcordTree
import TestSupport
import Testing

@testable import ConcordClient

/// Who holds some shards takes the sections of these out of patches and deltas, of one host a shard.
@Suite struct SectionFetchTests {
    private let trees: [MadeTree]
    private let parameters: TreeParameters

    init() throws {
        trees = try MadeTree.all()
        parameters = trees[0].parameters
    }

    private func scenario(at height: Int) throws -> ClientScenario {
        let scenario = try ClientScenario(trees)
        for tree in trees { scenario.serve(tree.cut(to: height)) }
        return scenario
    }

    private func ofChanges(_ run: ClientRun) -> [ScriptedTransport.Asked] {
        run.requests.filter { $0.url.contains("/patches/") || $0.url.contains("/deltas/") }
    }

    private func files(_ scenario: ClientScenario) throws -> [String] {
        let set = PlainTree("\(scenario.home)/sets/regtest")
        return set.files(under: "patches") + set.files(under: "deltas")
    }

    @Test(arguments: [0, 1, 2, 3]) func oneShard(shard: Int) throws {
        let scenario = try scenario(at: 58)
        let run = scenario.fetch(.some([shard]))
        #expect(run.end == .done(58) && run.faults.isEmpty, "\(run.end) \(run.faults)")
        #expect(run.result?.shards == 1 && run.result?.patches == 0 && run.result?.deltas == 0)
        // From 40: one of ten, and eight patches.
        #expect(run.result?.sections == 9)
        let asked = ofChanges(run)
        #expect(asked.allSatisfy { $0.range != nil } && asked.count == 3 * 9)
        #expect(try files(scenario).count == 9)
        #expect(try scenario.installed(shards: [shard]) == 58)
        #expect(scenario.leftovers.isEmpty)
    }

    /// What is held is as large as what it was made of, about.
    @Test func theFilesHoldNoMore() throws {
        let scenario = try scenario(at: 58)
        #expect(scenario.fetch(.some([2])).end == .done(58))
        let set = PlainTree("\(scenario.home)/sets/regtest")
        for path in try files(scenario) {
            let (part, whole) = (try set.read(path).count, trees[0].files[path]?.count ?? 0)
            #expect(part < whole, "\(path): \(part) of \(whole) bytes")
        }
    }

    @Test func anotherShardIsAddedToWhatIsThere() throws {
        let scenario = try scenario(at: 58)
        #expect(scenario.fetch(.some([1])).end == .done(58))
        let run = scenario.fetch(.some([1, 2]))
        #expect(run.end == .done(58) && run.result?.shards == 1 && run.result?.sections == 9)
        // A directory each, and of the new shard its range and its section.
        #expect(ofChanges(run).count == 3 * 9)
        #expect(try scenario.installed(shards: [1, 2]) == 58)
        let again = scenario.fetch()
        #expect(again.end == .done(58) && again.result?.sections == 0 && ofChanges(again).isEmpty)
        // All of them: now whole files come.
        let all = scenario.fetch(.all)
        #expect(all.end == .done(58) && all.result.map { $0.patches + $0.deltas } == 9, "\(all.end)")
        #expect(ofChanges(all).allSatisfy { $0.range == nil })
        #expect(try scenario.installed() == 58)
    }

    @Test(arguments: [(47, 58), (47, 60), (47, 65), (10, 65)]) func itMovesOn(from: Int, to: Int) throws {
        let scenario = try scenario(at: from)
        #expect(scenario.fetch(.some([3])).end == .done(from))
        for tree in trees { scenario.serve(tree.cut(to: to)) }
        let run = scenario.fetch()
        #expect(run.end == .done(to) && run.faults.isEmpty, "\(run.end) \(run.faults)")
        #expect(try scenario.installed(shards: [3]) == to)
        #expect(ofChanges(run).allSatisfy { $0.range != nil })
    }

    /// One that sends all of a file whatever part is asked for: what it has is taken whole.
    @Test func hostsWithoutRanges() throws {
        let scenario = try scenario(at: 58)
        scenario.bendAll { site in
            site.bent { request, answer in
                guard request.range != nil, let tree = self.trees.first?.cut(to: 58).files[request.path]
                else { return }
                answer = ScriptedAnswer(file: tree, range: nil)
            }
        }
        let run = scenario.fetch(.some([1]))
        #expect(run.end == .done(58) && run.faults.isEmpty, "\(run.end) \(run.faults)")
        #expect(run.result?.sections == 0 && run.result.map { $0.patches + $0.deltas } == 9)
        #expect(try scenario.installed(shards: [1]) == 58)
    }

    /// Each shard is asked of one host, and of the same one again later.
    @Test func oneHostAShard() throws {
        let scenario = try scenario(at: 45)
        #expect(scenario.fetch(.some([1])).end == .done(45))
        func hosts(_ run: ClientRun) -> Set<String> {
            // Directories say nothing of shards.
            return Set(
                (ofChanges(run).filter { $0.range?.first != 0 }
                    + run.requests.filter { $0.url.contains("/shards/") })
                    .compactMap { $0.url.split(separator: "/").dropFirst().first.map(String.init) })
        }
        let before = scenario.fetch(.some([1]))
        #expect(hosts(before).isEmpty)
        var seen: Set<String> = []
        for height in 46...65 {
            for tree in trees { scenario.serve(tree.cut(to: height)) }
            let run = scenario.fetch()
            #expect(run.end == .done(height))
            seen.formUnion(hosts(run))
        }
        #expect(seen.count == 1, "\(seen)")
    }

    /// Where its own host lacks what the others have, the next is asked, and kept.
    @Test func anotherHostAfterAFailure() throws {
        let scenario = try scenario(at: 58)
        let lacking = trees[1].cut(to: 58).site.bent { request, answer in
            if request.path.hasPrefix("patches/") || request.path.hasPrefix("deltas/") {
                answer = ScriptedAnswer(404)
            }
        }
        // Whichever is chosen, in some of the runs it is the one that lacks them.
        for shard in [0, 1, 2, 3] {
            for _ in 0..<3 {
                scenario.serve(lacking, at: ClientScenario.url(trees[1]))
                let run = scenario.fetch(.some([shard]))
                #expect(run.end == .done(58), "\(run.end) \(run.faults)")
                #expect(run.faults.isEmpty)
                #expect(try scenario.installed(shards: [shard]) == 58)
            }
        }
    }

    enum Lie: CaseIterable, Sendable { case index, section, directory, otherDirectory }

    /// A host that lies in one part of a file: what it says is not taken, and it is named, unless it was never believed.
    @Test(arguments: Lie.allCases) func aHostThatLies(lie: Lie) throws {
        let parameters = parameters
        let size = PatchDirectory.size(parameters)
        // It is the only one at first, and so the shard's own.
        let scenario = try ClientScenario([trees[0]])
        scenario.serve(trees[0].cut(to: 45))
        #expect(scenario.fetch(.some([1])).end == .done(45))
        for tree in trees[1...] { try scenario.trust(tree, at: [ClientScenario.url(tree)]) }
        let good = trees[0].cut(to: 58)
        let liar = good.site.bent { request, answer in
            guard request.path.hasPrefix("patches/"), let range = request.range else { return }
            let file = good.files[request.path] ?? []
            let directory = file.withBytes {
                try? PatchDirectory(parsing: .init(rebasing: $0[..<size]), parameters)
            }
            guard let directory else { return }
            let isIndex = directory.indexOffsets.contains(range.first)
            let isDirectory = range.first == 0
            switch lie {
            case .index where isIndex, .section where !isIndex && !isDirectory:
                answer = ScriptedAnswer(file: file.map { $0 ^ 1 }, range: range)
            case .directory where isDirectory:
                // The first offset of a section is another.
                let other = PatchDirectory(
                    parameters, indexOffsets: directory.indexOffsets,
                    sectionOffsets: directory.sectionOffsets.enumerated().map { $0 == 0 ? $1 - 1 : $1 + 1 },
                    end: directory.end + 2, nodes: directory.nodes)
                answer = ScriptedAnswer(file: TestSupport.bytes { other.append(to: &$0) }, range: range)
            case .otherDirectory where isDirectory:
                let other = PatchDirectory(
                    parameters, indexOffsets: directory.indexOffsets,
                    sectionOffsets: directory.sectionOffsets,
                    end: directory.end, nodes: directory.nodes.reversed())
                answer = ScriptedAnswer(file: TestSupport.bytes { other.append(to: &$0) }, range: range)
            default: break
            }
        }
        scenario.serve(liar, at: ClientScenario.url(trees[0]))
        for tree in trees[1...] { scenario.serve(tree.cut(to: 58)) }
        let run = scenario.fetch()
        #expect(run.end == .done(58), "\(run.end)")
        #expect(try scenario.installed(shards: [1]) == 58)
        #expect(run.faults.allSatisfy { $0.url == ClientScenario.url(trees[0]) && $0.isInvalid })
        #expect(!run.faults.isEmpty)
        #expect(scenario.leftovers.isEmpty)
    }

    /// Frames that one host cuts in another way are read by its own directory.
    @Test func framesThatAreCutOtherwise() throws {
        let scenario = try ClientScenario(trees)
        for tree in trees {
            var other = tree.cut(to: 58)
            if tree.name != trees[0].name {
                other.files = try other.files.reduce(into: [:]) { files, file in
                    let isChange = file.key.hasPrefix("patches/") || file.key.hasPrefix("deltas/")
                    files[file.key] = isChange ? try cutOtherwise(file.value) : file.value
                }
            }
            scenario.serve(other)
        }
        for shard in 0..<parameters.shards {
            let run = scenario.fetch(.some([shard]))
            #expect(run.end == .done(58) && run.faults.isEmpty, "\(run.end) \(run.faults)")
            #expect(run.result.map { $0.patches + $0.deltas } == 0)
            #expect(try scenario.installed(shards: [shard]) == 58)
        }
    }

    /// The same file with all sections of a range in one frame.
    private func cutOtherwise(_ file: [UInt8]) throws -> [UInt8] {
        let directory = try file.withBytes {
            try PatchDirectory(
                parsing: .init(rebasing: $0[..<PatchDirectory.size(parameters)]), parameters)
        }
        let scratch = try Scratch()
        let path = try scratch.write(file, to: "file")
        var canonical = ByteBuffer()
        var tools = PatchReader.Tools()
        let index = try PatchFile.read(
            path, ChangeFile(block: trees[0].chain.newest, span: 100, root: directory.root), parameters,
            &tools,
            into: &canonical)
        let bytes = [UInt8](canonical.bytes)
        let groups = (0..<parameters.ranges).map(parameters.shards(ofRange:))
        return PlainPatchFile(
            (0..<parameters.shards).map { Array(bytes[index.range(of: $0)]) }, groups: groups
        ) {
            contents in
            var frame = ByteBuffer()
            contents.withBytes {
                _ = ZstdCompressor(level: 3, hasChecksums: false).appendFrame($0, to: &frame)
            }
            return [UInt8](frame.bytes)
        }.bytes()
    }
}
