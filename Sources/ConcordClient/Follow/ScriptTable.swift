import Concord

/// Finds scripts among many by their compressed form, of which each script has only one, without an allocation.
struct ScriptTable {
    /// By the last bytes of the compressed form: those of hashes, for nearly all scripts.
    private var places: [UInt64: [(compressed: [UInt8], place: Int)]] = [:]
    /// A bit for each value of the low bits of a key that is there.
    private var marks = [UInt64](repeating: 0, count: 64)
    /// Whether a script has fewer bytes than a key.
    private var hasShort = false

    /// A script's place in `scripts` is what is found; of scripts that are the same, all of them.
    init(_ scripts: some Sequence<[UInt8]>) {
        for (place, script) in scripts.enumerated() {
            var buffer = ByteBuffer()
            script.withBytes { ScriptCompression.append($0, to: &buffer) }
            let key = Self.key(buffer.bytes)
            places[key, default: []].append(([UInt8](buffer.bytes), place))
            marks[Int(key >> 6 & 63)] |= 1 << (key & 63)
            if buffer.count < 8 { hasShort = true }
        }
    }

    /// Whether a coin may have one of the scripts, by the last bytes of it alone.
    @inline(__always)
    func mayHave(_ coin: UnsafeRawBufferPointer) -> Bool {
        if hasShort || coin.count < 8 { return true }
        let key = coin.loadUnaligned(fromByteOffset: coin.count - 8, as: UInt64.self)
        return marks[Int(key >> 6 & 63)] >> (key & 63) & 1 == 1 && places[key] != nil
    }

    /// Calls `body` with the place of each script that has this compressed form.
    @inline(__always)
    func find(_ compressed: UnsafeRawBufferPointer, _ body: (Int) -> Void) {
        guard let found = places[Self.key(compressed)] else { return }
        for (bytes, place) in found where compressed.elementsEqual(bytes) { body(place) }
    }

    @inline(__always)
    private static func key(_ compressed: UnsafeRawBufferPointer) -> UInt64 {
        guard compressed.count < 8 else {
            return compressed.loadUnaligned(fromByteOffset: compressed.count - 8, as: UInt64.self)
        }
        return compressed.reduce(UInt64(compressed.count)) { $0 << 8 | UInt64($1) }
    }
}

extension EncodedCoin {
    /// The compressed script, as it stands.
    @inline(__always)
    var compressedScript: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: body.suffix(scriptBytes))
    }
}
