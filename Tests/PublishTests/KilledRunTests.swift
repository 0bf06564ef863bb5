import Foundation
import TestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Runs that are killed at random moments, and the next one that goes on.
@Suite(.waits) struct KilledRunTests {
    private static let kills = 15

    @Test func aKilledRunIsContinuedByTheNext() throws {
        let reference = try ReferenceTree.of(.regtestRich)
        let seed =
            ProcessInfo.processInfo.environment["CONCORD_SEED"].flatMap(UInt64.init)
            ?? .random(in: 0 ... .max)
        print("KilledRunTests: CONCORD_SEED=\(seed)")
        var random = SeededNumbers(seed: seed)

        var killed = 0
        while killed < Self.kills {
            let publication = try Publication(
                .regtestRich, datadir: reference.publication.datadir, key: reference.publication.key)
            // Files that were seen after a kill, with the bytes they had.
            var seen: [String: PlainTree.Look.File] = [:]
            var isDone = false
            while !isDone, killed < Self.kills {
                let run = try publication.start()
                // A run of one go takes between some tenths and some seconds; by files, kills meet all parts of it.
                let files = publication.tree.files().count + Int.random(in: 0..<500, using: &random)
                while run.isRunning(), publication.tree.files().count < files { usleep(2000) }
                usleep(.random(in: 0..<5000, using: &random))
                run.send(SIGKILL)
                isDone = try run.wait().signal == nil
                if !isDone { killed += 1 }

                let look = try publication.tree.look().files.filter { !$0.key.hasPrefix(".tmp/") }
                for (path, file) in seen where !Self.mayChange(path) {
                    #expect(
                        look[path]?.digest == file.digest,
                        "seed \(seed): \(path) has changed after kill \(killed)")
                }
                seen = look
            }
            try publication.publish()
            let final = try publication.tree.look().files
            for (path, file) in seen where !Self.mayChange(path) {
                #expect(
                    final[path]?.digest == file.digest, "seed \(seed): \(path) did not have its final bytes")
            }
            try expectSame(publication.tree, reference.tree)
            #expect(!(publication.tree.files() + publication.state.files()).contains { $0.contains(".tmp") })
            let tree = try publication.tree.look()
            #expect(try publication.publish().output.hasPrefix("nothing new: "))
            #expect(try publication.tree.look() == tree)
        }
    }

    /// The hint, the page, and the headers files while they are the newest.
    private static func mayChange(_ path: String) -> Bool {
        path == "latest.txt" || path == "index.html" || path.hasPrefix("headers/")
    }

    /// A tree says whose it is as soon as there is something of it: a second authority cannot go on with the first
    /// one's half.
    @Test func aTreeThatWasBegunIsTheFirstKeysAlone() throws {
        let reference = try ReferenceTree.of(.regtestRich)
        let publication = try Publication(.regtestRich, datadir: reference.publication.datadir)
        // It does not end by itself.
        let run = try publication.start("--follow")
        while run.isRunning(), publication.tree.files(under: "patches").isEmpty { usleep(200) }
        run.send(SIGKILL)
        try #require(run.wait().signal == SIGKILL)

        let other = try Publication(.regtestRich, datadir: reference.publication.datadir)
        let fresh = publication.scratch.path("other.state")
        let before = try publication.tree.look()
        for changed in [["--key", other.key], ["--epoch", "60"], ["--shards", "8"]] {
            let outcome = try Publication.program().run(publication.arguments(changed + ["--state", fresh]))
            #expect(outcome.status == 1 && outcome.errors.contains("authority.txt: is "), "\(outcome.errors)")
            #expect(try publication.tree.look() == before)
        }
    }
}

/// SplitMix64: the same numbers from the same seed.
struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
