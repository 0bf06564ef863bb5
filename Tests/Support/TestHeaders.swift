import Concord

/// Headers of the regtest network, with proof of work: two hashes each.
public enum TestHeaders {
    /// Regtest's first header.
    public static let genesis =
        hex("01000000") + [UInt8](repeating: 0, count: 32)
        + hex("3ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a dae5494d ffff7f20 02000000")

    /// A child of a header; those of other salts are others. `time` is ten minutes later if nil.
    public static func child(
        of parent: some Collection<UInt8>, salt: UInt64 = 0, time: UInt32? = nil, bits: UInt32 = 0x207f_ffff,
        version: UInt32 = 0x2000_0000
    ) -> [UInt8] {
        let root = bytes { out in
            out.append(salt)
            out.append([UInt8](repeating: 0, count: 24))
        }
        return child(
            of: parent, merkleRoot: Digest(root) ?? .zero, time: time, bits: bits, version: version)
    }

    /// A child of a header, whose block has these transactions.
    public static func child(
        of parent: some Collection<UInt8>, merkleRoot: Digest, time: UInt32? = nil,
        bits: UInt32 = 0x207f_ffff, version: UInt32 = 0x2000_0000
    ) -> [UInt8] {
        let parent = Array(parent)
        let before = Self.time(parent)
        var header = bytes { out in
            out.append(version)
            out.append(parent.withBytes { SHA256.double($0) })
            out.append(merkleRoot)
            out.append(time ?? before + 600)
            out.append(bits)
            out.append(0 as UInt32)
        }
        while !meetsItsTarget(header) {
            header[76] &+= 1
            if header[76] == 0 { header[77] &+= 1 }
        }
        return header
    }

    /// So many headers, each the child of the one before, the first of `parent`.
    public static func chain(
        _ count: Int, on parent: some Collection<UInt8> = genesis, salt: UInt64 = 0
    ) -> [UInt8] {
        var last = Array(parent)
        var headers: [UInt8] = []
        headers.reserveCapacity(count * BlockHeader.size)
        for _ in 0..<count {
            last = child(of: last, salt: salt)
            headers += last
        }
        return headers
    }

    /// The time that a header says, seconds since 1970.
    public static func time(_ header: [UInt8]) -> UInt32 {
        header[68..<72].reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }

    private static func meetsItsTarget(_ header: [UInt8]) -> Bool {
        header.withBytes { raw in
            var cursor = ByteCursor(raw)
            return (try? BlockHeader(parsing: &cursor))?.meetsItsTarget ?? false
        }
    }
}

extension Collection<UInt8> where Index == Int {
    /// The header at this place among headers.
    public func header(_ place: Int) -> [UInt8] {
        Array(self[(startIndex + place * BlockHeader.size)..<(startIndex + (place + 1) * BlockHeader.size)])
    }
}
