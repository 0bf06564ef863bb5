import Concord

extension Survey {
    /// Trees that cannot be compared.
    public struct Mixed: Error, CustomStringConvertible {
        public let description: String

        /// Authorities that sign different networks, or trees cut differently, can never agree.
        ///
        /// - Parameter trustnet: what its trustnets are of.
        static func check(_ heard: [AuthorityObservation], in trustnet: Trustnet?) throws(Mixed) {
            let newest = heard.compactMap { one in
                one.view.newest.flatMap { one.view.counts(at: $0.height) ? (one.authority.name, $0) : nil }
            }
            if let trustnet {
                for (name, statement) in newest
                where statement.network != trustnet.network || statement.parameters != trustnet.parameters {
                    throw Mixed(
                        description:
                            "«\(name)» attests \(Self.kind(statement.network, statement.parameters)), the trustnet "
                            + "«\(trustnet.name)» is of \(Self.kind(trustnet.network, trustnet.parameters)): they can "
                            + "never agree. If it is one of your own, leave it with «concord trust remove \(name)»"
                    )
                }
            }
            guard let (name, first) = newest.first,
                let (other, differing) = newest.first(where: {
                    $0.1.network != first.network || $0.1.parameters != first.parameters
                })
            else { return }
            throw Mixed(
                description:
                    "«\(name)» attests \(Self.kind(first.network, first.parameters)), «\(other)» "
                    + "\(Self.kind(differing.network, differing.parameters)): authorities of one list must "
                    + "be of one kind. Remove one with «concord trust remove», or use another --home for it")
        }

        private static func kind(_ network: Network, _ parameters: TreeParameters) -> String {
            "\(network.rawValue) with \(parameters.shards) shards and epochs of \(parameters.epoch) blocks"
        }
    }
}
