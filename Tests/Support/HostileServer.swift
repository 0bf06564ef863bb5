import Foundation
import Synchronization

/// A server that answers every connection as a test says, on a thread of its own, right or wrong.
public final class HostileServer: Sendable {
    private let listener: Socket
    private let port: UInt16
    private let state = Mutex((isStopped: false, accepted: 0, open: [Int: Socket]()))

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    public var base: String { "http://127.0.0.1:\(port)" }
    /// Connections accepted so far.
    public var connections: Int { state.withLock { $0.accepted } }

    /// `answer` is called for each connection; when it returns, the connection is closed.
    public init(everywhere: Bool = false, answer: @escaping @Sendable (Socket) -> Void) throws {
        listener = try Socket(listeningEverywhere: everywhere)
        port = try listener.port()
        Thread.detachNewThread { [self] in
            while let socket = listener.accept() {
                let number: Int? = state.withLock {
                    guard !$0.isStopped else { return nil }
                    $0.accepted += 1
                    $0.open[$0.accepted] = socket
                    return $0.accepted
                }
                guard let number else { break }
                Thread.detachNewThread { [self] in
                    answer(socket)
                    _ = state.withLock { $0.open.removeValue(forKey: number) }
                }
            }
        }
    }

    /// Answers each request on its own connection with these bytes.
    public convenience init(_ answer: String) throws {
        try self.init { socket in
            guard socket.receiveRequest() != nil else { return }
            socket.send(answer)
            socket.finish()
        }
    }

    /// Breaks all connections; their scripts see it at the next `send`.
    public func stop() {
        state.withLock {
            $0.isStopped = true
            for socket in $0.open.values { socket.shutDown() }
        }
        listener.shutDown()
    }
}

/// A TCP socket on this machine, closed when it is let go.
public final class Socket: Sendable {
    public struct Failed: Error {
        public let call: String
        public let number: CInt
    }

    private let descriptor: CInt
    private let isReset = Mutex(false)

    private init(descriptor: CInt) {
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        self.descriptor = descriptor
    }

    deinit {
        // A program that another thread was starting may hold it for a while, or for good.
        if !isReset.withLock(\.self) { shutDown() }
        close(descriptor)
    }

    private convenience init() throws {
        #if canImport(Glibc)
            let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        #else
            let descriptor = socket(AF_INET, SOCK_STREAM, 0)
        #endif
        guard descriptor >= 0 else { throw Failed(call: "socket", number: errno) }
        self.init(descriptor: descriptor)
    }

    public convenience init(listeningEverywhere: Bool) throws {
        try self.init(boundEverywhere: listeningEverywhere)
        guard listen(descriptor, 128) == 0 else { throw Failed(call: "listen", number: errno) }
    }

    /// Takes a free port, and does not listen there.
    convenience init(boundEverywhere: Bool) throws {
        try self.init()
        var yes: CInt = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<CInt>.size))
        var address = Self.address(port: 0, everywhere: boundEverywhere)
        try withUnsafePointer(to: &address) {
            try $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                let size = socklen_t(MemoryLayout<sockaddr_in>.size)
                guard bind(descriptor, $0, size) == 0 else { throw Failed(call: "bind", number: errno) }
            }
        }
    }

    public convenience init(connectingTo port: UInt16) throws {
        try self.init()
        var address = Self.address(port: port, everywhere: false)
        try withUnsafePointer(to: &address) {
            try $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                let size = socklen_t(MemoryLayout<sockaddr_in>.size)
                guard connect(descriptor, $0, size) == 0 else { throw Failed(call: "connect", number: errno) }
            }
        }
    }

    public func port() throws -> UInt16 {
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &size) }
        }
        guard code == 0 else { throw Failed(call: "getsockname", number: errno) }
        return UInt16(bigEndian: address.sin_port)
    }

    public func accept() -> Socket? {
        while true {
            let accepted = systemAccept(descriptor, nil, nil)
            if accepted >= 0 {
                // What is sent in two pieces does not wait for the client's word on the first.
                var yes: CInt = 1
                setsockopt(
                    accepted, CInt(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<CInt>.size))
                return Socket(descriptor: accepted)
            }
            guard errno == EINTR || errno == ECONNABORTED else { return nil }
        }
    }

    /// The head of a request, with its empty line; nil if the client went.
    public func receiveRequest() -> String? {
        let end = Array("\r\n\r\n".utf8)
        var request: [UInt8] = []
        while true {
            // What is behind the head stays for the next call.
            var bytes = [UInt8](repeating: 0, count: 4096)
            let seen = recv(descriptor, &bytes, bytes.count, CInt(MSG_PEEK))
            guard seen > 0 else { return nil }
            var taken = 0
            while taken < seen, request.suffix(end.count) != end[...] {
                request.append(bytes[taken])
                taken += 1
            }
            guard receive(taken)?.count == taken else { return nil }
            if request.suffix(end.count) == end[...] { return String(decoding: request, as: UTF8.self) }
        }
    }

    /// The body of a request, behind its head.
    public func receiveBody(_ count: Int) -> String? {
        var body: [UInt8] = []
        while body.count < count {
            guard let bytes = receive(count - body.count) else { return nil }
            body += bytes
        }
        return String(decoding: body, as: UTF8.self)
    }

    /// All that comes until the other side closes.
    public func receiveAll() -> String {
        var all: [UInt8] = []
        while let bytes = receive(4096) { all += bytes }
        return String(decoding: all, as: UTF8.self)
    }

    private func receive(_ count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        let received = recv(descriptor, &bytes, count, 0)
        return received > 0 ? Array(bytes[..<received]) : nil
    }

    /// False when the client has gone.
    @discardableResult
    public func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    @discardableResult
    public func send(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            #if canImport(Glibc)
                let flags = CInt(MSG_NOSIGNAL)
            #else
                let flags = CInt(0)
            #endif
            let sent = rest.withUnsafeBytes { systemSend(descriptor, $0.baseAddress, $0.count, flags) }
            guard sent > 0 else { return false }
            rest = rest.dropFirst(sent)
        }
        return true
    }

    /// Waits for the client to go away; returns too when the server is stopped.
    public func waitForEnd() {
        while receive(4096) != nil {}
    }

    /// Says that no more will come, and lets the client read what did.
    public func finish() {
        shutdown(descriptor, CInt(SHUT_WR))
        waitForEnd()
    }

    /// Makes the connection break off when the socket is let go, so that the client sees no end.
    public func reset() {
        isReset.withLock { $0 = true }
        var now = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
    }

    public func shutDown() {
        shutdown(descriptor, CInt(SHUT_RDWR))
    }

    private static func address(port: UInt16, everywhere: Bool) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = (everywhere ? 0 : 0x7f00_0001 as UInt32).bigEndian
        return address
    }
}

// Methods of these names hide the system's.
private let systemAccept = accept
private func systemSend(_ descriptor: CInt, _ bytes: UnsafeRawPointer?, _ count: Int, _ flags: CInt) -> Int {
    send(descriptor, bytes, count, flags)
}
