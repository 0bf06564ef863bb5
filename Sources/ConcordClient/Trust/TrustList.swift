import Concord
import ConcordFiles
import ConcordTransfers
import ConcordTree
import Foundation

/// Whom a client recognises: `trust.json` in its home folder.
public struct TrustList: Sendable {
    /// Its own authorities, beside those of its trustnets, and how far their keys count.
    public private(set) var members: [Trustnet.Member] = []
    /// Its own authorities.
    public var authorities: [Authority] { members.map(\.authority) }
    public private(set) var trustnets: [Subscription] = []

    /// A trustnet that it uses.
    public struct Subscription: Hashable, Sendable {
        /// The bootstrap key that the client was given; it may have been replaced since.
        public let key: PublicKey
        public internal(set) var urls: [String]
    }

    public static let maxBytes = 1 << 20

    /// Why a change is refused, or a file.
    public enum Refusal: Error, Sendable {
        case badName(String)
        /// Of an entry of this name, or of a trustnet.
        case badKey(String, of: String?)
        /// The key is in the list under this name.
        case keyHasName(AuthorityName)
        /// The name is in the list with this key.
        case otherKey(AuthorityName, PublicKey)
        case authorityWithoutURL
        case trustnetWithoutURL
        /// No block can have this height.
        case badHeight(Int)
        case unknown(AuthorityName)
        /// Of another scheme, or with more than a path; without its password.
        case noTreeURL(String)
        /// libcurl's or our words why; without its password.
        case badURL(String, why: String)
        /// The file at this path is no such list: a refusal, or no JSON of its form.
        case damaged(path: String, any Error)
    }

    public init() {}

    /// Reads the list; one that is not there is empty. Throws `FileError`, or `Refusal.damaged`.
    public init(reading path: String) throws {
        let bytes: [UInt8]
        do throws(FileError) {
            bytes = try File.read(path, atMost: Self.maxBytes)
        } catch {
            if error.isMissing { return }
            throw error
        }
        do {
            let stored = try JSONDecoder().decode(Stored.self, from: Data(bytes))
            for entry in stored.authorities {
                guard let name = AuthorityName(entry.name), let key = PublicKey(hex: entry.key) else {
                    throw AuthorityName(entry.name) == nil
                        ? Refusal.badName(entry.name) : .badKey(entry.key, of: entry.name)
                }
                try add(Authority(name: name, key: key, urls: entry.urls))
                if let height = entry.withdrawn { try retire(name, from: height) }
            }
            for entry in stored.trustnets ?? [] {
                guard let key = PublicKey(hex: entry.key) else {
                    throw Refusal.badKey(entry.key, of: nil)
                }
                try use(key, entry.urls)
            }
        } catch {
            throw Refusal.damaged(path: path, error)
        }
    }

    /// Adds an authority, or more URLs to one that is there. One name has one key, and one key one name.
    public mutating func add(_ authority: Authority) throws {
        let urls = try authority.urls.map(Self.normal)
        if let known = authorities.first(where: { $0.key == authority.key && $0.name != authority.name }) {
            throw Refusal.keyHasName(known.name)
        }
        if let i = members.firstIndex(where: { $0.authority.name == authority.name }) {
            let known = members[i].authority
            guard known.key == authority.key else { throw Refusal.otherKey(authority.name, known.key) }
            members[i].authority.urls += urls.filter { !known.urls.contains($0) }
            return
        }
        guard !urls.isEmpty else { throw Refusal.authorityWithoutURL }
        members.append(Trustnet.Member(Authority(name: authority.name, key: authority.key, urls: urls)))
    }

    /// Removes an authority; throws if there is none of this name.
    public mutating func remove(_ name: AuthorityName) throws {
        members.remove(at: try place(of: name))
    }

    /// Withdraws an authority's key: what it attests counts below a height only. Throws if there is none of this name,
    /// or if no block can have this height.
    public mutating func retire(_ name: AuthorityName, from height: Int) throws {
        let i = try place(of: name)
        guard (0...TreePath.maxHeight).contains(height) else {
            throw Refusal.badHeight(height)
        }
        members[i].withdrawn = height
    }

    private func place(of name: AuthorityName) throws -> Int {
        guard let i = members.firstIndex(where: { $0.authority.name == name }) else {
            throw Refusal.unknown(name)
        }
        return i
    }

    /// Adds a trustnet, or more URLs to one that is there.
    public mutating func use(_ key: PublicKey, _ urls: [String]) throws {
        let urls = try urls.map(Self.normal)
        guard !urls.isEmpty else { throw Refusal.trustnetWithoutURL }
        if let i = trustnets.firstIndex(where: { $0.key == key }) {
            trustnets[i].urls += urls.filter { !trustnets[i].urls.contains($0) }
        } else {
            trustnets.append(Subscription(key: key, urls: urls))
        }
    }

    /// Removes the trustnet that was added with this key, if it is there.
    public mutating func drop(_ key: PublicKey) { trustnets.removeAll { $0.key == key } }

    /// The text of the file.
    public func encoded() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let entries = members.map {
            Stored.Entry(
                name: $0.authority.name.description, key: $0.authority.key.hex, urls: $0.authority.urls,
                withdrawn: $0.withdrawn)
        }
        let trustnets = trustnets.map { Stored.Trustnet(key: $0.key.hex, urls: $0.urls) }
        return [UInt8](try encoder.encode(Stored(authorities: entries, trustnets: trustnets))) + [0x0a]
    }

    /// A URL of a tree or a trustnet without slashes at its end.
    public static func normal(_ url: String) throws -> String {
        guard ["http://", "https://", "file://"].contains(where: url.hasPrefix), !url.contains("?"),
            !url.contains("#")
        else {
            throw Refusal.noTreeURL(WebAddress.shown(url))
        }
        do throws(Failure.Kind) {
            _ = try WebAddress(url)
        } catch {
            // A file that is not there yet is fine.
            if case .badURL(let words) = error { throw Refusal.badURL(WebAddress.shown(url), why: words) }
        }
        return String(url.reversed().drop { $0 == "/" }.reversed())
    }

    private struct Stored: Codable {
        struct Entry: Codable {
            let name, key: String
            let urls: [String]
            /// Missing for a key that was not withdrawn.
            let withdrawn: Int?
        }
        struct Trustnet: Codable {
            let key: String
            let urls: [String]
        }
        let authorities: [Entry]
        let trustnets: [Trustnet]?
    }
}
