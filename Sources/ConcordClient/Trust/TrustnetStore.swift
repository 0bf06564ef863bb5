import Concord
import ConcordFiles

/// What a client holds of a trustnet: every version that it took, under the names of FORMAT.md, «Trustnets». These files
/// are its memory and its evidence, so they stay when the trustnet is left.
///
///     trustnets/KEY/trustnet/N.json  .sig  .previous.sig    KEY is the bootstrap key that the client was given
public struct TrustnetStore: Sendable {
    private let home: Folder
    /// The bootstrap key that the client was given.
    public let key: PublicKey

    public init(_ home: Folder, key: PublicKey) {
        self.home = home
        self.key = key
    }

    private func path(_ relative: String) -> String { "trustnets/\(key.hex)/\(relative)" }

    /// The rule, with the version that was taken last.
    public func history() throws(FileError) -> TrustnetHistory {
        let versions = try Folder.names(in: home.path(path("trustnet"))).compactMap { name in
            name.hasSuffix(".json") ? Int(name.dropLast(5)) : nil
        }
        guard let newest = versions.max() else { return TrustnetHistory(key: key) }
        return TrustnetHistory(holding: try read(newest))
    }

    /// A version that was taken; nil for one that was not.
    public func version(_ version: Int) throws(FileError) -> SignedTrustnet? {
        try home.contains(path(TrustnetPath.version(version))) ? try read(version) : nil
    }

    private func read(_ version: Int) throws(FileError) -> SignedTrustnet {
        let name = TrustnetPath.version(version)
        let most = SignedTrustnet.maxSignatureBytes
        let (signature, previous) = (TrustnetPath.signature(name), TrustnetPath.previousSignature(name))
        let bytes = try File.read(home.path(path(name)), atMost: Trustnet.maxBytes)
        let signatures = (
            own: try File.read(home.path(path(signature)), atMost: most),
            previous: try home.contains(path(previous))
                ? try File.read(home.path(path(previous)), atMost: most) : nil
        )
        do throws(SignedTrustnetError) {
            let signed = try SignedTrustnet(
                checking: bytes, signature: signatures.own, previousSignature: signatures.previous)
            if signed.trustnet.version == version { return signed }
        } catch {
            throw FileError(home.path(path(name)), "was changed on this machine: \(error)")
        }
        throw FileError(home.path(path(name)), "was changed on this machine: it is another version")
    }

    /// Keeps a version that was taken; it is the newest once its document is in place.
    public func keep(_ signed: SignedTrustnet) throws(FileError) {
        try home.install(try signed.stage(in: home, as: path(TrustnetPath.version(signed.trustnet.version))))
    }
}

extension SignedTrustnet {
    /// Its files, the signatures first, ready to be installed together.
    func stage(in folder: Folder, as path: String) throws(FileError) -> [Folder.Staged] {
        var files = [try folder.stage(signature, at: TrustnetPath.signature(path))]
        if let previousSignature {
            files.append(try folder.stage(previousSignature, at: TrustnetPath.previousSignature(path)))
        }
        return files + [try folder.stage(bytes, at: path)]
    }
}
