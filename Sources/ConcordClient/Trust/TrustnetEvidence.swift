import Concord
import ConcordFiles
import ConcordTransfers

/// Two documents of a trustnet under one number, kept so that anybody can check them with openssl.
public struct TrustnetEvidence: Sendable {
    /// Where it was written.
    public let path: String
    public let name: AuthorityName
    public let network: Network
    public let version: Int
    /// The key that signed both.
    public let key: PublicKey

    /// Writes `evidence/trustnet-NAME-N/`: each document, its signatures and the keys, and `account.txt`.
    public init(_ held: SignedTrustnet, _ other: SignedTrustnet, from url: String, in home: Folder)
        throws(FileError)
    {
        name = held.trustnet.name
        network = held.trustnet.network
        version = held.trustnet.version
        key = other.isSigned(by: held.trustnet.bootstrap) ? held.trustnet.bootstrap : other.trustnet.bootstrap
        let folder = "evidence/trustnet-\(name)-\(version)"
        var files: [Folder.Staged] = []
        var text = "Two documents of the trustnet \(name), both version \(version)\n\n"
        for (signed, origin) in [(held, "held before"), (other, "served at \(WebAddress.shown(url))")] {
            // Named by its contents: an older piece of evidence is never overwritten.
            let file = "\(signed.digest.hex).json"
            let key = signed.trustnet.bootstrap
            files += try signed.stage(in: home, as: "\(folder)/\(file)")
            files.append(try home.stage(key.pem, at: "\(folder)/\(key.hex).pem"))
            text += "\(file), \(origin)\n  signed by \(key.hex)\n"
            if signed.previousSignature != nil {
                text += "  and by the bootstrap key before: \(TrustnetPath.previousSignature(file))\n"
            }
        }
        text += "\nCheck a signature with: openssl dgst -sha256 -verify KEY.pem -signature FILE.sig FILE\n"
        files.append(try home.stage(text, at: "\(folder)/account.txt"))
        try home.install(files)
        path = home.path(folder)
    }

    /// What a folder shows that somebody else may have made: documents, each of which a key signed. Throws `FileError` for
    /// a file that is not what it should be, or unless one key signed two of one number.
    public init(reading folder: Folder) throws(FileError) {
        var documents: [SignedTrustnet] = []
        for file in try Folder.names(in: folder.root).sorted() where file.hasSuffix(".json") {
            let path = folder.path(file)
            let most = SignedTrustnet.maxSignatureBytes
            let previous = TrustnetPath.previousSignature(path)
            do {
                documents.append(
                    try SignedTrustnet(
                        checking: try File.read(path, atMost: Trustnet.maxBytes),
                        signature: try File.read(TreePath.signature(path), atMost: most),
                        previousSignature: try folder.contains(TrustnetPath.previousSignature(file))
                            ? try File.read(previous, atMost: most) : nil))
            } catch let error as FileError {
                throw error
            } catch {
                throw FileError(path, "\(error)")
            }
        }
        for (i, one) in documents.enumerated() {
            for other in documents[(i + 1)...]
            where one.trustnet.version == other.trustnet.version && one.digest != other.digest {
                let keys = [one.trustnet.bootstrap, other.trustnet.bootstrap]
                guard let key = keys.first(where: { one.isSigned(by: $0) && other.isSigned(by: $0) }) else {
                    continue
                }
                path = folder.root
                name = one.trustnet.name
                network = one.trustnet.network
                version = one.trustnet.version
                self.key = key
                return
            }
        }
        throw FileError(folder.root, "holds no two documents of one number that one key signed")
    }
}
