import Foundation
import Synchronization
import TestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The batch job's way to hosts, with the tools that it uses.
@Suite(.waits) struct UploadTests {
    @Test func rsyncBringsATreeToAWebServer() throws {
        let job = try UploadJob()
        job.settings = ["CONCORD_UPLOAD_RSYNC": job.target.root, "CONCORD_URL": job.server.base]
        let first = try job.run(to: 120)
        #expect(
            first.isSuccess && first.output.contains("\(job.server.base) serves the tree"), "\(first.said)")
        try job.expectUploaded()
        #expect(try fetched(job) == 120)

        // What is there is not sent again; what is no part of the tree is not sent at all.
        let before = try inodes(job.target)
        try job.tree.replace("notes.txt", "mine")
        try job.tree.replace("patches/todo", "mine")
        let second = try job.run(to: 330)
        #expect(second.isSuccess, "\(second.said)")
        #expect(Set(job.tree.files()).symmetricDifference(job.uploaded()) == ["notes.txt", "patches/todo"])
        let after = try inodes(job.target)
        let sentAgain = before.filter { after[$0.key] != $0.value && $0.key != "index.html" }.keys.sorted()
        #expect(sentAgain == ["headers/0000100.bin", "latest.txt"])
        #expect(try fetched(job) == 330)
    }

    /// What was removed here is removed there, and nothing else.
    @Test(arguments: ["CONCORD_UPLOAD_RSYNC", "CONCORD_UPLOAD_RCLONE"])
    func oldDataGoesFromHostsToo(setting: String) throws {
        let job = try UploadJob()
        job.settings = [setting: job.target.root, "CONCORD_URL": job.server.base]
        #expect(try job.run(to: 210).isSuccess)
        try job.target.replace("snapshots/mine.txt", "mine")
        try job.target.replace("patches/mine/notes.txt", "mine")
        job.settings["CONCORD_KEEP"] = "2"
        let second = try job.run(to: 230)
        #expect(second.isSuccess, "\(second.said)")
        let foreign = ["patches/mine/notes.txt", "snapshots/mine.txt"]
        #expect(job.uploaded() == (job.tree.files() + foreign).sorted())
        #expect(!job.uploaded().contains { $0.contains("/0000100") && $0.hasSuffix(".zst") })
        #expect(try fetched(job) == 230)
    }

    /// A publisher goes on while an upload is under way: what it publishes by then is for the next upload.
    @Test(arguments: ["rsync", "rclone"])
    func anUploadBesideAPublisherPointsToWhatItBrought(tool: String) throws {
        let job = try UploadJob()
        job.settings = ["CONCORD_UPLOAD_\(tool.uppercased())": job.target.root]
        #expect(try job.run(to: 140).isSuccess)
        let more =
            try Publication.program().path + " "
            + job.publication.arguments(["--to", "155"]).joined(separator: " ")
        try job.replace(
            tool,
            by: """
                '\(try Program.installed(tool).path)' "$@" || exit
                mkdir '\(job.publication.scratch.path("once"))' 2>/dev/null || exit 0
                exec \(more) >&2
                """)
        let outcome = try job.run(to: 149)
        #expect(outcome.isSuccess && outcome.errors.contains("published"), "\(outcome.said)")
        #expect(try job.tree.text("latest.txt").hasPrefix("155 "))
        #expect(try job.target.text("latest.txt").hasPrefix("149 "))
        #expect(!job.uploaded().contains("headers/0000150.bin"))
        try job.expectHintHasItsData("beside a publisher")
        #expect(try fetched(job) == 149)
        #expect(try job.run(to: 155).isSuccess)
        try job.expectUploaded()
    }

    /// Within one upload too nobody finds the list of what is not there yet.
    @Test func shardsComeBeforeTheirManifest() throws {
        let job = try UploadJob()
        job.settings = [
            "CONCORD_UPLOAD_RSYNC": job.target.root, "CONCORD_RSYNC_OPTIONS": "--out-format=%n",
        ]
        let sent = try job.run(to: 120).output.split(separator: "\n").map(String.init)
        let last = try ["patches/", "/shards/", "/manifest.txt", "/snapshot.", "attestations/"].map { part in
            let places = sent.indices.filter { sent[$0].contains(part) && !sent[$0].hasSuffix("/") }
            return (first: try #require(places.first, "\(part)"), last: try #require(places.last))
        }
        for (early, late) in zip(last, last.dropFirst()) { #expect(early.last < late.first) }
        #expect(sent.last == "latest.txt")
    }

    /// A snapshot that was moved to another disk, with a link in its place, is a part of the tree as before.
    @Test(arguments: ["CONCORD_UPLOAD_RSYNC", "CONCORD_UPLOAD_RCLONE"])
    func linksAreFollowed(setting: String) throws {
        let job = try UploadJob()
        #expect(try job.run(to: 110).isSuccess)
        let files = job.tree.files()
        let snapshot = try #require(job.tree.paths("snapshots", containing: "0000050-").first).split(
            separator: "/"
        ).prefix(2).joined(separator: "/")
        let elsewhere = job.publication.scratch.path("elsewhere")
        try FileManager.default.moveItem(atPath: job.tree.path(snapshot), toPath: elsewhere)
        try FileManager.default.createSymbolicLink(
            atPath: job.tree.path(snapshot), withDestinationPath: elsewhere)
        job.settings = [setting: job.target.root, "CONCORD_KEEP": "3"]
        let outcome = try job.run(to: 110)
        #expect(outcome.isSuccess, "\(outcome.said)")
        #expect(job.uploaded() == files)
        for path in files { #expect(try job.target.read(path) == job.tree.read(path), "\(path)") }
    }

    /// What cannot be listed is not taken for empty.
    @Test func aHostThatCannotBeListedIsTold() throws {
        let job = try UploadJob()
        #expect(try job.run(to: 110).isSuccess)
        let script = String(
            decoding: try Publication.program().print("hosting", "rclone-prune"), as: UTF8.self)
        for target in ["nosuch:bucket", job.publication.scratch.path("no/such/folder")] {
            let outcome = try Program(at: "/bin/bash").run(
                "-c", script, "prune", job.tree.root, target, environment: ["RCLONE_CONFIG": "/dev/null"])
            #expect(!outcome.isSuccess && !outcome.errors.isEmpty, "\(target): \(outcome.said)")
        }
    }

    @Test func aSettingMayBeginWithADash() throws {
        let job = try UploadJob()
        job.settings = ["CONCORD_NOTE": "--follow"]
        let outcome = try job.run(to: 3)
        #expect(outcome.isSuccess, "\(outcome.said)")
        #expect(try job.tree.fields(job.tree.attestation(3))["note"] == "--follow")
    }

    /// Two hints of one length and one second, and two header files, are not the same for that.
    @Test(arguments: ["CONCORD_UPLOAD_RSYNC", "CONCORD_UPLOAD_RCLONE"])
    func filesThatChangeAreToldApartByTheirContents(setting: String) throws {
        let job = try UploadJob()
        job.settings = [setting: job.target.root]
        #expect(try job.run(to: 110).isSuccess)
        for path in ["latest.txt", "headers/0000100.bin", "authority.txt"] {
            let date = try FileManager.default.attributesOfItem(atPath: job.tree.path(path))[
                .modificationDate]
            try job.target.flip(path)
            try FileManager.default.setAttributes(
                [.modificationDate: try #require(date)], ofItemAtPath: job.target.path(path))
        }
        #expect(try job.run(to: 110).isSuccess)
        try job.expectUploaded()
    }

    @Test(.enabled(if: ObjectStore.program != nil, "Tests/run installs a store that speaks S3"))
    func rcloneBringsATreeToAnObjectStore() throws {
        let job = try UploadJob()
        let store = try ObjectStore()
        let url = "\(store.base)/bucket/alice"
        job.environment = store.environment
        job.settings = ["CONCORD_UPLOAD_RCLONE": "store:bucket/alice", "CONCORD_URL": url]
        let first = try job.run(to: 40)
        #expect(first.isSuccess && first.output.contains("\(url) serves the tree"), "\(first.said)")
        let sent = try store.puts().map { String($0.dropFirst("alice/".count)) }
        #expect(Set(sent) == Set(job.tree.files()))
        #expect(sent.last == "latest.txt")
        let stages = ["snapshots", "attestations", "headers", "authority.txt", "latest.txt"]
        let places = stages.map { stage in sent.indices.filter { sent[$0].hasPrefix(stage) } }
        for (early, late) in zip(places, places.dropFirst()) {
            #expect(try #require(early.last) < #require(late.first))
        }

        // Content types, caching and ranges; whoever fetches needs nothing else.
        try job.tree.addPages()
        let second = try job.run(to: 44)
        #expect(second.isSuccess, "\(second.said)")
        try expectServedByTheTable(url, job.tree, isOpenToPages: false)
        let again = try store.puts().dropFirst(sent.count).map { String($0.dropFirst("alice/".count)) }
        #expect(again.filter { $0.hasSuffix(".zst") || $0.hasPrefix("attestations") }.count == 4 * 3)
        let client = try Client()
        try client.trust("alice", job.publication.publicKey, url)
        #expect(try client.fetch().agreement.height == 44)
    }

    /// One target that fails keeps nobody else from the tree, and is told.
    @Test func everyTargetIsTried() throws {
        let job = try UploadJob()
        let (absent, other) = ("\(job.target.root)/no/such/folder", job.publication.scratch.path("other"))
        job.settings = [
            "CONCORD_UPLOAD_RSYNC": "\(absent) \(job.target.root)", "CONCORD_UPLOAD_RCLONE": other,
            "CONCORD_UPLOAD": "false", "CONCORD_URL": job.server.base,
        ]
        let outcome = try job.run(to: 30)
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("error: uploading to \(absent) failed"), "\(outcome.said)")
        #expect(outcome.errors.contains("«\(absent)» «your own command»"), "\(outcome.said)")
        #expect(outcome.output.contains("serves the tree"))
        try job.expectUploaded()
        #expect(PlainTree(other).files() == job.tree.files())
    }

    /// A command of one's own is given the folder; hosts that are some seconds behind are waited for.
    @Test func anUploadOfOnesOwnIsReadBackOnceTheHostHasIt() throws {
        let job = try UploadJob()
        job.settings = [
            "CONCORD_UPLOAD": """
            mkdir -p '\(job.target.root)' && rm -f '\(job.target.root)/latest.txt'
            tar -C "$1" --exclude=./latest.txt -c . | tar -C '\(job.target.root)' -x
            (sleep 3; cp "$1/latest.txt" '\(job.target.root)') >/dev/null 2>&1 &
            """,
            "CONCORD_URL": job.server.base, "CONCORD_URL_WAIT": "60",
        ]
        let outcome = try job.run(to: 30)
        #expect(outcome.isSuccess && outcome.output.contains("serves the tree"), "\(outcome.said)")
    }

    /// What is served is not what was published: the job says which file at which URL, and fails.
    @Test(arguments: ["latest.txt", "attestations/", "snapshots/", "headers/", "gone"])
    func aHostThatServesSomethingElseIsNamed(what: String) throws {
        let job = try UploadJob()
        job.settings = ["CONCORD_UPLOAD_RSYNC": job.target.root]
        #expect(try job.run(to: 30).isSuccess)
        let path: String
        if what == "gone" {
            path = "authority.txt"
            try job.target.remove(path)
        } else {
            let suffix = what == "snapshots/" ? "manifest.txt" : ""
            path = try #require(
                job.target.files().last { $0.hasPrefix(what) && $0.hasSuffix(suffix) })
            try job.target.flip(path)
        }
        // Another host's copy, which nothing uploads to.
        job.settings = ["CONCORD_URL": job.server.base, "CONCORD_URL_WAIT": "0"]
        let outcome = try job.run(to: 30)
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("\(job.server.base)/\(path)"), "\(outcome.said)")
        #expect(outcome.errors.contains(job.tree.path(path)), "\(outcome.said)")
        #expect(outcome.output.contains("1 of "), "\(outcome.said)")
        #expect(outcome.errors.contains("«what is served»"))
    }

    /// Killed at any moment and run again, with clients fetching all the while.
    @Test func aKilledUploadGoesOnAndNeverPointsBeyondItsData() throws {
        let job = try UploadJob()
        // Slow enough that kills meet all its steps.
        job.settings = [
            "CONCORD_UPLOAD_RSYNC": job.target.root, "CONCORD_RSYNC_OPTIONS": "--bwlimit=400",
        ]
        try expectKilledUploadsGoOn(
            job, at: job.server.base, heights: [60, 149, 155, 230], maxKills: 10, maxFiles: 250,
            progress: { job.uploaded().count }, check: job.expectHintHasItsData)
        try job.expectUploaded()
        #expect(try fetched(job) == 230)
    }

    @Test(.enabled(if: ObjectStore.program != nil, "Tests/run installs a store that speaks S3"))
    func aKilledUploadToAnObjectStoreGoesOn() throws {
        let job = try UploadJob()
        let store = try ObjectStore()
        let url = "\(store.base)/bucket/alice"
        job.environment = store.environment
        job.settings = ["CONCORD_UPLOAD_RCLONE": "store:bucket/alice", "CONCORD_URL": url]
        try expectKilledUploadsGoOn(
            job, at: url, heights: [20, 55, 60], maxKills: 5, maxFiles: 50,
            progress: { try store.puts().count },
            check: { note in
                guard try WebAnswer("\(url)/latest.txt").status == 200 else { return }
                let fault = FetchingClients.fault(url, job.publication.publicKey)
                #expect(fault == nil, "\(note)")
            })
    }

    /// - Parameters:
    ///   - maxFiles: after at most so many files comes a kill.
    ///   - progress: how far the upload is, in files.
    ///   - check: what is to hold after every kill.
    private func expectKilledUploadsGoOn(
        _ job: UploadJob, at url: String, heights: [Int], maxKills: Int, maxFiles: Int,
        progress: () throws -> Int, check: (String) throws -> Void
    ) throws {
        var random = SeededRandom()
        let clients = FetchingClients(url, job.publication.publicKey)
        defer { _ = clients.stop() }
        var kills = 0
        for height in heights {
            var hasEnded = false
            while !hasEnded {
                let run = try job.start(to: height)
                // The first two early: later ones may come when the upload is done.
                let most = kills < 2 ? maxFiles / 10 : maxFiles
                let files = try progress() + Int.random(in: 1..<most, using: &random)
                while try run.isRunning() && (kills == maxKills || progress() < files) { usleep(5000) }
                usleep(.random(in: 0..<200_000, using: &random))
                kill(-run.pid, SIGKILL)
                let outcome = try run.wait()
                hasEnded = outcome.signal == nil
                if hasEnded { #expect(outcome.isSuccess, "seed \(random.seed): \(outcome.said)") }
                if !hasEnded { kills += 1 }
                try check("seed \(random.seed), kill \(kills)")
            }
        }
        let (fetches, faults) = clients.stop()
        #expect(kills >= 2 && fetches >= 2, "seed \(random.seed): \(kills) kills, \(fetches) fetches")
        #expect(faults == [], "seed \(random.seed)")
    }

    private func fetched(_ job: UploadJob) throws -> Int? {
        let client = try Client()
        try client.trust("alice", job.publication.publicKey, job.server.base)
        let fetched = try client.fetch()
        #expect(fetched.faults.isEmpty)
        return fetched.agreement.height
    }

    private func inodes(_ tree: PlainTree) throws -> [String: Int] {
        try tree.files().reduce(into: [:]) { all, path in
            let attributes = try FileManager.default.attributesOfItem(atPath: tree.path(path))
            all[path] = attributes[.systemFileNumber] as? Int
        }
    }
}

/// Clients that fetch from an upload's host, a fresh one each time, from when it has a hint until they are stopped.
private final class FetchingClients: Sendable {
    private struct State {
        var isStopping = false
        var hasEnded = false
        var fetches = 0
        var faults: [String] = []
    }

    private let state = Mutex(State())

    init(_ url: String, _ key: String) {
        Thread.detachNewThread { [self] in
            while !state.withLock({ $0.isStopping }) {
                guard (try? WebAnswer("\(url)/latest.txt").status) == 200 else {
                    usleep(20_000)
                    continue
                }
                let fault = Self.fault(url, key)
                state.withLock {
                    $0.fetches += 1
                    if let fault { $0.faults.append(fault) }
                }
            }
            state.withLock { $0.hasEnded = true }
        }
    }

    /// What a fetch had to complain of.
    static func fault(_ url: String, _ key: String) -> String? {
        do {
            let client = try Client()
            try client.trust("alice", key, url)
            let fetched = try client.fetch()
            return fetched.faults.isEmpty ? nil : "\(fetched.faults)"
        } catch {
            return "\(error)"
        }
    }

    /// How many there were, and what went wrong.
    func stop() -> (fetches: Int, faults: [String]) {
        state.withLock { $0.isStopping = true }
        while !state.withLock({ $0.hasEnded }) { usleep(10_000) }
        return state.withLock { ($0.fetches, $0.faults) }
    }
}
