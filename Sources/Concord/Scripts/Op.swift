/// The opcodes of the scripts that Concord makes and knows (Bitcoin Core's `opcodetype`).
enum Op {
    static let one: UInt8 = 0x51
    static let sixteen: UInt8 = 0x60
    static let dup: UInt8 = 0x76
    static let equal: UInt8 = 0x87
    static let equalVerify: UInt8 = 0x88
    static let numEqual: UInt8 = 0x9c
    static let hash160: UInt8 = 0xa9
    static let checkSig: UInt8 = 0xac
    static let checkMultisig: UInt8 = 0xae
    static let checkSigAdd: UInt8 = 0xba

    /// The push of a number from 1 to 32,767 (`CScript << int64_t`).
    static func number(_ value: Int) -> [UInt8] {
        switch value {
        case 1...16: [one + UInt8(value) - 1]
        case 17...127: [1, UInt8(value)]
        default: [2, UInt8(value & 0xff), UInt8(value >> 8)]
        }
    }
}
