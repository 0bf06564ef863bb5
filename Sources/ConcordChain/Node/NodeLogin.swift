import Concord
import ConcordFiles
import ConcordTransfers

/// How a node knows who asks.
public enum NodeLogin: Sendable {
    /// Bitcoin Core's cookie: the first of these files that is there. A node writes another one whenever it starts.
    case cookie([String])
    /// `rpcauth` or `rpcuser`: a name, and the file that holds its password in the first line.
    case password(user: String, file: String)

    /// The cookie of a node: in its network's folder of a data directory.
    public static func cookie(in directory: String, network: Network) -> NodeLogin {
        let outer = "\(directory)/.cookie"
        return .cookie(network.dataFolder.map { ["\(directory)/\($0)/.cookie", outer] } ?? [outer])
    }

    private static let maxBytes = 4096

    /// Looks at the file now. Nil where there is no cookie: the node may not be running yet.
    func current() throws(NodeError) -> Request.Login? {
        switch self {
        case .cookie(let paths):
            for path in paths {
                guard let text = try Self.firstLine(of: path, mayBeMissing: true) else { continue }
                guard let colon = text.firstIndex(of: ":") else { continue }
                return Request.Login(
                    user: String(text[..<colon]), password: String(text[text.index(after: colon)...]))
            }
            return nil
        case .password(let user, let file):
            return try Self.firstLine(of: file, mayBeMissing: false).map {
                Request.Login(user: user, password: $0)
            }
        }
    }

    private static func firstLine(of path: String, mayBeMissing: Bool) throws(NodeError) -> String? {
        do throws(FileError) {
            let bytes = try File.read(path, atMost: maxBytes)
            let line = bytes.prefix { $0 != 0x0a && $0 != 0x0d }
            guard !line.contains(0) else { throw FileError(path, "is no text") }
            return String(decoding: line, as: UTF8.self)
        } catch {
            if mayBeMissing, error.isMissing { return nil }
            throw NodeError(.local, path, error.message)
        }
    }

    /// What to do where the node does not know this login.
    var advice: String {
        switch self {
        case .cookie(let paths):
            let shown = paths.joined(separator: " or ")
            return
                "the node does not accept the cookie in \(shown), or none is there: name the node's own with --cookie "
                + "FILE (it is .cookie in the network's folder of its data directory, and readable for the node's "
                + "user), or give --user and --password-file"
        case .password(let user, let file):
            return
                "the node does not know the user «\(user.printable)» with the password in \(file): compare with rpcauth "
                + "or rpcuser in its bitcoin.conf, or use its cookie with --cookie FILE"
        }
    }
}
