import Foundation
import TestSupport
import Testing

extension Trait where Self == ConditionTrait {
    /// For tests of the main network's chain, which is not in the repository.
    static var needsMainnet: Self {
        .enabled(
            if: ChainFixture.mainnet4312.isThere,
            "mainnet-4312 is real chain data and not committed: it is read from ../shared/fixtures beside the repository"
        )
    }
}
