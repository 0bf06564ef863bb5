/// What the rules need to know of a chain so far to judge the next header (Bitcoin Core's
/// `ContextualCheckBlockHeader`, without the clock).
struct HeaderContext: Sendable {
    typealias Block = (time: UInt32, bits: UInt32)

    private let rules: HeaderRules
    /// Of the last header; -1 before the genesis block.
    private(set) var height: Int
    private var last: Block = (0, 0)
    /// The first block of the last one's period.
    private var first: Block = (0, 0)
    /// Of the last block in the period that does not have the easiest target by the rule of twenty minutes.
    private var normalBits: UInt32 = 0
    /// Of the last eleven blocks; the place of each is its height modulo eleven.
    private var times = InlineArray<11, UInt32>(repeating: 0)

    /// - Parameter height: of the block that it stands on. What it says is right from where it has seen the first block of
    ///   a period, and eleven blocks, or all.
    init(_ rules: HeaderRules, at height: Int = -1) {
        self.rules = rules
        self.height = height
    }

    private var beginsPeriod: Bool { (height + 1) % rules.interval == 0 }

    /// The compact target that the next header must name (`GetNextWorkRequired`).
    func requiredBits(time: UInt32) -> UInt32 {
        if beginsPeriod { return rules.bits(afterPeriodFrom: first, to: last) }
        guard rules.allowsMinimumDifficulty else { return last.bits }
        return Int64(time) > Int64(last.time) + 2 * Int64(HeaderRules.spacing) ? rules.limitBits : normalBits
    }

    /// Why the next header cannot have these fields; nil if it can. The genesis block's are never asked about.
    func fault(version: Int32, time: UInt32, bits: UInt32) -> HeaderFault.Reason? {
        let required = requiredBits(time: time)
        guard bits == required else { return .bits(found: bits, required: required) }
        // It is later than the median if it is later than more than half of them.
        let count = min(height + 1, 11)
        var earlier = 0
        for i in 0..<count where times[i] < time { earlier += 1 }
        guard earlier > count / 2 else { return .tooEarly }
        guard !rules.isBIP94 || !beginsPeriod || Int(time) >= Int(last.time) - HeaderRules.maxTimewarp
        else { return .timewarp }
        guard version >= rules.minVersion(at: height + 1) else { return .version(version) }
        return nil
    }

    mutating func append(time: UInt32, bits: UInt32) {
        height += 1
        let isFirst = height % rules.interval == 0
        last = (time, bits)
        if isFirst { first = last }
        if isFirst || bits != rules.limitBits { normalBits = bits }
        times[height % 11] = time
    }
}
