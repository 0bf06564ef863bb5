import Concord
import Foundation
import TestSupport
import Testing

/// A host that is not who signs can only fail to be useful: what it does wrong is told, and others serve.
@Suite(.waits) struct BadHostTests {
    /// What a host can spoil: the paths of one kind of file that a fetch of the tip needs.
    enum Kind: String {
        case shards, deltas, manifest, headers, attestation, statement

        func paths(_ tree: PlainTree) throws -> [String] {
            switch self {
            case .shards: tree.paths("snapshots", containing: "/0000300-").filter { $0.hasSuffix(".zst") }
            case .deltas: tree.paths("deltas", containing: "/0000300/")
            case .manifest:
                tree.paths("snapshots", containing: "/0000300-").filter { $0.hasSuffix("manifest.txt") }
            case .headers: ["headers/0000300.bin"]
            case .attestation: [try tree.attestation(330)]
            // One that the agreed one names.
            case .statement: [try tree.attestation(310)]
            }
        }
    }

    @Test(arguments: [Kind.shards, .headers, .attestation]) func oneBitOnOneHost(kind: Kind) throws {
        let sites = try Site.all()
        let client = try Client(trusting: sites)
        for path in try kind.paths(sites[0].tree) { try sites[0].tree.flip(path) }
        let outcome = try client.succeed("fetch")
        let warnings = outcome.errors.split(separator: "\n").filter { $0.hasPrefix("warning: ") }
        // Whoever has room is asked: for one file alone that may be another host.
        #expect(!warnings.isEmpty || kind == .attestation, "\(outcome.said)")
        #expect(
            warnings.allSatisfy { $0.contains(sites[0].url) && $0.hasSuffix("; fetched from another host") })
        #expect(!outcome.errors.contains(sites[1].url) && !outcome.errors.contains(sites[2].url))
        // What is here is what Core has.
        try CoinTests.expectSome(client)
        let again = try client.fetch()
        // Headers are asked for each time.
        #expect(again.shards == 0 && again.patches == 0 && (again.faults.isEmpty || kind == .headers))
    }

    @Test(arguments: [Kind.deltas, .manifest, .statement]) func oneBitOnAllHosts(kind: Kind) throws {
        let sites = try Site.all()
        let client = try Client(trusting: sites)
        for site in sites {
            for path in try kind.paths(site.tree) { try site.tree.flip(path) }
        }
        let outcome = try client.run("fetch")
        #expect(outcome.status == 4, "\(outcome.said)")
        for site in sites { #expect(outcome.errors.contains(site.url), "\(outcome.said)") }
        #expect(!client.isInstalled)
        #expect(
            try client.run("utxos", "raw(51)").errors
                == "error: nothing was fetched yet: run `concord fetch` first\n")

        // And against good hosts it goes on.
        let good = try Site.all()
        for site in good { try client.trust(site) }
        try client.fetch()
        try CoinTests.expectSome(client)
    }

    /// A valid attestation, but of another block than its name says.
    @Test func oneAttestationInThePlaceOfAnother() throws {
        let sites = try Site.all()
        let client = try Client(trusting: sites)
        let (one, other) = (try sites[0].tree.attestation(311), try sites[0].tree.attestation(312))
        try sites[0].tree.replace(one, try sites[0].tree.read(other))
        try sites[0].tree.replace("\(one).sig", try sites[0].tree.read("\(other).sig"))
        let fetched = try client.fetch()
        // Where the other hosts are asked for it, nobody notices.
        #expect(
            fetched.faults.count <= 1 && fetched.faults.allSatisfy { $0.contains("\(sites[0].url)/\(one)") },
            "\(fetched)")
    }

    /// Files are missing on one host: an upload that is not complete.
    @Test func oneHostLacksData() throws {
        let sites = try Site.all()
        let client = try Client(trusting: sites)
        for path in sites[0].tree.files() where path.hasPrefix("snapshots") || path.hasPrefix("deltas") {
            try sites[0].tree.remove(path)
        }
        let fetched = try client.fetch()
        #expect(fetched.shards == 16 && fetched.deltas == 3)
        try CoinTests.expectSome(client)
    }

    /// `latest.txt` names a block that nobody attests.
    @Test func latestLies() throws {
        let sites = try Site.all()
        let client = try Client(trusting: sites)
        try sites[1].tree.replace("latest.txt", "331 \(String(repeating: "0", count: 63))1\n")
        let (status, answer) = try client.check()
        #expect(status == 0 && answer.verdicts[1] == "unreachable")
        #expect(
            answer.authorities[1].problems.contains {
                $0.contains("\(sites[1].url)/attestations/0000300/0000331-")
            })
    }

    /// Nothing outside the home changes, whatever links are in it.
    @Test(arguments: [
        "sets", "sets/regtest", "sets/regtest/snapshots", "sets/regtest/patches", "sets/regtest/.tmp",
        "headers",
        "evidence",
    ])
    func aPlantedLinkIsNotFollowed(path: String) throws {
        let sites = try Site.all()
        let client = try Client(trusting: sites)
        let outside = PlainTree(client.scratch.path("outside"))
        try outside.replace("0000250-of-somebody/file", "precious")
        try outside.replace("file", "precious")
        let before = try outside.look()
        let link = client.home.path(path)
        try FileManager.default.createDirectory(
            at: URL(fileURLWithPath: link).deletingLastPathComponent(), withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: outside.root)
        if path == "evidence" { try sites[0].lie(at: 330) }
        let outcome = try client.run("fetch")
        #expect(outcome.status == 1 && outcome.errors.contains(link), "\(outcome.said)")
        #expect(try outside.look() == before)
    }
}

