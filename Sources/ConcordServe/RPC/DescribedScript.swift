import Concord

/// A scriptPubKey, and the descriptor that says what it is.
struct DescribedScript: Equatable {
    let script: [UInt8]
    /// With its checksum, in the form in which Bitcoin Core's `scantxoutset` prints it.
    let descriptor: String

    /// The scripts of a descriptor; of one with `/*` those at the indexes of `range`, of others that is not looked at.
    ///
    /// - Parameter most: no more are made than are needed to see that they are more than so many.
    static func scripts(
        of text: String, range: ClosedRange<Int>, on network: Network, most: Int
    ) throws(RPCError) -> [DescribedScript] {
        let descriptor: Descriptor
        do throws(DescriptorError) { descriptor = try Descriptor(text) } catch { throw refusal(error) }
        guard descriptor.networks.contains(network) else {
            throw RPCError(
                .invalidAddressOrKey,
                "the descriptor is of \(descriptor.networks.map(\.rawValue).joined(separator: ", ")), not of "
                    + network.rawValue)
        }
        var found: [DescribedScript] = []
        for index in descriptor.isRanged ? range : 0...0 where found.count <= most {
            do throws(DescriptorError) {
                let scripts = try descriptor.scripts(at: UInt32(index))
                let texts = try descriptor.inferred(at: UInt32(index), on: network)
                found += zip(scripts, texts).map { DescribedScript(script: $0, descriptor: $1) }
            } catch {
                throw refusal(error)
            }
        }
        return found
    }

    /// It has nothing of the text itself, in which a private key may be.
    private static func refusal(_ error: DescriptorError) -> RPCError {
        RPCError(.invalidAddressOrKey, "what was given \(error)")
    }
}
