import ArgumentParser
import Concord
import ConcordConsole

/// Arguments turned into what they stand for.
enum Parse {
    @Sendable static func name(_ text: String) throws -> AuthorityName {
        guard let name = AuthorityName(text) else {
            throw ValidationError("a name is 1 to 40 letters, digits, «.», «_» and «-».")
        }
        return name
    }

    @Sendable static func publicKey(_ text: String) throws -> PublicKey {
        guard let key = PublicKey(hex: text.lowercased()) else {
            throw ValidationError(
                "«\(text.printable)» is no public key: 66 hex digits that begin with 02 or 03, a point of secp256k1."
            )
        }
        return key
    }

    @Sendable static func muhash(_ text: String) throws -> Digest {
        guard let muhash = Digest(reversedHex: text.lowercased()) else {
            throw ValidationError(
                "a MuHash is 64 hex digits, as `bitcoin-cli gettxoutsetinfo muhash` prints it.")
        }
        return muhash
    }

    @Sendable static func height(_ text: String) throws -> Int {
        guard let height = FieldLines.height(text) else {
            throw ValidationError("«\(text.printable)» is no height from 0 to \(TreePath.maxHeight).")
        }
        return height
    }

    @Sendable static func treeURL(_ text: String) throws -> String {
        let url = ChainOptions.withoutSlash(text)
        guard Trustnet.isURL(url) else {
            throw ValidationError(
                "«\(text.printable)» is no URL of a tree: http:// or https://, a host and a path, no more.")
        }
        return url
    }
}
