import Concord
import ConcordTransfers
import Foundation
import TestSupport
import Testing

@testable import ConcordClient

/// The same hosts over sockets, asked by libcurl: what comes of them is the same.
@Suite struct RealHostFaultTests {
    /// Most of the time of a run is waiting, so many are under way together.
    private static let runs = DispatchSemaphore(value: 16)

    /// Scripts are played so many times faster.
    private static let haste = 20

    @Test(arguments: HostFault.cases) func sameOverASocket(test: HostFault) async throws {
        let test = test.overASocket
        let seen = try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                Self.runs.wait()
                let seen = Result { try Seen(test, haste: Self.haste) }
                Self.runs.signal()
                continuation.resume(with: seen)
            }
        }
        #expect(seen.before == [.done(47), .done(47)])
        #expect(seen.check.summary == test.check)
        #expect(words(seen.fetch.summary) == words(test.fetch))
        if test.isTriedAgain {
            #expect(kinds(seen.fetch.said).isSubset(of: kinds(test.said)))
        } else {
            #expect(kinds(seen.fetch.said) == kinds(test.said))
        }
        #expect(seen.fetch.faults.allSatisfy { $0.url == seen.url && $0.authority == seen.name })
        let isOfFile = test.mirror.hasPrefix("no ")
        #expect(
            isOfFile
                ? words(seen.mirror.summary) == words(test.mirror)
                : kinds(seen.mirror.summary) == kinds(test.mirror), "\(seen.mirror.summary)")
        #expect(seen.leftBehind.isEmpty)
        let installed = if case .done(let height) = seen.fetch.end { height } else { 47 }
        #expect(seen.installed == installed)
        #expect(
            seen.next.end == .done(65) && seen.next.faults.isEmpty, "\(seen.next.end) \(seen.next.faults)")
        #expect(seen.finallyInstalled == 65 && seen.mirroredNext.end == .done(65))
        #expect(seen.leftAtTheEnd.isEmpty)
    }

    /// How often a file was tried before it was given up is chance.
    private func words(_ text: String) -> Set<Substring> { Set(text.split(separator: " ")) }

    /// Which of two files that are asked for together comes first is chance too; and so is whether a second try stalls for
    /// too long just before the time for all tries is over.
    private func kinds(_ said: String) -> Set<Substring> {
        let kinds = Set(said.split(separator: ", ").compactMap { $0.split(separator: " ").first })
        return kinds.contains("slow") ? kinds.subtracting(["givenUp"]) : kinds
    }
}

/// What a client and a mirror saw of a host that was good, then bad, then good again.
private struct Seen {
    let url: String
    let name: AuthorityName
    let before: [ClientRun.End]
    let check, fetch, mirror: ClientRun
    let installed: Int?
    let leftBehind: [String]
    let next, mirroredNext: ClientRun
    let finallyInstalled: Int?
    let leftAtTheEnd: [String]

    init(_ test: HostFault, haste: Int) throws {
        let alice = try MadeTree.alice.get()
        name = alice.name
        let server = try ScriptedServer(alice.cut(to: 47).site.below("tree"))
        defer { server.stop() }
        let url = "\(server.base)/tree"
        self.url = url
        let scenario = try ClientScenario()
        scenario.web = CurlTransport()
        scenario.settings.checkers = 2
        try scenario.change { try $0.add(alice.authority(at: [url])) }
        before = [scenario.fetch().end, scenario.mirror(url, key: alice.key.publicKey).end]
        let settings = scenario.settings
        func play(_ tree: MadeTree? = nil, _ run: () -> ClientRun) throws -> ClientRun {
            server.become(try test.bend(tree ?? alice).faster(by: haste).below("tree"))
            return run()
        }
        // Who is good at first has all the time that a busy machine needs.
        if test.takesTime, test.check == "none" { scenario.settings.hurry() }
        check = try play { scenario.check() }
        if test.takesTime { scenario.settings.hurry() }
        fetch = try play(test.seenByAClient(alice)) { scenario.fetch() }
        installed = try scenario.installed()
        mirror = try play { scenario.mirror(url, key: alice.key.publicKey) }
        leftBehind = scenario.temporaries
        scenario.settings = settings
        server.become(alice.site.below("tree"))
        next = scenario.fetch()
        finallyInstalled = try scenario.installed()
        mirroredNext = scenario.mirror(url, key: alice.key.publicKey)
        leftAtTheEnd = scenario.leftovers
    }
}

extension TreeReader.Settings {
    /// No longer than a busy machine needs.
    fileprivate mutating func hurry() { (timeout, patience) = (.seconds(4), .seconds(16)) }
}

extension HostFault {
    /// Whether it ends when somebody has waited long enough, in any of the runs.
    fileprivate var takesTime: Bool {
        [fetch, said, mirror].contains { words in
            ["slow", "busy", "givenUp", "timedOut"].contains(where: words.contains)
        }
    }

    /// Whether libcurl itself may ask again, over a new connection, where one that was used before breaks off.
    fileprivate var isTriedAgain: Bool { ["refuses now and then", "hangs up now and then"].contains(name) }

    /// A server that is asked is there: what refuses breaks off, and what has vanished says nothing.
    fileprivate var overASocket: HostFault {
        switch name {
        case "redirect to nowhere":
            // Nobody listens there.
            let nowhere = Self.status(302, ["Location": "http://127.0.0.1:9/"])
            return HostFault(name, nowhere, check, fetch: fetch, said, mirror: mirror)
        case "vanished":
            return HostFault(
                name, bend, check, "givenUp authority, slow authority", mirror: "slow authority")
        default:
            let (fetch, said, mirror) = (fetch.broken, said.broken, mirror.broken)
            return HostFault(name, bend, check, fetch: fetch, said, mirror: mirror)
        }
    }
}

extension String {
    fileprivate var broken: String { replacing("unreachable", with: "broken") }
}