/// What a host can do to a file on its way, with the built client. All that hosts do: `HostFault`.
@Suite(.waits) struct HostileHostTests {
    enum Trick: String, CaseIterable {
        case endless, bomb, hugeWindow, redirectToFile, stalled
    }

    /// A zstd frame of blocks that repeat one byte (RFC 8878, 3.1.1), with a window of 2^`windowLog` bytes.
    static func frame(windowLog: UInt8, bytes: Int) -> [UInt8] {
        var frame: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd, 0x00, (windowLog - 10) << 3]
        var rest = bytes
        while rest > 0 {
            let size = min(rest, 128 << 10)
            rest -= size
            let header = size << 3 | 1 << 1 | (rest == 0 ? 1 : 0)
            frame += [UInt8(header & 0xff), UInt8(header >> 8 & 0xff), UInt8(header >> 16), 0]
        }
        return frame
    }

    static let bombs = (
        bomb: frame(windowLog: 20, bytes: 2 << 30), window: frame(windowLog: 31, bytes: 100_000)
    )

    /// Or the tests would show nothing.
    @Test func theBombsAreFrames() throws {
        let scratch = try Scratch()
        let zstd = try Program.installed("zstd")
        try scratch.write(Self.frame(windowLog: 20, bytes: 1_000_000), to: "small.zst")
        #expect(try zstd.print("-dcq", scratch.path("small.zst")) == [UInt8](repeating: 0, count: 1_000_000))
        try scratch.write(Self.bombs.window, to: "window.zst")
        let refused = try zstd.run("-dcq", scratch.path("window.zst"))
        #expect(!refused.isSuccess && refused.errors.contains("--long=31"), "\(refused.said)")
    }

    /// One of the authorities is served by a host that spoils all shards, or all patches.
    @Test(arguments: Trick.allCases) func othersServe(trick: Trick) throws {
        let sites = try Site.all()
        let client = try Client()
        let bombs = Self.bombs
        let tree = sites[0].tree
        let server = try HostileServer { socket in
            guard let path = socket.receiveRequest()?.split(separator: " ")[1].dropFirst() else { return }
            let ok = { (length: Int) in
                "HTTP/1.1 200 OK\r\nContent-Length: \(length)\r\nConnection: close\r\n\r\n"
            }
            guard let file = try? tree.read(String(path)) else {
                socket.send("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                return socket.finish()
            }
            let answer = { (bytes: [UInt8], length: Int) in
                socket.send(ok(length))
                socket.send(bytes)
            }
            guard path.hasSuffix(".zst") else {
                answer(file, file.count)
                return socket.finish()
            }
            switch trick {
            case .endless:
                socket.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
                while socket.send(file) {}
            case .bomb: answer(bombs.bomb, bombs.bomb.count)
            case .hugeWindow: answer(bombs.window, bombs.window.count)
            case .redirectToFile:
                socket.send(
                    "HTTP/1.1 302 Found\r\nLocation: file://\(tree.path(String(path)))\r\nContent-Length: 0\r\n\r\n"
                )
            case .stalled:
                socket.send(ok(file.count))
                socket.waitForEnd()
            }
            socket.finish()
        }
        defer { server.stop() }
        try client.trust("alpha", sites[0].publicKey, server.base)
        for site in sites.dropFirst() { try client.trust(site) }
        client.keep(sites[0])
        // For the host that stalls; the others are to answer in time on a busy machine too.
        let fetched = try client.fetch("--timeout", trick == .stalled ? "5" : "30")
        #expect(fetched.shards == 16 && fetched.deltas == 3)
        // One that is silent is told of only where the others take longer than a moment.
        #expect(!fetched.faults.isEmpty || trick == .stalled, "\(fetched.faults)")
        #expect(fetched.faults.allSatisfy { $0.contains(server.base) }, "\(fetched.faults)")
        try CoinTests.expectSome(client)
        #expect(PlainTree(client.home.root).files().allSatisfy { !$0.contains(".tmp") })
    }

    /// A host that stalls on the small files is an authority that is away.
    @Test func stalledFromTheStart() throws {
        let sites = try Site.all()
        let client = try Client()
        let server = try HostileServer { $0.waitForEnd() }
        defer { server.stop() }
        try client.trust("alpha", sites[0].publicKey, server.base)
        for site in sites.dropFirst() { try client.trust(site) }
        let start = Date()
        let (status, answer) = try client.check("--timeout", "5")
        #expect(status == 0 && answer.verdicts == ["unreachable", "agrees", "agrees"])
        #expect(answer.authorities[0].problems.contains { $0.contains("timed out") })
        // Without the option it takes half a minute.
        #expect(Date().timeIntervalSince(start) < 28)
    }
}

