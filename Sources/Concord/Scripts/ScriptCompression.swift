/// Bitcoin Core's compressed form of a scriptPubKey (compressor.cpp): a VARINT and bytes.
///
/// | VARINT | then | script |
/// |---|---|---|
/// | 0 | 20 bytes | P2PKH |
/// | 1 | 20 bytes | P2SH |
/// | 2, 3 | x, 32 bytes | P2PK with the compressed key 02 or 03 ‖ x |
/// | 4, 5 | x, 32 bytes | P2PK with the uncompressed key whose y is even or odd |
/// | n + 6 | n bytes | any other script of n bytes |
public enum ScriptCompression {
    /// The longest script that can be spent, and so be in the set (`MAX_SCRIPT_SIZE`).
    public static let maxScriptBytes = 10_000

    /// Whether an output with this script never enters the set (`CScript::IsUnspendable`).
    @inline(__always)
    public static func isUnspendable(_ script: UnsafeRawBufferPointer) -> Bool {
        (script.count > 0 && script[0] == 0x6a) || script.count > maxScriptBytes
    }

    /// Appends the compressed form of a script (`ScriptCompression::Ser`).
    public static func append(_ script: UnsafeRawBufferPointer, to out: inout ByteBuffer) {
        if let (form, payload) = shortForm(of: script) {
            out.append(form)
            out.append(payload)
        } else {
            out.appendVarInt(UInt64(script.count) + 6)
            out.append(script)
        }
    }

    /// The short form of a script that has one (`CompressScript`).
    @inline(__always)
    private static func shortForm(
        of script: UnsafeRawBufferPointer
    ) -> (form: UInt8, payload: UnsafeRawBufferPointer)? {
        switch script.count {
        case 25
        where script[0] == 0x76 && script[1] == 0xa9 && script[2] == 0x14 && script[23] == 0x88
            && script[24] == 0xac:
            (0, UnsafeRawBufferPointer(rebasing: script[3..<23]))
        case 23 where script[0] == 0xa9 && script[1] == 0x14 && script[22] == 0x87:
            (1, UnsafeRawBufferPointer(rebasing: script[2..<22]))
        case 35 where script[0] == 33 && script[34] == 0xac && (script[1] == 2 || script[1] == 3):
            (script[1], UnsafeRawBufferPointer(rebasing: script[2..<34]))
        case 67
        where script[0] == 65 && script[66] == 0xac && script[1] == 4
            && isPoint(UnsafeRawBufferPointer(rebasing: script[2..<66])):
            (4 | script[65] & 1, UnsafeRawBufferPointer(rebasing: script[2..<34]))
        default:
            nil
        }
    }

    /// Whether x and y, 32 bytes each, are a point of the curve (`CPubKey::IsFullyValid`).
    private static func isPoint(_ xy: UnsafeRawBufferPointer) -> Bool {
        guard let xy = xy.baseAddress else { return false }
        return Secp256k1.isValidUncompressed(xy)
    }

    /// A compressed script where it lies, not yet decompressed.
    public struct Compressed {
        /// The VARINT: 0 to 5 for the short forms, else the script's length and 6.
        public let form: UInt64
        public let payload: UnsafeRawBufferPointer
    }

    /// Reads a compressed script up to its end; it must be one that can be in the set, in the form that `append` gives
    /// it.
    @inline(__always)
    public static func read(from cursor: inout ByteCursor) throws(ParseError) -> Compressed {
        let start = cursor.offset
        let form = try cursor.readVarInt()
        let length: Int
        switch form {
        case 0, 1: length = 20
        case 2...5: length = 32
        case 6...UInt64(maxScriptBytes + 6): length = Int(form) - 6
        default: throw ParseError(.outOfRange("a script's length"), at: start)
        }
        let payload = try cursor.readBytes(length)
        if form >= 6 {
            // Bitcoin Core writes neither, and one coin must have one form in all trees.
            guard !isUnspendable(payload) else {
                throw ParseError(.malformed("has a script that cannot be spent"), at: start)
            }
            guard shortForm(of: payload) == nil else {
                throw ParseError(.malformed("has a script that is not in its short form"), at: start)
            }
        }
        return Compressed(form: form, payload: payload)
    }

    /// Replaces what `out` holds with the script itself (`DecompressScript`); false where a short form names no
    /// point of the curve.
    public static func decompress(_ script: Compressed, into out: inout ByteBuffer) -> Bool {
        out.removeAll()
        switch script.form {
        case 0:
            out.append(0x76 as UInt8)
            out.append(0xa9 as UInt8)
            out.append(20 as UInt8)
            out.append(script.payload)
            out.append(0x88 as UInt8)
            out.append(0xac as UInt8)
        case 1:
            out.append(0xa9 as UInt8)
            out.append(20 as UInt8)
            out.append(script.payload)
            out.append(0x87 as UInt8)
        case 2, 3:
            out.append(33 as UInt8)
            out.append(UInt8(script.form))
            out.append(script.payload)
            out.append(0xac as UInt8)
        case 4, 5:
            out.append(65 as UInt8)
            guard let x = script.payload.baseAddress, let key = out.extend(by: 65).baseAddress,
                Secp256k1.decompress(x: x, odd: script.form == 5, into: key)
            else { return false }
            out.append(0xac as UInt8)
        default:
            out.append(script.payload)
        }
        return true
    }
}
