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
}
