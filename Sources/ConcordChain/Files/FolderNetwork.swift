import Concord
import ConcordFiles

/// What a folder of block files holds that has no block of the network it was given for, in words.
enum FolderNetwork {
    /// Bitcoin Core's testnet3, whose chain is not published (kernel/chainparams.cpp, `CTestNetParams`).
    private static let testnet3: [UInt8] = [0x0b, 0x11, 0x09, 0x07]

    private static let published =
        Network.allCases.dropLast().map(\.rawValue).joined(separator: ", ")
        + " or \(Network.regtest.rawValue)"

    /// The error for a folder without the network's genesis block.
    ///
    /// - Parameter found: how many blocks of the network are there.
    static func noGenesis(_ folder: BlockFolder, found: Int) -> FileError {
        guard found == 0 else {
            return FileError(
                folder.path,
                "lacks the block of height 0 (\(folder.network.genesis)): a pruned node deletes the first files, and a "
                    + "tree begins with them; use the folder of a node that keeps all blocks (prune=0), or ask a pruned "
                    + "one with --node and begin with a dump of its set")
        }
        return FileError(folder.path, words(for: folder.firstMagic(), wanted: folder.network))
    }

    private static func words(for magic: (bytes: [UInt8], repeats: Bool)?, wanted: Network) -> String {
        if let network = Network.allCases.first(where: { $0.magic == magic?.bytes && $0 != wanted }) {
            return
                "holds blocks of the network \(network.rawValue), not of \(wanted.rawValue): give --network "
                + "\(network.rawValue) or another folder"
        }
        if magic?.bytes == wanted.magic {
            return
                "holds no whole block of the network \(wanted.rawValue), though its first file begins like one: restore the "
                + "files from a backup, or let the node write them anew with «bitcoind -reindex»"
        }
        if magic?.bytes == testnet3 {
            return
                "holds blocks of testnet3, which is not published: give the folder of a node of the network \(published)"
        }
        if let magic, magic.repeats {
            return
                "holds blocks of an unknown network, not of \(wanted.rawValue): each begins with \(magic.bytes.hex). A signet "
                + "with a challenge of its own is not supported: all signets have the same genesis block, and a "
                + "statement could not say which of them it is about"
        }
        return "holds no block of the network \(wanted.rawValue): is xor.dat the folder's own?"
    }
}

extension BlockFolder {
    /// The four bytes before the first record, and whether they stand before the next one too: then they are a magic,
    /// known or not. Nil where nothing can be read.
    fileprivate func firstMagic() -> (bytes: [UInt8], repeats: Bool)? {
        guard let first = numbers.first, let file = try? File(reading: blockPath(first)) else { return nil }
        var head = ByteBuffer()
        guard (try? read(file, at: 0, count: 8, into: &head)) != nil else { return nil }
        let magic = [UInt8](head.bytes.prefix(4))
        let size = Int(head.bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self).littleEndian)
        guard (BlockHeader.size...Self.maxBlockBytes).contains(size),
            (try? read(file, at: 8 + size, count: 4, into: &head)) != nil
        else { return (magic, false) }
        return (magic, head.bytes.elementsEqual(magic))
    }
}
