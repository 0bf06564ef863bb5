import ArgumentParser
import Concord

/// The network of an argument.
public enum NetworkName {
    @Sendable public static func parse(_ text: String) throws -> Network {
        guard let network = Network(rawValue: text) else {
            throw ValidationError(
                "«\(text.printable)» is no network: "
                    + Network.allCases.map(\.rawValue).joined(separator: ", ") + ".")
        }
        return network
    }
}
