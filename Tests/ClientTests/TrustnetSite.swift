import Concord
import ConcordPublish
import Foundation
import TestSupport

/// A trustnet as somebody keeps it with the built publisher, on a web server of its own.
final class TrustnetSite {
    let name: String
    let server: WebServer
    let scratch: Scratch
    /// The bootstrap key that subscribers are given.
    let key: String
    /// What is published.
    var folder: PlainTree { PlainTree(scratch.path("net")) }
    var url: String { server.base }

    /// Version 1 of these authorities is signed.
    init(
        _ sites: [Site], name: String = "example", minimum: Int = 2, network: String = "regtest",
        epoch: Int? = nil
    ) throws {
        self.name = name
        scratch = try Scratch()
        let fixture = ChainFixture.regtestRich
        key = try Self.keygen(scratch.path("bootstrap.pem"))
        server = try WebServer(serving: URL(fileURLWithPath: scratch.path("net")))
        try run(
            "new", "--name", name, "--network", network, "--shards", "\(fixture.shards)", "--epoch",
            "\(epoch ?? fixture.epoch)", "--minimum", "\(minimum)", "--key", scratch.path("bootstrap.pem"))
        for site in sites { try add(site) }
        try sign()
    }

    deinit { server.stop() }

    private static func keygen(_ path: String) throws -> String {
        let printed = try Publication.program().print("keygen", "--key", path)
        return String(decoding: printed, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    func run(_ command: String, _ more: String...) throws {
        try Publication.program().print(["trustnet", command, "--folder", folder.root] + more)
    }

    func add(_ site: Site, as name: String? = nil) throws {
        try run("add", name ?? site.name, site.publicKey, site.url)
    }

    func sign(_ more: String..., key: String = "bootstrap.pem") throws {
        try Publication.program().print(
            ["trustnet", "sign", "--folder", folder.root, "--key", scratch.path(key)] + more)
    }

    /// Signs a version that replaces the bootstrap key.
    func replaceKey(_ old: String, by new: String) throws -> String {
        let key = try Self.keygen(scratch.path(new))
        try sign("--new-key", scratch.path(new), key: old)
        return key
    }

    /// Serves a version as the newest one.
    func serve(_ version: Int) throws {
        for (from, to) in [
            ("trustnet/\(version).json.sig", "trustnet.json.sig"),
            ("trustnet/\(version).json", "trustnet.json"),
        ] {
            try folder.replace(to, try folder.read(from))
        }
    }

    /// Puts another document, signed by the bootstrap key, in the place of a version, and serves it as the newest one.
    func forge(_ version: Int, _ change: (inout Trustnet) -> Void) throws {
        let path = "trustnet/\(version).json"
        var trustnet = try Trustnet(parsing: try folder.read(path))
        change(&trustnet)
        let key = try SigningKey(readingFrom: scratch.path("bootstrap.pem"))
        try folder.replace(path, trustnet.text)
        try folder.replace("\(path).sig", try key.sign(SHA256.hash(trustnet.text)))
        try serve(version)
    }
}

extension Client {
    func use(_ net: TrustnetSite) throws {
        try succeed("trust", "use", net.url, "--key", net.key)
    }

    /// `concord trust list --json`.
    func trusted() throws -> Trusted { try succeed("trust", "list", "--json").json() }
}

/// What `trust list --json` prints.
struct Trusted: Decodable {
    struct Net: Decodable {
        let key: String
        let urls: [String]
        let name, bootstrap, expires: String?
        let version, minimum: Int?
        let expired: Bool?
    }
    struct Row: Decodable {
        let name, key: String
        let urls, trustnets: [String]
        let own: Bool
        let withdrawnFrom: Int?
    }
    let trustnets: [Net]
    let authorities: [Row]
    let minimum: Int?
    let problem: String?
}
