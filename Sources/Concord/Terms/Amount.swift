/// Amounts in satoshi and the compressed form Bitcoin Core keeps them in.
public enum Amount {
    /// 21 million bitcoin (`MAX_MONEY`).
    public static let most: UInt64 = 2_100_000_000_000_000

    /// Satoshi as bitcoin with all eight decimals, as Bitcoin Core prints amounts (`ValueFromAmount`).
    public static func bitcoin(_ satoshi: UInt64) -> String {
        "\(satoshi / 100_000_000).\(String(satoshi % 100_000_000 + 100_000_000).dropFirst())"
    }

    /// `CompressAmount`: trailing zeros and the last digit before them fold into one small number.
    public static func compress(_ amount: UInt64) -> UInt64 {
        if amount == 0 { return 0 }
        var rest = amount
        var exponent: UInt64 = 0
        while exponent < 9, rest % 10 == 0 {
            rest /= 10
            exponent += 1
        }
        if exponent < 9 {
            let digit = rest % 10
            return 1 + (rest / 10 * 9 + digit - 1) * 10 + exponent
        }
        return 1 + (rest - 1) * 10 + 9
    }

    /// `DecompressAmount`; nil for what no amount up to 21 million bitcoin compresses to.
    public static func decompress(_ compressed: UInt64) -> UInt64? {
        if compressed == 0 { return 0 }
        guard compressed <= most * 10 else { return nil }
        var rest = compressed - 1
        let exponent = Int(rest % 10)
        rest /= 10
        var amount: UInt64
        if exponent < 9 {
            let digit = rest % 9 + 1
            amount = rest / 9 * 10 + digit
        } else {
            amount = rest + 1
        }
        for _ in 0..<exponent {
            amount *= 10
            if amount > most { return nil }
        }
        return amount <= most ? amount : nil
    }
}
