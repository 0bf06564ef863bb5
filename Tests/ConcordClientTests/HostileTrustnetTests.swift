import Concord
import ConcordPublish
import TestSupport
import Testing

@testable import ConcordClient

/// A trustnet that is used for the first time, from a host that would have its versions walked for ever.
@Suite struct HostileTrustnetTests {
    private static let net = "http://net.example/list"

    /// What the host serves as the versions below the newest.
    enum Walk: CaseIterable, Sendable {
        /// Each is signed by another key.
        case otherKeys
        /// All by one key, and not by the one that was given.
        case anotherKey
        /// Signed by the key that was given, each of them another trustnet.
        case otherNames
        /// The first half by other keys, then nothing.
        case half

        static let versions = 500

        /// The key that is given, and what the host serves.
        func made() throws -> (key: PublicKey, files: [String: [UInt8]]) {
            let trees = try MadeTree.all()
            var net = try MadeTrustnet(trees.map { ($0, [ClientScenario.url($0)]) })
            let given = net.key.publicKey
            let other = SigningKey.generate()
            if self != .otherNames { try net.change(by: other) { $0.version = 1 } }
            for version in 2...Self.versions + 1 {
                let key = self == .otherKeys || self == .half ? SigningKey.generate() : other
                if self == .half, version > Self.versions / 10, version <= Self.versions { continue }
                if self == .otherNames, version <= Self.versions {
                    try net.change {
                        $0.version = version
                        $0.name = AuthorityName("net\(version)") ?? $0.name
                    }
                } else {
                    try net.change(by: key) { $0.version = version }
                }
            }
            return (given, net.files)
        }

        static let all = Result { try allCases.reduce(into: [:]) { $0[$1] = try $1.made() } }
    }

    /// - Parameter rate: bytes a second of each answer.
    @Test(arguments: Walk.allCases, [nil, 110, 1000]) func isNotWalkedWithoutEnd(walk: Walk, rate: Int?)
        throws
    {
        let (key, files) = try #require(Walk.all.get()[walk])
        let scenario = try ClientScenario()
        let site = ScriptedSite(files: files)
        scenario.serve(rate.map { site.rate($0) } ?? site, at: Self.net)
        for tree in try MadeTree.all() { scenario.serve(tree) }
        try scenario.change { try $0.use(key, [Self.net]) }
        for _ in 0..<2 {
            let run = scenario.check()
            #expect(run.requests.count { $0.url.hasPrefix(Self.net) } <= 150)
            #expect(run.time <= scenario.settings.surveyTime * 1.2 + .seconds(1))
        }
    }

    /// A good host beside it is enough.
    @Test(arguments: Walk.allCases, [nil, 110]) func besideAGoodHost(walk: Walk, rate: Int?) throws {
        let scenario = try ClientScenario()
        let files = try #require(Walk.all.get()[walk]).files
        let trees = try MadeTree.all()
        let net = try MadeTrustnet(trees.map { ($0, [ClientScenario.url($0)]) })
        let site = ScriptedSite(files: files)
        scenario.serve(rate.map { site.rate($0) } ?? site, at: Self.net)
        scenario.serve(net.site, at: "http://good.example")
        for tree in trees { scenario.serve(tree) }
        try scenario.change { try $0.use(net.key.publicKey, [Self.net, "http://good.example"]) }
        for _ in 0..<2 {
            let run = scenario.check()
            #expect(run.end == .done(65), "\(run.end)")
            #expect(run.time <= scenario.settings.surveyTime * 1.2)
            #expect(run.requests.count < 200)
        }
        #expect(scenario.trustnetFaults.contains { $0.url == Self.net })
        #expect(scenario.trustnetFaults.allSatisfy { $0.url == Self.net })
    }
}

extension ClientScenario {
    /// What hosts of trustnets did wrong in the last run.
    var trustnetFaults: [Fault] {
        events.compactMap { event in
            if case .trustnetFault(let fault) = event { fault } else { nil }
        }
    }
}
