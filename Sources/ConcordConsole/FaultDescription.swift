import Concord
import ConcordClient
import ConcordTransfers

/// What a person is shown of a fault.
extension Fault: CustomStringConvertible {
    public var description: String {
        let file = "\(WebAddress.shown(url))/\(path)"
        return switch kind {
        case .absent: "\(file) does not exist"
        case .forbidden(let status), .refused(let status): "\(file) was answered with status \(status)"
        case .busy(let status): "\(file) was answered with status \(status): the host wants fewer requests"
        case .slow(let seconds): "\(file) timed out: next to nothing came for \(seconds) seconds"
        case .givenUp: "\(file) was not waited for any longer"
        case .timedOut(let words): "\(file) timed out: \(words)"
        case .unreachable(let words), .untrusted(let words), .broken(let words):
            "\(file) could not be fetched: \(words)"
        case .badURL(let words): "\(file) is no URL that can be fetched: \(words)"
        case .wrongRange: "\(file) was not answered with the range of bytes that was asked for"
        case .tooLarge(let limit): "\(file) is larger than the \(limit) bytes it may have"
        case .behind: "\(WebAddress.shown(url)): \(words)"
        default: "\(file): \(words)"
        }
    }

    /// What is wrong with what came.
    private var words: String {
        switch kind {
        case .page: "is a page for people, not the file"
        case .malformed(let error): error.description
        case .notSigned(let error): error.description
        case .notTrustnet(let error): error.description
        case .notDocument(let error): error.description
        case .otherBlock(let block): "is the attestation of another block, \(block)"
        case .otherTree(let kind, let expected):
            "attests \(kind.words)" + (expected.map { ", not \($0.words)" } ?? "")
        case .otherKey(let key, let wanted): "is the tree of the key \(key.hex), not of \(wanted.hex)"
        case .otherVersion(let version): "is version \(version), not the one that its name says"
        case .ahead(let time):
            "was signed at \(Timestamp.text(time)), more than two hours ahead of this machine's clock. Is that clock "
                + "right?"
        case .behind(let shown, let signed, let time):
            "shows height \(shown) as its newest, but its key signed height \(signed) at \(Timestamp.text(time)), as was "
                + "seen before: it is behind, or holds newer blocks back. Ask again later, or add another mirror"
        case .mismatch(let words): words
        case .header(let fault): fault.description
        case .headersAhead(let time):
            "a header on the way has the time \(Timestamp.text(time)), more than two hours ahead of this machine's clock"
        case .leadsElsewhere(let block): "does not lead to \(block), which it attests"
        case .tooFar(let blocks):
            "is \(blocks) blocks away from what others attest: its headers were not followed so far"
        case .refusedTrustnet(let refusal): refusal.description
        case .breaksHistory(let height):
            "its attestation of height \(height) does not name the statements before it. Tell whoever runs it; `concord check` "
                + "compares it with others"
        default: ""
        }
    }
}

extension TreeKind {
    public var words: String {
        "\(network.rawValue) with \(parameters.shards) shards and epochs of \(parameters.epoch) blocks"
    }
}

extension NotThere: CustomStringConvertible {
    public var description: String {
        "no host had valid bytes for \(path):" + Fault.byHost(faults).map { "\n  \($0)" }.joined()
    }
}

extension Fault {
    /// One line a host: what went wrong first, and how often.
    public static func byHost(_ faults: [Fault]) -> [String] {
        let hosts = Dictionary(grouping: faults, by: \.url)
        return hosts.keys.sorted().compactMap { host in
            guard let all = hosts[host], let first = all.first else { return nil }
            let others = Set(all.map(\.path)).subtracting([first.path]).count
            return others == 0 ? first.description : "\(first) (and \(others) more files of this host)"
        }
    }
}

extension IncompatibleTrees: CustomStringConvertible {
    public var description: String {
        "`\(own.authority)` attests \(own.kind.words), `\(other.authority)` \(other.kind.words): authorities of one list "
            + "must be of one kind. Remove one with `concord trust remove`, or use another --home for it"
    }
}

extension TreeMirror.Refusal: CustomStringConvertible {
    public var description: String {
        let words =
            switch reason {
            case .beginsAbove(let first, let latest):
                "says that the tree begins at height \(first), above its newest, \(latest)"
            case .isBehind(let shown, let time, let held, let folder):
                "shows height \(shown), signed at \(Timestamp.text(time)), but \(folder) has height \(held), signed later: the "
                    + "host is behind. The mirror stays as it is"
            case .hasNoData(let folder):
                "has no snapshot of its newest epoch, but \(folder) has data. The mirror stays as it is; --attestations-only "
                    + "removes the data"
            }
        return "\(WebAddress.shown(url)): \(words)"
    }
}

extension AttestationFetch.HostFault {
    public var words: String { count == 1 ? "\(fault)" : "\(fault) (and \(count - 1) more of this host)" }
}
