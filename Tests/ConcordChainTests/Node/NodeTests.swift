import Concord
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import ConcordChain

extension Node {
    /// A node of a test. Those that wait for the end of patience, or of the time for an answer, give little of it.
    convenience init(
        _ node: TestNode, network: Network = .regtest, login: NodeLogin? = nil,
        patience: Duration = .seconds(30), deadline: Duration = .seconds(30),
        isStopping: @escaping @Sendable () -> Bool = { false },
        tell: @escaping @Sendable (String) -> Void = { _ in }
    ) throws {
        var settings = Node.Settings()
        settings.patience = patience
        settings.deadline = deadline
        settings.isStopping = isStopping
        settings.tell = tell
        self.init(
            try NodeAddress(node.base, network: network), network: network,
            login: login ?? .cookie([node.cookieFile]), settings: settings)
    }
}

@Suite("Asking a node", .waits)
struct NodeTests {
    private func failure(_ node: Node, _ method: String = "getblockcount") throws -> NodeError {
        do throws(NodeError) {
            let count: Int = try node.call(method)
            throw NodeError(.local, "no error, but", "\(count)")
        } catch {
            return error
        }
    }

    @Test("Calls, batches in their order, and the node's own errors")
    func calls() throws {
        let server = try TestNode(mining: 5)
        let node = try Node(server)
        #expect(try node.call("getblockcount") == 5)
        let many = (0...600).map { $0 % 7 }
        let hashes: [Result<String, NodeError>] = try node.batch("getblockhash", many.map { [.number($0)] })
        #expect(hashes.count == 601)
        for (height, hash) in zip(many, hashes) {
            switch hash {
            case .success(let hash): #expect(try hash == server.result("getblockhash", height))
            case .failure(let error):
                #expect(height == 6 && error.kind == .refused(-8))
                #expect(
                    error.description.contains(
                        "\(server.base) getblockhash: the node says: «Block height out"))
            }
        }
        #expect(try failure(node, "nonsense").kind == .refused(-32601))
    }

    @Test(
        "What may pass is tried again for as long as patience lasts",
        arguments: [
            (TestNode.Fault.status(503), "not ready"), (.warmup, "warming up"),
            (.close, "is the node running"),
            (.delay(seconds: 5), "no answer in time"), (.cut, "is the node running"),
        ])
    func passing(fault: TestNode.Fault, words: String) throws {
        let server = try TestNode(mining: 1)
        let told = Mutex<[String]>([])
        // Only the late answer is to come too late.
        let deadline: Duration = if case .delay = fault { .seconds(2) } else { .seconds(30) }
        let node = try Node(
            server, patience: .milliseconds(700), deadline: deadline,
            tell: { text in told.withLock { $0.append(text) } })
        try server.fail(fault)
        let error = try failure(node)
        #expect(error.kind == .passing && told.withLock { $0.count } <= 1)
        #expect(error.description.hasPrefix("\(server.base) getblockcount: "))
        #expect(
            error.description.contains(words) && error.description.contains("tried for 0.7 s"), "\(error)")
        try server.clearFaults()
        // One that passes.
        try server.fail(fault, count: 1)
        let patient = try Node(server, deadline: deadline)
        #expect(try patient.call("getblockcount") == 1)
    }

    @Test(
        "What does not pass ends it at once",
        arguments: [
            (TestNode.Fault.status(401), NodeError.Kind.denied, "--cookie"),
            (.status(403), .denied, "rpcallowip"),
            (.html, .garbage, "RPC port"), (.truncated, .garbage, "RPC port"),
            (.wrongID, .garbage, "no answer to this"),
            (.status(302), .garbage, "RPC port"),
            (.error(code: -1, message: "no\u{1b}[2J"), .refused(-1), "«no\\u{1B}[2J»"),
        ])
    func lasting(fault: TestNode.Fault, kind: NodeError.Kind, words: String) throws {
        let server = try TestNode(mining: 1)
        let node = try Node(server, patience: .seconds(60))
        try server.fail(fault)
        let error = try failure(node)
        #expect(error.kind == kind && error.description.contains(words), "\(error)")
        #expect(try server.requests()["getblockcount"] == 1)
        // In a batch too.
        #expect(throws: NodeError.self) {
            _ = try node.batch("getblockcount", [[], []], as: Int.self).map { try $0.get() }
        }
    }

    @Test("An endless body is cut off", arguments: [0, 0.01])
    func endless(pause: Double) throws {
        let server = try TestNode(mining: 1)
        try server.fail(.endless(seconds: pause))
        let node = try Node(
            server, patience: .milliseconds(700), deadline: .seconds(pause == 0 ? 30 : 2))
        let error = try failure(node)
        #expect(error.kind == (pause == 0 ? .garbage : .passing), "\(error)")
    }

    @Test("The cookie is read again: a node that was started again has written another")
    func cookie() throws {
        let server = try TestNode(mining: 1)
        let node = try Node(server, patience: .seconds(20))
        #expect(try node.call("getblockcount") == 1)
        let before = try String(contentsOfFile: server.cookieFile, encoding: .utf8)
        try server.stop()
        try server.start()
        #expect(try String(contentsOfFile: server.cookieFile, encoding: .utf8) != before)
        #expect(try node.call("getblockcount") == 1)
    }

    @Test("User and password, from a file; a wrong one says where to look")
    func user() throws {
        let server = try TestNode(mining: 1, options: ["--user", "bob", "--password", "a:b c"])
        let scratch = try Scratch()
        let right = try scratch.write("a:b c\n", to: "right")
        let wrong = try scratch.write("a:b\n", to: "wrong")
        let good = try Node(server, login: .password(user: "bob", file: right))
        #expect(try good.call("getblockcount") == 1)
        let error = try failure(try Node(server, login: .password(user: "bob", file: wrong)))
        #expect(error.kind == .denied && error.description.contains(wrong))
        #expect(error.description.contains("«bob»") && !error.description.contains("a:b"))
        let none = try failure(try Node(server, login: .password(user: "bob", file: scratch.path("none"))))
        #expect(none.kind == .local && none.description.contains("none: cannot open"))
        let cookie = try failure(try Node(server, login: .cookie([scratch.path("none")])))
        #expect(cookie.kind == .denied && cookie.description.contains(scratch.path("none")))
    }

    @Test("A wait ends soon after it is to stop, also while the node works")
    func stopping() throws {
        let server = try TestNode(mining: 1)
        for fault in [TestNode.Fault.status(503), .delay(seconds: 30)] {
            try server.clearFaults()
            try server.fail(fault)
            let start = Date()
            let node = try Node(
                server, patience: .seconds(60), isStopping: { Date() > start.addingTimeInterval(0.5) })
            #expect(try failure(node).kind == .stopped)
            #expect(Date().timeIntervalSince(start) < 15)
        }
    }

    @Test("A certificate that nobody trusts is named, and not taken for a node that is away")
    func untrusted() throws {
        let server = try WebServer(encrypted: true)
        let node = Node(
            try NodeAddress(server.base, network: .regtest), network: .regtest, login: .cookie(["/none"]))
        let error = try failure(node)
        #expect(
            error.kind == .denied && error.description.contains("does not trust the certificate"), "\(error)")
        #expect(!error.description.contains("is the node running"))
    }

    @Test("TLS where plain http is spoken")
    func plain() throws {
        let server = try TestNode(mining: 1)
        var settings = Node.Settings()
        settings.patience = .milliseconds(300)
        let address = try NodeAddress("https" + server.base.dropFirst(4), network: .regtest)
        let node = Node(
            address, network: .regtest, login: .cookie([server.cookieFile]), settings: settings)
        let error = try failure(node)
        #expect(error.description.contains("for that give http://"), "\(error)")
    }

    @Test("Nobody there")
    func closedPort() throws {
        let closed = try ReservedPort()
        defer { withExtendedLifetime(closed) {} }
        var settings = Node.Settings()
        settings.patience = .milliseconds(700)
        let told = Mutex<[String]>([])
        settings.tell = { text in told.withLock { $0.append(text) } }
        let node = Node(
            try NodeAddress("127.0.0.1:\(closed.number)", network: .regtest), network: .regtest,
            login: .cookie(["/none"]),
            settings: settings)
        let error = try failure(node)
        #expect(error.kind == .passing && error.description.contains("server=1"))
        #expect(told.withLock { $0.count } == 1)
    }
}
