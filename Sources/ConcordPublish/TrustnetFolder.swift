import Concord
import ConcordFiles

/// A trustnet as those who run it keep it: the folder that is published, and beside it what is not.
///
///     DIR/trustnet.json  .sig  trustnet.pem       the newest version, and its bootstrap key
///     DIR/trustnet/N.json  .sig  .previous.sig    every version, each name for ever
///     DIR.state/draft.json                        what is to be signed next; missing where that is what was signed
///     DIR.state/journal/N.json                    what was signed, or was about to be
public struct TrustnetFolder: ~Copyable {
    private let folder: Folder
    private let state: Folder
    private let journal: TrustnetJournal
    private let stateLock: FolderLock?
    private let folderLock: FolderLock?

    private static let draft = "draft.json"

    /// Opens both folders, one run of the program at a time. They are made where they are missing and something is to
    /// begin; else that throws.
    public init(_ path: String, isNew: Bool = false) throws(FileError) {
        if !isNew, try !Folder(reading: Self.state(path)).contains("."),
            try !Folder(reading: path).contains(TrustnetPath.newest)
        {
            throw Self.missing(path)
        }
        let stateLock = try FolderLock(Self.state(path))
        let folderLock = try FolderLock(withoutFile: path)
        let folder = try Folder(path)
        let state = try Folder(Self.state(path))
        self.folder = folder
        self.state = state
        journal = TrustnetJournal(state)
        self.stateLock = consume stateLock
        self.folderLock = consume folderLock
    }

    /// Opens them to look at what is there.
    public init(reading path: String) {
        folder = Folder(reading: path)
        state = Folder(reading: Self.state(path))
        journal = TrustnetJournal(state)
        stateLock = nil
        folderLock = nil
    }

    private static func state(_ path: String) -> String { path + ".state" }

    /// The newest version that was signed, or was about to be; nil before the first.
    public func newest() throws(FileError) -> Trustnet? {
        let newest = try journal.newest()
        let path = folder.path(TrustnetPath.newest)
        guard try folder.contains(TrustnetPath.newest) else { return newest }
        let published = try Self.read(path)
        guard let newest, published.version < newest.version || published == newest else {
            throw FileError(
                path,
                "is a version \(published.version) of which \(state.root) knows nothing: take that folder from a "
                    + "backup. If it is lost, and nothing newer was ever published, copy "
                    + "\(folder.path("trustnet"))/*.json into \(state.path("journal"))", kind: .conflict)
        }
        return newest
    }

    /// What the next version will be, and whether that differs from the newest one.
    public func draft() throws(FileError) -> (trustnet: Trustnet, isChanged: Bool) {
        let newest = try newest()
        guard try state.contains(Self.draft) else {
            guard let newest else { throw Self.missing(folder.root) }
            return (newest, false)
        }
        let draft = try Self.read(state.path(Self.draft), isDraft: true)
        guard let newest else { return (draft, true) }
        // All else is set when it is signed, or never changes.
        var next = newest
        next.minimum = draft.minimum
        next.members = draft.members
        return (next, next != newest)
    }

    private static func missing(_ path: String) -> FileError {
        FileError(path, "holds no trustnet: make one with «concord-publish trustnet new»")
    }

    /// Begins a trustnet; throws where there is one.
    public func begin(_ trustnet: Trustnet) throws(FileError) {
        guard try !state.contains(Self.draft), try newest() == nil else {
            throw FileError(folder.root, "holds a trustnet already: give another folder", kind: .conflict)
        }
        try write(draft: trustnet)
    }

    /// Keeps a list for the next version.
    public func write(draft: Trustnet) throws(FileError) {
        try state.write(Array(draft.text.utf8), at: Self.draft)
    }

    public struct Signing: Sendable {
        public let trustnet: Trustnet
        public enum Kind: Sendable {
            /// A new version.
            case new
            /// A version that an earlier run had begun, or files that were missing.
            case finished
            /// All is as it was.
            case unchanged
        }
        public let kind: Kind
    }

    /// Publishes the draft as a new version. What an earlier run began is finished first.
    ///
    /// - Parameters:
    ///   - key: The bootstrap key.
    ///   - newKey: The key that replaces it from this version on.
    ///   - expires: In seconds since 1970; nil for a year from now, and for no new version only because of that.
    public func sign(
        key: SigningKey, newKey: SigningKey? = nil, expires: Int64?, now: Int64
    ) throws -> Signing {
        let keys = [key, newKey].compactMap(\.self)
        let newest = try newest()
        var isFinished = false
        if let newest, try !isPublished(newest) {
            try publish(newest, keys: keys)
            isFinished = true
        }
        var (next, isChanged) = try draft()
        // A run that was killed may have replaced the key before.
        let isReplacing = newKey.map { $0.publicKey != next.bootstrap } ?? false
        guard newest == nil || isChanged || isReplacing || (expires != nil && !isFinished) else {
            try state.remove(Self.draft)
            return Signing(trustnet: next, kind: isFinished ? .finished : .unchanged)
        }
        if newest == nil, isReplacing {
            throw FileError(
                folder.root, "has no signed version whose key could be replaced: leave the new key out",
                kind: .conflict)
        }
        next.version = (newest?.version ?? 0) + 1
        next.expires = expires ?? now + Self.year
        if let newKey { next.bootstrap = newKey.publicKey }
        try next.check()
        // All keys are there before the number is taken.
        _ = try signers(of: next, from: keys)
        try journal.record(next)
        try publish(next, keys: keys)
        try state.remove(Self.draft)
        return Signing(trustnet: next, kind: .new)
    }

