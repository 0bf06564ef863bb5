import FlyingSocks

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Waits for sockets as another pool does, but for a connection that neither sends nor takes anything only so long: then it
/// is closed.
struct ImpatientPool: AsyncSocketPool {
    let pool: any AsyncSocketPool
    let patience: Duration

    func prepare() async throws { try await pool.prepare() }
    func run() async throws { try await pool.run() }

    func suspendSocket(_ socket: Socket, untilReadyFor events: Socket.Events) async throws {
        // New connections are waited for without end.
        guard !Self.isListening(socket) else {
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
}
