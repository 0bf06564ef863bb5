import Concord
import ConcordClient

extension WalletError {
    /// What is wrong, and what to do.
    public var words: String {
        switch self {
        case .name(let name):
            "`\(name.printable)` is no name of a wallet: 1 to 64 letters, digits, `.`, `-` and `_`, the first a letter or digit"
        case .empty: "a wallet has at least one descriptor"
        case .network(let descriptor, let network):
            "\(descriptor) is of \(descriptor.networks.map(\.rawValue).joined(separator: ", ")), not of \(network.rawValue)"
        case .gap(let gap): "the gap is 1 to \(Wallet.maxGap), not \(gap)"
        case .tooManyScripts(let count):
            "a wallet has at most \(Wallet.maxScripts) scripts, this one would have \(count)"
        case .descriptor(let descriptor, let error): "\(descriptor): \(error)"
        case .exists(let name):
            "there is a wallet `\(name)` already: take another name, or `concord wallet remove \(name)` first"
        case .missing(let name):
            "there is no wallet `\(name.printable)`: `concord wallet list` shows those that there are"
        case .damaged(let path):
            "\(path.printable): is damaged, or was changed by hand. Remove this file and add the wallet again"
        }
    }
}
