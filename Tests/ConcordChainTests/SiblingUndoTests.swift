import TestSupport
import Testing

@testable import Concord
@testable import ConcordChain
@testable import ConcordFiles

/// Siblings that spend as one undo record says, and what tells which of them the node connected.
@Suite struct SiblingUndoTests {
    let files: TestBlockFiles
    static let genesis = TestBlock.genesis
    static let main = [genesis] + TestBlock.chain(3)

    init() throws {
        files = try TestBlockFiles()
    }

    /// Forgets all files, and what was found in them.
    func begin() {
        (files.blocks, files.undo) = ([:], [:])
        for folder in ["cache", "blocks"] { try? files.scratch.remove(folder) }
    }

    func chain() throws -> BestChain {
        try files.write()
        return try BestChain.scan(files.folder(), cache: Folder(files.scratch.path("cache")))
    }

    func expect(
        _ chain: BestChain, _ blocks: [TestBlock], undecided: [TestBlock] = [],
        _ sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect((0...chain.tip).map { chain[$0].hash } == blocks.map(\.hash), sourceLocation: sourceLocation)
        #expect(Set(chain.undecided) == Set(undecided.map(\.hash)), sourceLocation: sourceLocation)
    }

    /// The chain goes over the one of two siblings that the child stands on, with its undo record.
    func expectConnected(
        _ pair: Pair, _ child: TestBlock, _ sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let chain = try chain()
        expect(chain, Self.main + [pair.connected, child], undecided: [], sourceLocation)
        var block = ByteBuffer()
        var undo = ByteBuffer()
        try chain.read(4, block: &block, undo: &undo)
        #expect([UInt8](undo.bytes) == pair.connected.undo, sourceLocation: sourceLocation)
    }

    /// Two siblings on the same block: one that was refused, and one that was connected.
    struct Pair {
        let refused: TestBlock
        let connected: TestBlock

        init(_ payments: [UInt64], refused other: [UInt64]? = nil) {
            refused = .on(main[3], salt: 101, payments: other ?? payments)
            connected = .on(main[3], salt: 102, payments: payments)
        }
    }

    func add(_ pair: Pair, refusedFirst: Bool, file: Int = 0) {
        let blocks = refusedFirst ? [pair.refused, pair.connected] : [pair.connected, pair.refused]
        files.add(blocks, file: file, withUndo: false)
        files.addUndo(pair.connected, file: file)
    }

    /// The same coins in the same order, or as many coins in as many transactions.
    static let pairs = [
        Pair([]), Pair([500]), Pair([500, 501]), Pair([500], refused: [600]),
        Pair([500, 501], refused: [500, 601]),
    ]

    /// Whichever was stored first: the record is good for both, and nothing says whose it is.
    @Test(arguments: [true, false]) func theChainEndsBelowThem(refusedFirst: Bool) throws {
        for pair in Self.pairs {
            begin()
            files.add(Self.main)
            add(pair, refusedFirst: refusedFirst)
            expect(try chain(), Self.main, undecided: [pair.refused, pair.connected])
        }
    }

    @Test(arguments: [true, false]) func aConnectedChildDecides(refusedFirst: Bool) throws {
        for pair in Self.pairs {
            for childFile in [0, 1] {
                begin()
                files.add(Self.main)
                add(pair, refusedFirst: refusedFirst)
                let child = TestBlock.on(pair.connected, salt: 103)
                // Nobody can connect a child of the other one, but anybody can store it.
                files.add(TestBlock.chain(3, on: pair.refused, salt: 9), file: childFile, withUndo: false)
                files.add(child, file: childFile)
                try expectConnected(pair, child)
            }
        }
    }

    /// The child's own record can be a sibling's of it: that it is there is enough for the parent.
    @Test func anUndecidedChildDecidesOnItsParent() throws {
        let pair = Self.pairs[1]
        files.add(Self.main)
        add(pair, refusedFirst: true)
        let children = [TestBlock.on(pair.connected, salt: 103), TestBlock.on(pair.connected, salt: 104)]
        files.add(children, withUndo: false)
        files.addUndo(children[1])
        expect(try chain(), Self.main + [pair.connected], undecided: children)
    }

