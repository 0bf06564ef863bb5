/// A coin taken out of whatever held it, for messages.
public struct PlainCoin: Equatable, Sendable {
    /// height · 2 + coinbase.
    public let code: UInt32
    /// In satoshi.
    public let amount: UInt64
    /// The whole scriptPubKey.
    public let script: [UInt8]

    public init(code: UInt32, amount: UInt64, script: UnsafeRawBufferPointer) {
        self.code = code
        self.amount = amount
        self.script = [UInt8](script)
    }
}

extension PlainCoin: CustomStringConvertible {
    /// The most bytes of a script that are shown.
    private static let maxShown = 80

    /// `5000 satoshi, height 7, coinbase, script 51`.
    public var description: String {
        let shown =
            switch script.count {
            case 0: "empty"
            case ...Self.maxShown: script.hex
            default: "\(Array(script.prefix(Self.maxShown)).hex)… of \(script.count) bytes"
            }
        return
            "\(amount) satoshi, height \(code >> 1), \(code & 1 == 1 ? "coinbase" : "no coinbase"), script \(shown)"
    }
}
