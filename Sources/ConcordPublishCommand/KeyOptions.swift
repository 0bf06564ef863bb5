import ArgumentParser
import ConcordPublish

/// How files with private keys are read.
struct KeyOptions: ParsableArguments {
    @Flag(
        help: ArgumentHelp(
            "Take a key's file that others can read, as secrets mounted into containers can be. Root or you must own it, and "
                + "nobody else may write it."))
    var keyReadable = false

    /// The key in a file; of `-` the one on standard input.
    func key(_ path: String) throws -> SigningKey {
        path == "-"
            ? try SigningKey(readingStandardInput: ())
            : try SigningKey(readingFrom: path, othersMayRead: keyReadable)
    }
}