    /// A block whose record was there before its sibling came was connected by it.
    @Test func whatWasDecidedBeforeASiblingCameStays() throws {
        for pair in Self.pairs {
            begin()
            files.add(Self.main)
            files.add(pair.connected)
            expect(try chain(), Self.main + [pair.connected])
            files.add(pair.refused, withUndo: false)
            expect(try chain(), Self.main + [pair.connected])
            // And again, from what the second scan stored.
            files.add(TestBlock.on(pair.refused, salt: 107), withUndo: false)
            expect(try chain(), Self.main + [pair.connected])
            // Without the memory of it, nothing says so.
            try? files.scratch.remove("cache")
            expect(try chain(), Self.main, undecided: [pair.refused, pair.connected])
        }
    }

    /// Both were the best chain's for a while: each has its own record, in the order of connection.
    @Test func siblingsWithRecordsOfTheirOwn() throws {
        let (a, b) = (
            TestBlock.on(Self.main[3], salt: 101, payments: [500]),
            TestBlock.on(Self.main[3], salt: 102, payments: [500, 501])
        )
        let child = TestBlock.on(b, salt: 103)
        for order in [[a, b], [b, a]] {
            begin()
            files.add(Self.main)
            files.add(order, withUndo: false)
            files.addUndo(a)
            files.addUndo(b)
            // Of equal work the first stored.
            expect(try chain(), Self.main + [order[0]])
            files.add(child)
            expect(try chain(), Self.main + [b, child])
        }
    }

    /// A second record with the same bytes may be what `-reindex` left behind the new ones.
    @Test func howManyRecordsThereAreTellsNothing() throws {
        let pair = Self.pairs[1]
        files.add(Self.main)
        files.add([pair.refused, pair.connected])
        expect(try chain(), Self.main, undecided: [pair.refused, pair.connected])
        let child = TestBlock.on(pair.connected, salt: 103)
        files.add(child)
        expect(try chain(), Self.main + [pair.connected, child])
        // Nor where it is known that one of the records is the other block's.
        begin()
        files.add(Self.main)
        files.add(pair.connected)
        expect(try chain(), Self.main + [pair.connected])
        files.add(pair.refused)
        expect(try chain(), Self.main + [pair.connected])
        files.add(TestBlock.chain(2, on: pair.refused, salt: 9), withUndo: false)
        expect(try chain(), Self.main + [pair.connected])
    }

    /// A node that was told to `-reindex` connects the best chain alone: a record can then be another block's that lies
    /// where one was known to be.
    @Test func theFileIsWrittenAnew() throws {
        for pair in Self.pairs {
            let child = TestBlock.on(pair.connected, salt: 103)
            for isSeen in [false, true] {
                begin()
                files.add(Self.main)
                files.add(pair.refused)
                expect(try chain(), Self.main + [pair.refused])
                files.add([pair.connected, child])
                if isSeen { expect(try chain(), Self.main + [pair.connected, child]) }
                files.undo = [:]
                for block in Self.main.dropFirst() + [pair.connected, child] { files.addUndo(block) }
                expect(try chain(), Self.main + [pair.connected, child])
                // And the next scan finds it as this one left it.
                expect(try chain(), Self.main + [pair.connected, child])
            }
        }
    }

    /// A copy of a block in another file does not make its sibling the only one that a record can be of.
    @Test func aBlockThatIsStoredTwice() throws {
        for pair in Self.pairs {
            begin()
            files.add(Self.main)
            files.add(pair.connected, file: 0, withUndo: false)
            add(pair, refusedFirst: true, file: 1)
            expect(try chain(), Self.main, undecided: [pair.refused, pair.connected])
            let child = TestBlock.on(pair.connected, salt: 103)
            files.add(child, file: 1)
            try expectConnected(pair, child)
        }
    }

    /// A record lies in the file of its block's number, so a sibling in another file cannot have it.
    @Test func siblingsInOtherFilesHaveNoPartInIt() throws {
        let pair = Self.pairs[0]
        files.add(Self.main)
        files.add(pair.refused, file: 1, withUndo: false)
        files.add(pair.connected, file: 2)
        expect(try chain(), Self.main + [pair.connected])
    }
}
