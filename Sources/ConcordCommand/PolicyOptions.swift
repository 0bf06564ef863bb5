import ArgumentParser
import Concord
import ConcordConsole
import ConcordClient

/// What one demands of agreement.
struct PolicyOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "So many authorities must attest the block, never fewer than a trustnet asks for. (default: more than half)",
            valueName: "n"))
    var minimum: Int?
    @Option(
        help: ArgumentHelp(
            "An authority whose newest attestation is older does not count. (default: 24 on the main network, without "
                + "limit on others)", valueName: "hours"))
    var maxAge: Int?

    @Option(
        help: ArgumentHelp(
            "How many blocks below the newest their branches may differ before there is no agreement. (default: "
                + "\(Agreement.defaultDepth))", valueName: "blocks"))
    var depth = Agreement.defaultDepth

    func validate() throws {
        guard (0...1000).contains(depth) else { throw ValidationError("--depth is 0 to 1000 blocks.") }
        guard minimum.map({ $0 > 0 }) ?? true else { throw ValidationError("--minimum is 1 or more.") }
        guard maxAge.map({ (1...1_000_000).contains($0) }) ?? true else {
            throw ValidationError("--max-age is 1 to 1000000 hours.")
        }
    }

    /// - Parameters:
    ///   - height: as --height says.
    ///   - follows: whether headers are followed though --headers was not given, and nothing of them is stored.
    func policy(
        height: Int?, _ work: WorkOptions, _ headers: HeaderOptions, follows: Bool
    ) throws -> AgreementPolicy {
        if let height, !(0...TreePath.maxHeight).contains(height) {
            throw CommandFailure(.usage, "--height is a height from 0 to \(TreePath.maxHeight)")
        }
        var policy = AgreementPolicy()
        (policy.height, policy.minimum, policy.depth) = (height, minimum, depth)
        policy.maxAgeInSeconds = maxAge.map { Int64($0) * 3600 }
        policy.allowsLowWork = work.allowsLowWork
        policy.headers = follows || headers.start != nil ? .follow : .followIfStored
        policy.headerStart = headers.start ?? .pinned
        return policy
    }
}

/// Where headers are followed from.
struct HeaderOptions: ParsableArguments {
    @Option(
        name: .customLong("headers"), defaultAsFlag: AgreementPolicy.HeaderStart.pinned, parsing: .next,
        help: ArgumentHelp(
            "Follow the headers, `pinned`: from a block that this program knows, 3 MB the first time on the main network; or "
                + "`full`: from the first block on, 78 MB.", valueName: "pinned|full"))
    var start: AgreementPolicy.HeaderStart?
}

extension AgreementPolicy.HeaderStart: ExpressibleByArgument {}

extension Client {
    /// Asks all, and leaves an account in words with the evidence where they contradict each other.
    func session(_ policy: AgreementPolicy) throws -> AgreementSession {
        let session = try agree(policy)
        if let evidence = session.evidence {
            try evidence.write(account: EvidenceDescription.file(evidence, session.problems))
        }
        return session
    }
}
