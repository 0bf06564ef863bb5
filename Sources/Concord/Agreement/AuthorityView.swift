/// What is known of one authority when agreement is sought: statements whose signatures were checked, and what was
/// asked for in vain.
public struct AuthorityView: Sendable {
    /// Why there is no newest attestation.
    public enum Absence: Sendable {
        case unreachable, invalid
    }

    /// The newest attestation; nil if nothing usable came.
    public private(set) var newest: Statement?
    /// Why `newest` is nil.
    public var absence: Absence = .unreachable
    /// Whether the newest attestation is older than allowed.
    public var isStale = false
    /// All that was seen, the newest among it. More than one statement for a block is equivocation.
    public private(set) var statements: [BlockID: Set<Statement>] = [:]
    /// Heights that were asked for: what is not in `statements` now is not to be had.
    public var asked: Set<Int> = []

    public init() {}

    public mutating func add(_ statement: Statement) {
        statements[statement.blockID, default: []].insert(statement)
        if (newest?.height ?? -1) < statement.height { newest = statement }
    }

    /// Whether it takes part: its newest attestation is there and not stale.
    var counts: Bool { newest != nil && !isStale }

    func reaches(_ height: Int) -> Bool {
        counts && (newest?.height ?? -1) >= height
    }

    /// The blocks it attests at a height: none, one, or two if its chain was reorganised while we looked.
    func blocks(at height: Int) -> [BlockID] {
        statements.keys.filter { $0.height == height }
    }
}
