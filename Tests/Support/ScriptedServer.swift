import Foundation
import Synchronization

/// A `ScriptedSite` over a socket of this machine: HTTP/1.1, over connections that are used again.
public final class ScriptedServer: Sendable {
    /// A request as it came.
    public struct Asked: Sendable {
        public let path: String
        public let range: ScriptedRequest.Span?
        public let time: Duration
    }

    private let server: HostileServer
    private let script: Script

    public init(_ site: ScriptedSite) throws {
        let script = Script(site)
        self.script = script
        server = try HostileServer { socket in
            while let head = socket.receiveRequest(), let answer = script.answer(to: head) {
                guard script.send(answer, on: socket) else { return }
            }
        }
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    public var base: String { server.base }
    /// Connections accepted so far.
    public var connections: Int { server.connections }
    /// All that was asked so far.
    public var requests: [Asked] { script.state.withLock(\.requests) }

    /// Answers as another site from now on, which counts its requests and its time anew.
    public func become(_ site: ScriptedSite) {
        script.state.withLock { ($0.site, $0.counts, $0.began) = (site, [:], .now) }
    }

    /// Breaks all connections; new ones are refused from then on.
    public func stop() {
        script.state.withLock { $0.isStopped = true }
        server.stop()
    }
}

/// What a server's threads share.
private final class Script: Sendable {
    struct State: Sendable {
        var site: ScriptedSite
        var counts: [String: Int] = [:]
        var requests: [ScriptedServer.Asked] = []
        var began = ContinuousClock.now
        var isStopped = false
    }

    let state: Mutex<State>
    /// The time between two pieces of a body that has a rate, and between two looks whether the server was
    /// stopped.
    private static let nap: Duration = .milliseconds(20)

    init(_ site: ScriptedSite) { state = Mutex(State(site: site)) }

    /// nil for what is no request.
    func answer(to head: String) -> ScriptedAnswer? {
        let lines = head.split(separator: "\r\n")
        let words = lines.first?.split(separator: " ") ?? []
        guard words.count == 3, words[1].hasPrefix("/") else { return nil }
        let range = lines.first { $0.lowercased().hasPrefix("range: ") }
            .flatMap { ScriptedRequest.Span(header: String($0.dropFirst("range: ".count))) }
        let encoded = String(words[1].dropFirst().prefix { $0 != "?" })
        let path = encoded.removingPercentEncoding ?? encoded
        let (site, count, time) = state.withLock {
            let time = ContinuousClock.now - $0.began
            $0.counts[path, default: 0] += 1
            $0.requests.append(.init(path: path, range: range, time: time))
            return ($0.site, $0.counts[path] ?? 1, time)
        }
        return site.answer(ScriptedRequest(path: path, range: range, count: count, time: time))
    }

    /// False where the connection is not to be used again.
    func send(_ answer: ScriptedAnswer, on socket: Socket) -> Bool {
        switch answer.manner {
        case .answers: break
        case .refuses:
            socket.reset()
            return false
        case .vanishes, .hangs:
            socket.waitForEnd()
            return false
        case .hangsUp: return false
        }
        guard sleep(answer.delay) else { return false }
        var head = "HTTP/1.1 \(answer.status) Scripted\r\n"
        for (name, value) in answer.headers.sorted(by: { $0.key < $1.key }) {
            head += "\(name): \(value)\r\n"
        }
        if let announced = answer.announced { head += "Content-Length: \(announced)\r\n" }
        if answer.announced != answer.body.count { head += "Connection: close\r\n" }
        guard socket.send(head + "\r\n") else { return false }
        let count = min(answer.body.count, answer.stallsAfter ?? .max, answer.breaksAfter ?? .max)
        guard send(answer.body[..<count], at: answer.rate, on: socket) else { return false }
        if answer.breaksAfter == count {
            // What is still on its way would be lost with the connection.
            usleep(50_000)
            socket.reset()
            return false
        }
        if answer.stallsAfter == count, count < answer.body.count || answer.announced == nil {
            socket.waitForEnd()
            return false
        }
        guard answer.announced == answer.body.count else {
            socket.finish()
            return false
        }
        return true
    }

    private func send(_ bytes: ArraySlice<UInt8>, at rate: Int?, on socket: Socket) -> Bool {
        guard let rate else { return socket.send(Array(bytes)) }
        let start = ContinuousClock.now
        var sent = 0
        while sent < bytes.count {
            let due = min(bytes.count, Int((ContinuousClock.now - start) / .seconds(1) * Double(rate)) + 1)
            if due > sent {
                guard socket.send(Array(bytes.dropFirst(sent).prefix(due - sent))) else { return false }
                sent = due
            }
            guard sent == bytes.count || sleep(Self.nap) else { return false }
        }
        return true
    }

    /// False if the server was stopped meanwhile.
    private func sleep(_ time: Duration) -> Bool {
        let end = ContinuousClock.now + time
        while !state.withLock(\.isStopped) {
            let left = end - .now
            guard left > .zero else { return true }
            usleep(UInt32(min(left, Self.nap) / .microseconds(1)))
        }
        return false
    }
}
