/// What an authority's attestations mean for the chosen block (FORMAT.md, «Agreement»).
public enum Verdict: String, Sendable, CaseIterable {
    /// It attests the chosen block with the same statement.
    case agrees
    /// Its newest attestation is below the chosen block.
    case lagging
    /// It attests another block at that height.
    case otherBranch = "other branch"
    /// It attests a block that others attest, with another statement.
    case dissents
    /// Its key signed two statements for one block.
    case equivocates
    /// Nothing usable came.
    case unreachable
    /// Its newest attestation is too old.
    case stale
    /// What came is not what its key signed.
    case invalid
    /// Its key was withdrawn at that height or below.
    case withdrawn
}
