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
    /// The height from which its key no longer counts: what it signed of that height or above is as if it was not there
    /// (FORMAT.md, «Trustnets»). Nil for a key that was not withdrawn.
    public let withdrawn: Int?
    /// All that was seen, on whatever branch: attestations of a branch that was left stay published. More than one
    /// statement for a block is equivocation.
    public private(set) var statements: [BlockID: Set<Statement>] = [:]
    /// The chain that the newest attestation stands on, as far down as it is known, by height. Only what leads to the
    /// newest counts as attested: an old attestation of another branch is no longer what the authority says.
    public private(set) var chain: [Int: BlockID] = [:]
    /// Heights that were asked for: what is not known now is not to be had.
    public var asked: Set<Int> = []

    public init(withdrawn: Int? = nil) { self.withdrawn = withdrawn }

    /// Takes in a statement; if its block is on the chain, so is its parent.
    public mutating func add(_ statement: Statement) {
        if counts(at: statement.height) { statements[statement.blockID, default: []].insert(statement) }
        if chain[statement.height] == statement.blockID { extend(statement) }
    }

    /// Says which of the statements is the newest.
    public mutating func stand(on newest: Statement) {
        self.newest = newest
        chain[newest.height] = newest.blockID
        add(newest)
    }

    /// Says which block of a lower height the newest one stands on.
    public mutating func extend(chain block: BlockID) {
        chain[block.height] = block
        for statement in statements[block] ?? [] { extend(statement) }
    }

    private mutating func extend(_ statement: Statement) {
        guard statement.height > 0, chain[statement.height - 1] == nil else { return }
        extend(chain: BlockID(height: statement.height - 1, hash: statement.parent))
    }

    /// The block of its chain that it attests at a height, if that is known.
    func attested(at height: Int) -> BlockID? {
        chain[height].flatMap { statements[$0] == nil ? nil : $0 }
    }

    /// Whether it takes part: its newest attestation is there and not stale.
    var counts: Bool { newest != nil && !isStale }

    /// Whether what its key signed of a height counts.
    public func counts(at height: Int) -> Bool { withdrawn.map { height < $0 } ?? true }

    /// The highest height that it reaches; nil where it reaches none.
    ///
    /// - Parameter isNewest: whether that shall be the height of its newest attestation. One from after its key was
    ///   withdrawn says only that the heights before are reached, not how new anything is.
    func top(isNewest: Bool) -> Int? {
        guard counts, let newest else { return nil }
        if counts(at: newest.height) { return newest.height }
        return isNewest || withdrawn == 0 ? nil : withdrawn.map { $0 - 1 }
    }

    func reaches(_ height: Int) -> Bool {
        counts && (newest?.height ?? -1) >= height && counts(at: height)
    }

    /// All blocks of a height that it ever attested, as far as was seen.
    func blocks(at height: Int) -> [BlockID] {
        statements.keys.filter { $0.height == height }
    }
}
