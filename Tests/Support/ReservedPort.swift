/// A loopback port where nobody listens, and that nobody else is given for as long as this lives: neither before a
/// server that is told it listens there, nor after that has ended.
///
/// Linux lets a server that sets SO_REUSEADDR, as nearly all do, take a port that is bound so and not listened on.
/// Elsewhere the port is let go at once, and is only likely to stay free.
public final class ReservedPort: Sendable {
    public let number: UInt16
    private let socket: Socket?

    public init() throws {
        let socket = try Socket(boundEverywhere: false)
        number = try socket.port()
        #if canImport(Glibc)
            self.socket = socket
        #else
            self.socket = nil
        #endif
    }
}
