import Foundation
import TestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A fetch can end at any moment, and the next one goes on.
@Suite(.waits) struct ResumeTests {
    /// Hosts as slow as to be caught in the middle.
    static let slow = "limit_rate 20k; limit_rate_after 0;"

    /// SIGKILL at random moments, on the way from one epoch to another and back: what is there is wholly the old set or
    /// wholly the new one.
    @Test(arguments: [false, true]) func killedAtAnyMoment(isSlow: Bool) throws {
        let seed = UInt64.random(in: 0 ... .max)
        print("seed \(seed)")
        var random = Seeded(seed)
        let dumps = [250: try CoinTests.byScript(250), 330: try CoinTests.atTip.get()]
        // Scripts that tell the two apart.
        let scripts = Array(
            try CoinTests.sorted.get().filter { !$0.isEmpty && dumps[250]?[$0] != dumps[330]?[$0] }.prefix(20)
        )
        let client = try Client(trusting: try Site.all(directives: isSlow ? Self.slow : ""))
        try client.fetch("--height", "250")
        var height = 250
        func look() throws -> Int {
            let coins: Coins = try client.succeed(["utxos", "--json"] + scripts.map(CoinTests.query)).json()
            let expected = try #require(dumps[coins.height], "height \(coins.height), seed \(seed)")
            for (script, entry) in zip(scripts, coins.results) {
                #expect(Set(entry.coins) == expected[script] ?? [], "height \(coins.height), seed \(seed)")
            }
            return coins.height
        }
        for _ in 0..<(isSlow ? 4 : 12) {
            let next = height == 250 ? 330 : 250
            let run = try client.start("fetch", "--height", "\(next)")
            usleep(useconds_t.random(in: 0..<(isSlow ? 1_500_000 : 200_000), using: &random))
            run.send(SIGKILL)
            _ = try run.wait()
            let now = try look()
            #expect(now == height || now == next, "seed \(seed)")
            height = now
        }
        try client.fetch()
        #expect(try look() == 330)
        #expect(client.home.files().allSatisfy { !$0.contains("/.tmp/") })
    }

    /// What an earlier run brought is not asked for again.
    @Test func onlyWhatIsMissing() throws {
        // Of the shards, four do not come for as long as there is this file.
        let scratch = try Scratch()
        let file = try scratch.write("", to: "hold", mode: 0o644)
        let sites = try Site.all(
            directives: "location ~ /00[c-f].zst$ { if (-f \(file)) { set $limit_rate 1; } }")
        let client = try Client(trusting: sites)
        let run = try client.start("fetch")
        // Not before something is in its place.
        var kept: [String] = []
        while kept.count < 10, run.isRunning() {
            usleep(5000)
            kept = client.set.files().filter { $0.hasPrefix("snapshots/") || $0.hasPrefix("deltas/") }
        }
        run.send(SIGKILL)
        let outcome = try run.wait()
        #expect(outcome.signal == SIGKILL, "\(outcome.said)")
        #expect(!client.isInstalled)
        try scratch.remove("hold")
        #expect(
            try client.run("utxos", "raw(51)").errors
                == "error: nothing was fetched yet: run `concord fetch` first\n")

        kept = client.set.files().filter { $0.hasSuffix(".zst") || $0.hasSuffix("manifest.txt") }
        // Some of it, not all.
        #expect((10..<17).contains(kept.count))
        let before = sites.map { $0.server.requests.count }
        let fetched = try client.fetch()
        let asked = zip(sites, before).flatMap { site, count in
            site.server.requests.dropFirst(count).map { String($0.split(separator: " ")[1].dropFirst()) }
        }
        #expect(Set(asked).isDisjoint(with: kept))
        #expect(fetched.shards + fetched.deltas == 19 - kept.count { $0.hasSuffix(".zst") })
        try CoinTests.expectSome(client)
    }

    @Test func oneRunAHome() throws {
        let sites = try Site.all(directives: Self.slow)
        let client = try Client(trusting: sites)
        let run = try client.start("fetch")
        while sites.allSatisfy({ $0.server.requests.count < 8 }), run.isRunning() { usleep(2000) }
        try run.hold()
        // What only looks is not held up.
        #expect(try client.run("trust", "list").status == 0)
        #expect(
            try client.run("utxos", "raw(51)").errors
                == "error: nothing was fetched yet: run `concord fetch` first\n")
        for arguments in [["fetch"], ["check"], ["trust", "remove", "alice"]] {
            let second = try client.run(arguments)
            #expect(second.status == 1 && second.output.isEmpty)
            #expect(
                second.errors
                    == "error: \(client.home.root): is in use by another run of this program; wait for it to end\n"
            )
        }
        run.send(SIGKILL)
        #expect(try run.wait().signal == SIGKILL)
    }

    /// A file that was damaged on this machine's disk is an error that says what to do, and that helps.
    @Test(arguments: ["snapshots/", "deltas/"]) func damagedHere(folder: String) throws {
        let sites = try Site.all()
        let client = try Client(trusting: sites)
        try client.fetch()
        for path in client.set.files(under: folder) where path.hasSuffix(".zst") {
            var bytes = try client.set.read(path)
            for i in 8..<bytes.count { bytes[i] ^= 1 }
            try client.set.replace(path, bytes)
        }
        let outcome = try client.run("utxos", "raw(51)")
        #expect(outcome.status == 1 && outcome.output.isEmpty)
        #expect(
            outcome.errors.contains(client.set.path(folder))
                && outcome.errors.contains("Remove this file and run `concord fetch`"), "\(outcome.said)")
        for path in client.set.files(under: folder) where path.hasSuffix(".zst") {
            try client.set.remove(path)
        }
        try client.fetch()
        try CoinTests.expectSome(client)
    }
}

/// SplitMix64.
struct Seeded: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
        return z ^ z >> 31
    }
}
