import Concord
import ConcordClient
import ConcordFiles
import Foundation
import TestSupport

@testable import ConcordServe

/// A home with a set that was fetched from trees on this disk, and what answers from it.
final class ServedScenario {
    let scratch: Scratch
    let cookie = Cookie()
    /// Seconds since 1970.
    static let now = MadeTree.time + 1000

    var home: String { scratch.path("home") }
    /// What an `Authorization` header has to say.
    var login: String {
        get throws {
            try cookie.write(to: scratch.path("cookie"))
            return "Basic \(Data(try scratch.read("cookie")).base64EncodedString())"
        }
    }

    /// The three trees' set: fetched once, and copied.
    init() throws {
        scratch = try Scratch()
        for (path, bytes) in try Self.fetched.get() { try scratch.write(bytes, to: "home/\(path)") }
    }

    /// Fetches from trees that agree.
    init(_ trees: [MadeTree], shards: Client.Shards = .asBefore) throws {
        scratch = try Scratch()
        try fetch(trees, shards: shards)
    }

    private static let fetched = Result {
        let scenario = try ServedScenario(MadeTree.all())
        let home = PlainTree(scenario.home)
        return try home.files().reduce(into: [String: [UInt8]]()) { $0[$1] = try home.read($1) }
    }

    /// Serves these trees in place of those before, and fetches.
    func fetch(_ trees: [MadeTree], shards: Client.Shards = .asBefore) throws {
        try publish(trees)
        let client = try Client(home: home, clock: { Self.now })
        defer { try? client.close() }
        _ = try client.install(try client.agree(), shards)
    }

    /// Serves these trees in place of those before, to a client that recognises whose they are.
    func publish(_ trees: [MadeTree]) throws {
        var list = TrustList()
        for tree in trees {
            try? FileManager.default.removeItem(atPath: scratch.path("\(tree.name)"))
            for (path, bytes) in tree.files { try scratch.write(bytes, to: "\(tree.name)/\(path)") }
            try list.add(tree.authority(at: ["file://\(scratch.path("\(tree.name)"))"]))
        }
        let client = try Client(home: home, clock: { Self.now })
        try client.write(list)
        try client.close()
    }

    /// Asks the authorities whether they agree, as `concord check` does.
    func check() throws -> AgreementSession {
        let client = try Client(home: home, clock: { Self.now })
        defer { try? client.close() }
        return try client.agree()
    }

    func served(despiteContradiction: Bool = false) throws -> ServedHome {
        try ServedHome(home, despiteContradiction: despiteContradiction)
    }

    func service(despiteContradiction: Bool = false) throws -> Service {
        Service(
            try served(despiteContradiction: despiteContradiction), cookie: cookie, now: { Self.now },
            describe: { "\($0)" })
    }

    // MARK: questions

    func get(_ path: String) throws -> WebAnswer { try service().get(path) }

    /// A call of version 1: its whole answer.
    func call(_ method: String, _ parameters: String = "[]") throws -> WebAnswer {
        try post("{\"method\":\"\(method)\",\"params\":\(parameters),\"id\":1}")
    }

    func post(_ body: String) throws -> WebAnswer { try service().post(body, try login) }

    /// What a call of version 1 gives.
    func result(_ method: String, _ parameters: String = "[]") throws -> JSONValue {
        let answer = try call(method, parameters)
        guard answer.status == 200, let value = JSONValue(reading: answer.body) else {
            throw TestError(answer.text)
        }
        return value["result"] ?? .null
    }
}

extension Service {
    func get(_ path: String) -> WebAnswer { answer(WebRequest("GET", path, host: "127.0.0.1:3000")) }

    func post(_ body: String, _ login: String?) -> WebAnswer {
        answer(
            WebRequest(
                "POST", "/", host: "127.0.0.1:3000", authorization: login, body: Array(body.utf8)))
    }
}

extension WebAnswer {
    var text: String { String(decoding: body, as: UTF8.self) }
}
