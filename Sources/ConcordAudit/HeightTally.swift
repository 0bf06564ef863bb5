/// How many heights there are of a kind, and the lowest and highest of them.
public struct HeightTally: Sendable {
    public private(set) var count = 0
    /// Nil if there are none.
    public private(set) var lowest: Int?
    public private(set) var highest: Int?

    /// Heights come in ascending order.
    mutating func add(_ height: Int) {
        count += 1
        lowest = lowest ?? height
        highest = height
    }
}
