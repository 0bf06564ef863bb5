import Concord
import ConcordChain

/// Holds a machine's clock to what else tells the time: the newest block, and what was signed before. The time of an
/// attestation is signed for ever, and clients take the newest time for an authority's newest word.
public struct SigningClock: Sendable {
    /// Seconds that miners' clocks, and clients', may differ from this machine's.
    static let most: Int64 = 7200

    /// Whether the chain's newest block is that of its network: a node says so or denies it; nil where nobody says.
    let isAtTip: Bool?
    /// Whether the operator says that the clock is right. Behind the blocks it is not, whatever he says.
    let isTrusted: Bool

    public init(isAtTip: Bool? = nil, isTrusted: Bool = false) {
        self.isAtTip = isAtTip
        self.isTrusted = isTrusted
    }

    /// The clock is wrong, or what it is held to is: nothing is signed. It may pass by itself.
    public struct Fault: Error, CustomStringConvertible {
        public let description: String
    }

    /// Throws where nothing may be signed at this time.
    ///
    /// A clock is too far behind if it is two hours before the blocks to be signed, or what was signed last: miners' clocks are
    /// at most two hours ahead. It is too far ahead if it is two hours past both. A chain alone
    /// shows nothing: regtest's blocks may be of any day, and so may those in a folder, or those of a node that is
    /// catching up.
    ///
    /// - Parameters:
    ///   - now: of this machine. All times are seconds since 1970.
    ///   - newest: of the blocks to be signed, by their miners.
    ///   - newestBlock: of the chain, by its miner.
    ///   - newestSigned: of the newest attestation by this key; nil if there is none.
    func check(_ now: Int64, network: Network, newest: Int64, newestBlock: Int64, newestSigned: Int64?)
        throws(Fault)
    {
        let clock = "this machine's clock says \(Timestamp.text(now))"
        guard now >= newest - Self.most else {
            throw Fault(
                description:
                    "the newest of these blocks is of \(Timestamp.text(newest)), but \(clock): nothing was signed. Set the "
                    + "clock")
        }
        if isTrusted { return }
        if let newestSigned, newestSigned > now + Self.most {
            throw Fault(
                description:
                    "the newest attestation of this key was signed at \(Timestamp.text(newestSigned)), but \(clock): "
                    + "nothing was signed. If the clock is wrong now, set it. If it was wrong then, clients refuse "
                    + "what is ahead of their own clocks, and take the newest time for the newest word: wait until "
                    + "that time has passed, or go on now with --allow-clock, which brings clients back that have "
                    + "not seen it")
        }
        guard network.isMinedSteadily, now > newestBlock + Self.most,
            newestSigned.map({ now > $0 + Self.most && isAtTip != false }) ?? (isAtTip == true)
        else { return }
        throw Fault(
            description:
                "\(clock), but the newest block is of \(Timestamp.text(newestBlock))"
                + (newestSigned.map { ", and this key last signed at \(Timestamp.text($0))" } ?? "")
                + ": nothing was signed. If the clock is ahead, set it: a time that is signed stays. If it is right, "
                + "the node is behind its network: let it finish, or give --allow-clock")
    }
}
