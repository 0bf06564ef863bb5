/// A file of a torrent, hashed for both versions of BitTorrent, and fit for either only at this length of a piece.
public struct TorrentFile: Hashable, Sendable {
    /// The names of the folders it is in, below the torrent's own, and its own.
    let path: [String]
    let length: Int
    /// The SHA-1 of each piece, the last one filled up with zeros, as by a padding file (BEP 47).
    let pieces: [UInt8]
    /// The hash of each piece's subtree, of files longer than a piece (BEP 52).
    let layer: [Digest]
    /// The root of the tree; nil for a file without bytes.
    let root: Digest?

    /// The bytes of a leaf of the Merkle trees, and the least of a piece.
    public static let leafBytes = 16 << 10

    /// Hashes one file, a piece at a time.
    public struct Hasher {
        private let length: Int
        private let pieceLength: Int
        private var done = 0
        private var pieces: [UInt8] = []
        private var leaves: [Digest] = []
        private var layer: [Digest] = []

        /// - Parameters:
        ///   - length: of the file, in bytes.
        ///   - pieceLength: a power of two, at least `leafBytes`.
        public init(length: Int, pieceLength: Int) {
            precondition(length >= 0 && pieceLength >= leafBytes && pieceLength.nonzeroBitCount == 1)
            self.length = length
            self.pieceLength = pieceLength
            leaves.reserveCapacity(pieceLength / leafBytes)
        }

        /// The bytes of the next piece; 0 behind the last.
        public var next: Int { min(pieceLength, length - done) }

        /// Adds the next piece, of `next` bytes.
        public mutating func add(_ piece: UnsafeRawBufferPointer) {
            precondition(piece.count == next)
            done += piece.count
            var sha = SHA1()
            leaves.removeAll(keepingCapacity: true)
            for start in stride(from: 0, to: piece.count, by: leafBytes) {
                let leaf = UnsafeRawBufferPointer(
                    rebasing: piece[start..<min(start + leafBytes, piece.count)])
                sha.update(leaf)
                leaves.append(SHA256.hash(leaf))
            }
            zeros.withUnsafeBytes {
                for start in stride(from: piece.count, to: pieceLength, by: leafBytes) {
                    sha.update(UnsafeRawBufferPointer(rebasing: $0[..<min(leafBytes, pieceLength - start)]))
                }
            }
            pieces += sha.finish()
            let isAlone = length <= pieceLength
            layer.append(
                TorrentFile.root(
                    leaves, of: isAlone ? nextPowerOfTwo(leaves.count) : pieceLength / leafBytes,
                    filler: .zero))
        }

        /// The file, when all its pieces were added.
        public func finish(at path: [String]) -> TorrentFile {
            precondition(done == length)
            let filler = TorrentFile.root([], of: pieceLength / leafBytes, filler: .zero)
            return TorrentFile(
                path: path, length: length, pieces: pieces, layer: layer.count > 1 ? layer : [],
                root: layer.isEmpty
                    ? nil : TorrentFile.root(layer, of: nextPowerOfTwo(layer.count), filler: filler))
        }
    }

    private static let zeros = [UInt8](repeating: 0, count: leafBytes)

    private static func nextPowerOfTwo(_ count: Int) -> Int {
        count <= 1 ? 1 : 1 << (Int.bitWidth - (count - 1).leadingZeroBitCount)
    }

    /// The root over `width` hashes, a power of two, the missing ones `filler`. A node is the SHA-256 of both below it.
    private static func root(_ hashes: [Digest], of width: Int, filler: Digest) -> Digest {
        var (level, width, filler) = (hashes, width, filler)
        while width > 1 {
            if !level.count.isMultiple(of: 2) { level.append(filler) }
            for i in 0..<level.count / 2 { level[i] = node(level[2 * i], level[2 * i + 1]) }
            level.removeLast(level.count / 2)
            filler = node(filler, filler)
            width /= 2
        }
        return level.first ?? filler
    }

    private static func node(_ left: Digest, _ right: Digest) -> Digest {
        var sha = SHA256()
        sha.update(left)
        sha.update(right)
        return sha.finish()
    }
}
