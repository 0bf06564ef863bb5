import Concord
import ConcordFiles
import ConcordTree

/// The changes of many blocks, held in memory shard by shard until there is no more room.
///
/// When a third of the memory is taken they are packed, for which there must be room a second time: of each shard, what
/// the blocks together take and leave, without the coins that they create and spend themselves. Most coins are spent soon
/// after they came, so that this makes room again for a while.
struct GatheredChanges: ~Copyable {
    private let parameters: TreeParameters
    private let memory: Int
    private var pieces: [PatchSections.Piece] = []
    private var bytes = 0
    /// The height of the last block.
    private var height = 0

    init(parameters: TreeParameters, memory: Int) {
        self.parameters = parameters
        self.memory = memory
    }

    var sections: PatchSections.Loaded { PatchSections.Loaded(pieces: pieces) }

    /// Adds the next blocks, the last of which has this height.
    mutating func add(_ pieces: [PatchSections.Piece], through height: Int) {
        self.pieces += pieces
        bytes += pieces.reduce(0) { $0 + $1.size }
        self.height = height
    }

    mutating func removeAll() {
        pieces = []
        bytes = 0
    }

    /// Whether there is no room for much more, even packed.
    mutating func isFull() throws -> Bool {
        if bytes < memory / 3 { return false }
        try pack()
        return bytes > memory / 6
    }

    private mutating func pack() throws {
        let net = try sections.net(shards: parameters.shards)
        // Before there is room for what they come to in one piece.
        pieces = []
        pieces = [PatchSections.Piece(height: height, net)]
        bytes = pieces.reduce(0) { $0 + $1.size }
    }
}
