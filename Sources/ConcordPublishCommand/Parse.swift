import ArgumentParser
import Concord

/// Arguments turned into what they stand for.
enum Parse {
    @Sendable static func name(_ text: String) throws -> AuthorityName {
        guard let name = AuthorityName(text) else {
            throw ValidationError("a name is 1 to 40 letters, digits, «.», «_» and «-».")
        }
        return name
    }

    @Sendable static func network(_ text: String) throws -> Network {
        guard let network = Network(rawValue: text) else {
            throw ValidationError(
                "«\(text)» is no network: " + Network.allCases.map(\.rawValue).joined(separator: ", ") + ".")
        }
        return network
    }
}
