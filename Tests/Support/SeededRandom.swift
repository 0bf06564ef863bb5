import Foundation

/// Random numbers that can be had again: the seed is printed, and `CONCORD_TEST_SEED` sets it (SplitMix64).
public struct SeededRandom: RandomNumberGenerator, Sendable {
    public let seed: UInt64
    private var state: UInt64

    public init(_ test: String = #function) {
        let given = ProcessInfo.processInfo.environment["CONCORD_TEST_SEED"].flatMap { UInt64($0) }
        seed = given ?? .random(in: .min ... .max)
        state = seed
        print("\(test): CONCORD_TEST_SEED=\(seed)")
    }

    /// The same numbers always.
    public init(seed: UInt64) { (self.seed, state) = (seed, seed) }

    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
        return z ^ z >> 31
    }

    public mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
    }
}
