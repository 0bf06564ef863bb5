import Concord
import ConcordClient

/// Why authorities cannot be compared with each other, and what to do.
extension RosterError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .mixed(let one, let other):
            "the trustnet `\(one.name)` is of \(Self.kind(one)), `\(other.name)` of \(Self.kind(other)): they can "
                + "never agree. Leave one with `concord trust drop`, or use another --home for it"
        case .sameKey(let one, let other, let key):
            "`\(one)` and `\(other)` have the same key, \(key.hex): one authority must not count twice. `concord trust "
                + "list` shows who has it under which name"
        case .sameName(let name, let one, let other):
            "`\(name)` is the name of two authorities, with the keys \(one.hex) and \(other.hex): nobody could tell "
                + "them apart. `concord trust list` shows who has which"
        case .tooFew(let count, let minimum):
            "only \(count) \(count == 1 ? "authority counts" : "authorities count"), and at least \(minimum) must "
                + "agree: add some with `concord trust add` or `concord trust use`, or lower --minimum if you set it"
        case .belowMinimum(let wanted, let trustnet):
            "a minimum of \(wanted) is below the \(trustnet.minimum) that the trustnet `\(trustnet.name)` asks for"
        }
    }

    private static func kind(_ trustnet: Trustnet) -> String {
        TreeKind(trustnet.network, trustnet.parameters).words
    }
}

/// Why a list of authorities was not changed, or not read.
extension TrustList.Refusal: CustomStringConvertible {
    public var description: String {
        switch self {
        case .badName(let name): "`\(name.printable)` is no name of an authority"
        case .badKey(let key, let name):
            "`\(key.printable)`, of \(name.map { "`\($0.printable)`" } ?? "a trustnet"), is no public key"
        case .keyHasName(let name): "this key is in the list as `\(name)`: one authority must not count twice"
        case .otherKey(let name, let key):
            "`\(name)` is in the list with another key, \(key.hex): if that is no longer right, first `concord trust "
                + "remove \(name)`"
        case .authorityWithoutURL: "an authority needs at least one URL of its tree"
        case .trustnetWithoutURL: "a trustnet needs at least one URL"
        case .badHeight(let height): "\(height) is no height from 0 to \(TreePath.maxHeight)"
        case .unknown(let name): "there is no `\(name)` in the list: see `concord trust list`"
        case .noTreeURL(let url):
            "`\(url.printable)` is no URL of a tree: one begins with http://, https:// or file://, and has no ? and no #"
        case .badURL(let url, let words): "`\(url.printable)` is no URL of a tree: \(words)"
        case .damaged(let path, let error):
            "\(path.printable): is not a list of authorities: \(Self.damage(error)). Mend it, or move it away and add the "
                + "authorities again"
        }
    }

    private static func damage(_ error: any Error) -> String {
        switch error {
        case is DecodingError: "it is no JSON, or of another form"
        // No command can take one of them out.
        case Self.otherKey(let name, _): "`\(name)` is in it with two keys"
        default: "\(error)"
        }
    }
}
