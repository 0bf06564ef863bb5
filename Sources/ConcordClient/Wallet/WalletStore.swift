import Concord
import ConcordFiles
import Foundation

/// The wallets of a home: `wallets/NAME.json`, for their owner alone to read, as they tell whose coins these are.
public struct WalletStore: Sendable {
    private let folder: Folder

    static let parent = "wallets"
    private static let maxBytes = 16 << 20

    /// - Parameter home: the client's folder.
    init(_ home: Folder) { folder = home }

    private struct Stored: Codable {
        struct Account: Codable {
            let descriptor: String
            let gap: Int
            let used: [Int]
        }
        let network: String
        /// A height, or seconds since 1970; at most one of them.
        let born: Int?
        let made: Int64?
        let accounts: [Account]
    }

    private static func path(_ name: String) -> String { "\(parent)/\(name).json" }

    /// By name. Throws `FileError`, and `WalletError.damaged`.
    public func all() throws -> [Wallet] {
        try Folder.names(in: folder.path(Self.parent)).filter { $0.hasSuffix(".json") }
            .map { try read(String($0.dropLast(5))) }
    }

    /// Throws `WalletError` where there is none.
    public func wallet(_ name: String) throws -> Wallet {
        guard Wallet.isName(name), try folder.contains(Self.path(name)) else {
            throw WalletError.missing(name)
        }
        return try read(name)
    }

    private func read(_ name: String) throws -> Wallet {
        let path = folder.path(Self.path(name))
        try Folder.refuseWritableByAll(path)
        let bytes = try File.read(path, atMost: Self.maxBytes)
        do {
            let stored = try JSONDecoder().decode(Stored.self, from: Data(bytes))
            guard let network = Network(rawValue: stored.network) else { throw WalletError.empty }
            var accounts: [Wallet.Account] = []
            for one in stored.accounts {
                var account = Wallet.Account(try Descriptor(one.descriptor), gap: one.gap)
                guard one.used.count == account.used.count,
                    one.used.allSatisfy({ (0...Wallet.maxScripts).contains($0) })
                else { throw WalletError.empty }
                account.used = one.used
                accounts.append(account)
            }
            return try Wallet(
                name, on: network, accounts,
                birth: stored.born.map { .height($0) } ?? stored.made.map { .time($0) })
        } catch is WalletError {
            throw WalletError.damaged(path: path)
        } catch is DescriptorError {
            throw WalletError.damaged(path: path)
        } catch is DecodingError {
            throw WalletError.damaged(path: path)
        }
    }

    /// Writes a wallet that is new. Throws `WalletError.exists`.
    public func add(_ wallet: Wallet) throws {
        guard try !folder.contains(Self.path(wallet.name)) else { throw WalletError.exists(wallet.name) }
        try write(wallet)
    }

    func write(_ wallet: Wallet) throws {
        var (born, made): (Int?, Int64?)
        switch wallet.birth {
        case .height(let height): born = height
        case .time(let time): made = time
        case nil: break
        }
        let stored = Stored(
            network: wallet.network.rawValue, born: born, made: made,
            accounts: wallet.accounts.map {
                Stored.Account(descriptor: $0.descriptor.description, gap: $0.gap, used: $0.used)
            })
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try folder.write(
            [UInt8](try encoder.encode(stored)), at: Self.path(wallet.name), mode: 0o600)
    }

    /// Removes a wallet. Throws `WalletError.missing`.
    public func remove(_ name: String) throws {
        guard Wallet.isName(name), try folder.contains(Self.path(name)) else {
            throw WalletError.missing(name)
        }
        try folder.remove(Self.path(name))
    }
}
