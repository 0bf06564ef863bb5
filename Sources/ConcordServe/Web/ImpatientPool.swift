import FlyingSocks

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Waits for sockets as another pool does, but for a connection that neither sends nor takes anything only so long: then it
/// is closed. It is where sockets are seen, so what else they need is done here.
struct ImpatientPool: AsyncSocketPool {
    let pool: any AsyncSocketPool
    let patience: Duration

    func prepare() async throws { try await pool.prepare() }
    func run() async throws { try await pool.run() }

    func suspendSocket(_ socket: Socket, untilReadyFor events: Socket.Events) async throws {
        // New connections are waited for without end.
        guard !Self.isListening(socket) else {
            Self.sendAtOnce(socket)
            return try await pool.suspendSocket(socket, untilReadyFor: events)
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            defer { group.cancelAll() }
            group.addTask { try await pool.suspendSocket(socket, untilReadyFor: events) }
            group.addTask {
                try await Task.sleep(for: patience)
                throw SocketError.timeout(message: "nothing came or went for \(patience)")
            }
            try await group.next()
        }
    }

    private static func isListening(_ socket: Socket) -> Bool {
        var (value, size) = (Int32(0), socklen_t(MemoryLayout<Int32>.size))
        return getsockopt(socket.file.rawValue, SOL_SOCKET, SO_ACCEPTCONN, &value, &size) == 0 && value != 0
    }

    /// Lets connections that are accepted from here on send small parts at once (TCP_NODELAY, which they inherit). An answer's
    /// head and body are two, and the second would wait 40 ms for the first to be acknowledged.
    private static func sendAtOnce(_ socket: Socket) {
        var value: Int32 = 1
        setsockopt(
            socket.file.rawValue, Int32(IPPROTO_TCP), TCP_NODELAY, &value,
            socklen_t(MemoryLayout<Int32>.size))
    }
}