/// Signed files that are not right.
@Suite(.waits) struct BadSignatureTests {
    enum Fault: String, CaseIterable {
        case badSignature, otherKey, otherTree, highS, trailingByte, emptySignature, truncatedText, page,
            noLatest
        case carriageReturn
    }

    /// n, the order of secp256k1, less s.
    static func highS(_ signature: [UInt8]) -> [UInt8] {
        let order: [UInt8] = [
            0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe,
            0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41,
        ]
        let r = Array(signature[4..<4 + Int(signature[3])])
        let s = Array(signature[(6 + r.count)...])
        let padded = [UInt8](repeating: 0, count: 32 - s.suffix(32).count) + s.suffix(32)
        var borrow = 0
        var high = [UInt8](repeating: 0, count: 32)
        for i in (0..<32).reversed() {
            let difference = Int(order[i]) - Int(padded[i]) - borrow
            borrow = difference < 0 ? 1 : 0
            high[i] = UInt8(truncatingIfNeeded: difference)
        }
        let integer = high[0] < 0x80 ? high : [0] + high
        let body = [0x02, UInt8(r.count)] + r + [0x02, UInt8(integer.count)] + integer
        return [0x30, UInt8(body.count)] + body
    }

    private static func spoil(_ site: Site, _ fault: Fault, other: Site) throws {
        let tree = site.tree
        let path = try tree.attestation(330)
        let signature = try tree.read("\(path).sig")
        switch fault {
        case .badSignature: try tree.flip("\(path).sig")
        case .otherKey:
            try tree.replace(path, try other.tree.read(path))
            try tree.replace("\(path).sig", try other.tree.read("\(path).sig"))
        case .otherTree: try tree.replace("authority.txt", try other.tree.read("authority.txt"))
        case .highS: try tree.replace("\(path).sig", highS(signature))
        case .trailingByte: try tree.replace("\(path).sig", signature + [0])
        case .emptySignature: try tree.replace("\(path).sig", [UInt8]())
        case .truncatedText: try tree.replace(path, try tree.read(path).dropLast(9))
        case .page: try tree.replace("latest.txt", "<!doctype html><html><body>It works!</body></html>\n")
        case .noLatest: try tree.replace("latest.txt", "")
        case .carriageReturn:
            try tree.replace(
                path,
                try tree.text(path).split(separator: "\n", omittingEmptySubsequences: false).joined(
                    separator: "\r\n"))
        }
    }

    static let words: [Fault: String] = [
        .badSignature: ".txt: the signature is not ", .otherKey: ".txt: the attestation is of another key",
        .otherTree: "/authority.txt: is the tree of the key",
        .highS: ".txt: the signature has its s in the upper half",
        .trailingByte: ".txt: the signature is not strict DER: has bytes behind its end",
        .emptySignature: ".txt: the signature is not strict DER: ends too early",
        .truncatedText: ".txt: the attestation ", .page: "/latest.txt: is a page for people",
        .noLatest: "/latest.txt: ends too early", .carriageReturn: ".txt: the attestation ",
    ]

    @Test(arguments: Fault.allCases) func invalidIsNotAgreement(fault: Fault) throws {
        let sites = try Site.all()
        let client = try Client(trusting: sites)
        try Self.spoil(sites[0], fault, other: sites[1])
        let (status, answer) = try client.check()
        #expect(status == 0 && answer.height == 330)
        #expect(answer.verdicts == ["invalid", "agrees", "agrees"], "\(answer)")
        let problem = try #require(answer.authorities[0].problems.first)
        #expect(problem.contains(sites[0].url) && problem.contains(Self.words[fault] ?? "?"), "\(problem)")
        let table = try client.succeed("check")
        #expect(table.output.contains("alpha: \(problem)"))

        // Two of three that cannot be believed leave nothing to agree on.
        try Self.spoil(sites[1], fault, other: sites[2])
        let outcome = try client.run("fetch")
        #expect(outcome.status == 3, "\(outcome.said)")
        #expect(!client.isInstalled)
    }
}
