/// Why a header cannot stand at its height.
public struct HeaderFault: Error, Equatable, Sendable {
    public enum Reason: Equatable, Sendable {
        /// The bytes end inside the header, or there are none.
        case truncated
        /// The chain must begin with another block.
        case notGenesis
        /// It does not name the header before as its parent.
        case notChild
        /// Its hash is above the target that it names.
        case noWork
        /// It names another target than the rules ask for at this height; compact forms.
        case bits(found: UInt32, required: UInt32)
        /// Its time is not after the median of the eleven before.
        case tooEarly
        /// The first of a period is more than ten minutes earlier than its parent (BIP 94).
        case timewarp
        /// Its version is one that blocks of this height must not have any more.
        case version(Int32)
        /// The network's chain is known to have this other block at this height.
        case notKnown(Digest)
    }

    public let height: Int
    public let reason: Reason

    public init(_ reason: Reason, height: Int) {
        self.reason = reason
        self.height = height
    }
}

extension HeaderFault: CustomStringConvertible {
    public var description: String {
        let what =
            switch reason {
            case .truncated: "is not there in full"
            case .notGenesis: "is not that of the network's first block"
            case .notChild: "is not the child of the one before"
            case .noWork: "has no proof of work"
            case .bits(let found, let required):
                "names the target \(Self.digits(found)), where the rules ask for \(Self.digits(required))"
            case .tooEarly: "has a time that is not after the median of the eleven before"
            case .timewarp: "begins a period more than ten minutes before its parent"
            case .version(let version): "has version \(version), too low for its height"
            case .notKnown(let hash):
                "is not that of block \(hash.reversedHex), which the network's chain is known to have there"
            }
        return "the header of height \(height) \(what)"
    }

    private static func digits(_ bits: UInt32) -> String {
        (0..<4).map { UInt8(truncatingIfNeeded: bits >> (24 - 8 * $0)) }.hex
    }
}
