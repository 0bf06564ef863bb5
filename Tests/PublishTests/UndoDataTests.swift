import Concord
import ConcordFiles
import ConcordPublish
import ConcordTree
import TestSupport
import Testing

/// Nothing in the chain commits to undo data: a record can be bent, and its checksum with it.
@Suite("Undo data is not believed", .waits)
struct UndoDataTests {
    /// A run that must end at a bent coin and sign nothing from `unsigned` on.
    private func expectRefused(
        _ chain: BentChain, to height: Int, unsigned: Int, naming spend: BentChain.Spend,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> String {
        let error = #expect(throws: FileError.self, sourceLocation: sourceLocation) {
            try chain.publish(to: height)
        }
        let words = error?.description ?? ""
        for part in [
            spend.outpoint.description, spend.block.hash, "height \(spend.height)", spend.coin.description,
            "-reindex",
        ] {
            #expect(words.contains(part), "\(words)", sourceLocation: sourceLocation)
        }
        #expect(chain.newest == unsigned - 1, "\(words)", sourceLocation: sourceLocation)
        #expect(!chain.hasFiles(of: unsigned), sourceLocation: sourceLocation)
        return words
    }

    /// What is published says what Bitcoin Core says.
    private func expectRight(_ chain: BentChain, to height: Int) throws {
        #expect(try chain.publish(to: height)?.statement.height == height)
        let answers = try ChainFixture.regtestRich.answers()
        for (height, paths) in chain.tree.attestations() {
            for path in paths {
                #expect(try ChainFixture.Answer(chain.tree.fields(path)) == answers[height])
            }
        }
    }

    @Test(
        "A coin of the last snapshot: no snapshot is signed, and what was signed since is named",
        arguments: BentChain.Bend.allCases)
    func beforeAnEpochHeight(bend: BentChain.Bend) throws {
        let spend = try BentChain.spend { $0.height > 105 && $0.made <= 100 }
        let chain = try BentChain()
        try chain.bend(spend, bend)
        let words = try expectRefused(chain, to: 160, unsigned: 150, naming: spend)
        #expect(words.contains("heights \(spend.height) to 149"), "\(words)")
        #expect(words.contains("trustnet retire --folder FOLDER NAME --from \(spend.height)"), "\(words)")
        // Again, and it is the same; and with the right data it is said what the key must answer for.
        #expect(try expectRefused(chain, to: 160, unsigned: 150, naming: spend) == words)
        try chain.restore()
        let error = #expect(throws: FileError.self) { try chain.publish(to: 160) }
        let after = error?.description ?? ""
        #expect(error?.isConflict == true)
        #expect(
            after.contains("/\(TreePath.digits(spend.height))-\(spend.block.hash).txt: is wrong")
                && after.contains("heights \(spend.height) to 149"), "\(after)")
        #expect(chain.newest == 149 && !chain.hasFiles(of: 150))
    }

    @Test(
        "At an epoch height nothing wrong was signed, and the run goes on once the file is right",
        arguments: BentChain.Bend.allCases)
    func atAnEpochHeight(bend: BentChain.Bend) throws {
        let spend = try BentChain.spend { $0.height == 150 && $0.made < 150 }
        let chain = try BentChain()
        try chain.bend(spend, bend)
        let words = try expectRefused(chain, to: 160, unsigned: 150, naming: spend)
        #expect(words.contains("Nothing was signed of it") && !words.contains("retire"), "\(words)")
        try chain.restore()
        try expectRight(chain, to: 151)
    }

    @Test("Behind an epoch height it is found at the next one")
    func acrossAnEpochHeight() throws {
        let spend = try BentChain.spend { $0.height > 150 && $0.height < 200 && $0.made <= 100 }
        let chain = try BentChain()
        try chain.publish(to: 150)
        try chain.bend(spend, .height)
        let words = try expectRefused(chain, to: 200, unsigned: 200, naming: spend)
        #expect(words.contains("heights \(spend.height) to 199"), "\(words)")
    }

    @Test(
        "A coin that was made since the last snapshot is checked at once", arguments: BentChain.Bend.allCases)
    func coinsOfTheEpoch(bend: BentChain.Bend) throws {
        let spend = try BentChain.spend { $0.height < 150 && (101..<$0.height).contains($0.made) }
        let chain = try BentChain()
        try chain.bend(spend, bend)
        // The batch that it is in.
        var words = try expectRefused(chain, to: 149, unsigned: 101, naming: spend)
        #expect(words.contains("Nothing was signed of it"), "\(words)")
        // In a later run too: what was made before is in the patches.
        try chain.publish(to: spend.height - 1)
        words = try expectRefused(chain, to: 149, unsigned: spend.height, naming: spend)
        try chain.restore()
        try expectRight(chain, to: 151)
    }

    @Test(
        "A coin that the block makes itself is checked without any memory", arguments: BentChain.Bend.allCases
    )
    func ownCoins(bend: BentChain.Bend) throws {
        let spend = try BentChain.spend { $0.height == $0.made }
        let chain = try BentChain()
        try chain.publish(to: spend.height - 1)
        try chain.bend(spend, bend)
        let error = #expect(throws: FileError.self) { try chain.publish(to: spend.height) }
        let words = error?.description ?? ""
        for part in [
            "\(spend.outpoint), which the block itself makes and spends", "height \(spend.height)",
            spend.coin.description, "-reindex",
        ] {
            #expect(words.contains(part), "\(words)")
        }
        #expect(chain.newest == spend.height - 1)
        try chain.restore()
        try expectRight(chain, to: spend.height)
    }

    @Test(
        "A coin too many or too few is no record of the block",
        arguments: ["extra", "missing", "transaction"])
    func count(fault: String) throws {
        for height in [120, 150] {
            let spend = try BentChain.spend { $0.height >= height }
            let chain = try BentChain()
            try chain.bend(spend.block) { record in
                switch fault {
                case "extra": record.coins[0].append(record.coins[0][0])
                case "missing": record.coins[0].removeLast()
                default: record.coins.append(record.coins[0])
                }
            }
            let error = #expect(throws: FileError.self) { try chain.publish(to: 151) }
            #expect(error?.message.contains("undo record") == true, "\(error as Any)")
            #expect(!chain.hasFiles(of: 150))
            try chain.restore()
            try expectRight(chain, to: 151)
        }
    }

    @Test("Below the height that a tree begins at")
    func folded() throws {
        let spend = try BentChain.spend { $0.height > 105 && $0.made <= 100 }
        // The set is made of what the blocks say; only a script leads elsewhere.
        let chain = try BentChain(isBegun: false)
        try chain.bend(spend, .amount)
        let report = try chain.publish(to: 150, first: 150)
        #expect(
            try report?.statement.muhash.reversedHex == ChainFixture.regtestRich.answers()[150].muhash)
        let other = try BentChain(isBegun: false)
        try other.bend(spend, .scriptOfAnotherShard)
        let error = #expect(throws: FileError.self) { try other.publish(to: 150, first: 150) }
        let words = error?.description ?? ""
        for part in [
            spend.outpoint.description, spend.block.hash, spend.coin.description, "Nothing was signed",
        ] {
            #expect(words.contains(part), "\(words)")
        }
        #expect(other.newest == nil)
    }
}
