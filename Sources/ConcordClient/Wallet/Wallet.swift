import Concord
import Foundation

/// Scripts whose coins a client keeps up with, under a name: descriptors without any secret, and how far each is used.
public struct Wallet: Sendable, Equatable {
    /// A descriptor, and which of its indexes are looked at.
    public struct Account: Sendable, Equatable {
        public let descriptor: Descriptor
        /// How many indexes are looked at behind the last that was seen in use.
        public let gap: Int
        /// Of each branch, how many indexes there are up to the last that was seen in use.
        public internal(set) var used: [Int]

        public init(_ descriptor: Descriptor, gap: Int = Wallet.defaultGap) {
            (self.descriptor, self.gap) = (descriptor, gap)
            used = .init(repeating: 0, count: descriptor.branches.count)
        }

        /// The indexes of a branch that are looked at.
        func indexes(_ branch: Int) -> Range<Int> { descriptor.isRanged ? 0..<used[branch] + gap : 0..<1 }
    }

    /// A scriptPubKey of a wallet, and where it comes from.
    public struct Script: Sendable, Hashable {
        public let script: [UInt8]
        /// The number of the account, of the branch in its descriptor, and the index in that.
        public let account, branch, index: Int
        /// Its place among the scripts of the branch at the index, of which `combo` has several.
        public let place: Int
    }

    public let name: String
    public let network: Network
    public private(set) var accounts: [Account]
    /// How old its keys are at most; nil where nothing is known.
    public let birth: Birth?

    /// A moment at which none of its scripts had a coin, for the keys were made later.
    public enum Birth: Sendable, Equatable {
        /// The block at a height.
        case height(Int)
        /// Seconds since 1970.
        case time(Int64)

        /// Miners name times of blocks that may be some hours off.
        static let margin: Int64 = 86_400

        /// Whether it is no earlier than a block.
        func isAfter(height: Int, time: Int64) -> Bool {
            switch self {
            case .height(let born): born >= height
            case .time(let made): made >= time + Self.margin
            }
        }
    }

    /// BIP 44's.
    public static let defaultGap = 20
    public static let maxGap = 10_000
    /// Scripts of one wallet: each is compared with what comes.
    public static let maxScripts = 100_000

    /// Throws where the name, a descriptor or a gap is none that a wallet can have.
    public init(
        _ name: String, on network: Network, _ accounts: [Account], birth: Birth? = nil
    ) throws(WalletError) {
        guard Self.isName(name) else { throw .name(name) }
        guard !accounts.isEmpty else { throw .empty }
        for account in accounts {
            guard account.descriptor.networks.contains(network) else {
                throw .network(account.descriptor, network)
            }
            guard (1...Self.maxGap).contains(account.gap) else { throw .gap(account.gap) }
        }
        (self.name, self.network, self.accounts, self.birth) = (name, network, accounts, birth)
        let count = scriptCount
        guard count <= Self.maxScripts else { throw .tooManyScripts(count) }
    }

    /// Letters, digits, `.`, `-` and `_`, at most 64, the first a letter or digit: also the name of a file.
    static func isName(_ name: String) -> Bool {
        (1...64).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                let character = Character(UnicodeScalar(byte))
                return character.isASCII
                    && (character.isLetter || character.isNumber || ".-_".contains(character))
            } && name.first.map { $0.isLetter || $0.isNumber } ?? false
    }

    private var scriptCount: Int {
        accounts.reduce(0) { sum, account in
            sum + account.used.indices.reduce(0) { $0 + account.indexes($1).count }
        }
    }

    /// All scripts that are looked at: of each branch those in use, and as many more as the gap is wide.
    public func scripts() throws(WalletError) -> [Script] {
        var scripts: [Script] = []
        for (number, account) in accounts.enumerated() {
            for (place, branch) in account.descriptor.branches.enumerated() {
                for index in account.indexes(place) {
                    let made: [[UInt8]]
                    do throws(DescriptorError) { made = try branch.scripts(at: UInt32(index)) } catch {
                        throw .descriptor(account.descriptor, error)
                    }
                    scripts += made.enumerated().map {
                        Script(script: $1, account: number, branch: place, index: index, place: $0)
                    }
                }
            }
        }
        return scripts
    }

    /// Takes note of scripts that were seen in use. Whether more are looked at from now on.
    mutating func use(_ scripts: some Sequence<Script>) -> Bool {
        let before = accounts
        for script in scripts where accounts[script.account].descriptor.isRanged {
            let used = accounts[script.account].used[script.branch]
            accounts[script.account].used[script.branch] = max(used, script.index + 1)
        }
        return accounts != before
    }
}

/// Why something is no wallet.
public enum WalletError: Error, Sendable, Equatable {
    /// Not letters, digits, `.`, `-` and `_`, or too long.
    case name(String)
    /// No descriptor.
    case empty
    /// Of another network.
    case network(Descriptor, Network)
    /// Not 1 to `Wallet.maxGap`.
    case gap(Int)
    case tooManyScripts(Int)
    /// One of its scripts cannot be made.
    case descriptor(Descriptor, DescriptorError)
    /// There is one of this name.
    case exists(String)
    /// There is none of this name.
    case missing(String)
    /// The file of this wallet cannot be understood.
    case damaged(path: String)
}