    private static let year: Int64 = 365 * 86_400

    /// The key that a version names, and where that replaces another one, that one too.
    private func signers(
        of trustnet: Trustnet, from keys: [SigningKey]
    ) throws(FileError) -> (own: SigningKey, previous: SigningKey?) {
        let own = try find(trustnet.bootstrap, in: keys)
        guard let before = try bootstrap(before: trustnet), before != trustnet.bootstrap else {
            return (own, nil)
        }
        return (own, try find(before, in: keys))
    }

    /// The key of the version before.
    private func bootstrap(before trustnet: Trustnet) throws(FileError) -> PublicKey? {
        trustnet.version == 1 ? nil : try journal.version(trustnet.version - 1).bootstrap
    }

    private func find(_ key: PublicKey, in keys: [SigningKey]) throws(FileError) -> SigningKey {
        guard let found = keys.first(where: { $0.publicKey == key }) else {
            throw FileError(
                folder.root,
                "needs a signature by the bootstrap key \(key.hex); given "
                    + (keys.count == 1 ? "is " : "are ")
                    + keys.map(\.publicKey.hex).joined(separator: " and "),
                kind: .conflict)
        }
        return found
    }

    /// Whether all files of the newest version are there, and say what they should.
    public func isPublished(_ trustnet: Trustnet) throws(FileError) -> Bool {
        let before = try bootstrap(before: trustnet)
        let version = TrustnetPath.version(trustnet.version)
        let previous = try? File.read(
            folder.path(TrustnetPath.previousSignature(version)), atMost: SignedTrustnet.maxSignatureBytes)
        for path in [version, TrustnetPath.newest] {
            guard let bytes = try? File.read(folder.path(path), atMost: Trustnet.maxBytes),
                let signature = try? File.read(
                    folder.path(TrustnetPath.signature(path)), atMost: SignedTrustnet.maxSignatureBytes),
                let signed = try? SignedTrustnet(
                    checking: bytes, signature: signature, previousSignature: previous),
                signed.trustnet == trustnet, before.map(signed.isSigned) ?? true
            else { return false }
        }
        return true
    }

    /// Writes a version that stands in the journal, signatures first: whoever sees a document finds its signature
    /// under the name of its version. Only then it becomes the newest.
    private func publish(_ trustnet: Trustnet, keys: [SigningKey]) throws {
        let bytes = Array(trustnet.text.utf8)
        let path = TrustnetPath.version(trustnet.version)
        if try folder.contains(path), try File.read(folder.path(path), atMost: Trustnet.maxBytes) != bytes {
            throw FileError(
                folder.path(path),
                "is another document than the one noted in \(state.path("journal")): nothing was signed. Find out who "
                    + "wrote it: two signed documents under one number end all trust in a key",
                kind: .conflict)
        }
        let signers = try signers(of: trustnet, from: keys)
        let signature = try signers.own.sign(SHA256.hash(bytes))
        var files: [Folder.Staged] = []
        if let previous = signers.previous {
            files.append(
                try folder.stage(
                    try previous.sign(SHA256.hash(bytes)), at: TrustnetPath.previousSignature(path)))
        }
        files.append(try folder.stage(signature, at: TrustnetPath.signature(path)))
        files.append(try folder.stage(bytes, at: path))
        try folder.install(files)
        let newest = TrustnetPath.newest
        try folder.install([
            try folder.stage(trustnet.bootstrap.pem, at: TrustnetPath.pem),
            try folder.stage(signature, at: TrustnetPath.signature(newest)),
            try folder.stage(bytes, at: newest),
        ])
    }

    static func read(_ path: String, isDraft: Bool = false) throws(FileError) -> Trustnet {
        let bytes = try File.read(path, atMost: Trustnet.maxBytes)
        do throws(TrustnetError) {
            return isDraft ? try Trustnet(parsingDraft: bytes) : try Trustnet(parsing: bytes)
        } catch {
            throw FileError(path, "\(error)")
        }
    }

    /// Lets go of the folders. Called where the work ends, so that the locks are held until then.
    public consuming func close() throws(FileError) {
        try folder.removeTemporaries()
        try state.removeTemporaries()
    }
}
