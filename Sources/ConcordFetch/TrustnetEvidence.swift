import Concord
import ConcordFiles

/// Two documents of a trustnet under one number, kept so that anybody can check them with openssl.
public struct TrustnetEvidence: Sendable {
    /// Where it was written.
    public let path: String
    public let name: AuthorityName
    public let version: Int

    /// Writes `evidence/trustnet-NAME-N/`: each document, its signatures and the keys, and `account.txt`.
    public init(_ held: SignedTrustnet, _ other: SignedTrustnet, from url: String, in home: Folder)
        throws(FileError)
    {
        name = held.trustnet.name
        version = held.trustnet.version
        let folder = "evidence/trustnet-\(name)-\(version)"
        var files: [Folder.Staged] = []
        var text = "Two documents of the trustnet \(name), both version \(version)\n\n"
        for (signed, origin) in [(held, "held before"), (other, "served at \(url.printable)")] {
            // Named by its contents: an older piece of evidence is never overwritten.
            let file = "\(signed.digest.hex.prefix(16)).json"
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
}
