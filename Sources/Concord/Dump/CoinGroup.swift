/// The coins of one transaction, gathered from wherever they are and put in order; kept and filled again.
public struct CoinGroup: ~Copyable {
    /// No transaction has more coins: a block has 4,000,000 bytes without witnesses at most, an output 9 at least.
    public static let maxCoins = 444_444
    /// Nor do they take more bytes than this.
    public static let maxBytes = 16 << 20

    /// Where a coin's bytes behind the index are, and what they say.
    private struct Place {
        let index, code: UInt32
        let amount, form: UInt64
        let start, bodyBytes, payloadBytes, scriptBytes: Int32
    }

    public private(set) var txid = Digest.zero
    private var places: [Place] = []
    private var bodies = ByteBuffer()

    public init() {}

    public var count: Int { places.count }

    /// Gives up the coins and begins those of another transaction.
    public mutating func begin(_ txid: Digest) {
        self.txid = txid
        places.removeAll(keepingCapacity: true)
        bodies.removeAll()
    }

    /// Takes in a copy of a coin; false where there would be more than a transaction can have.
    public mutating func add(_ coin: EncodedCoin) -> Bool {
        guard places.count < Self.maxCoins, bodies.count + coin.body.count <= Self.maxBytes else {
            return false
        }
        places.append(
            Place(
                index: coin.index, code: coin.code, amount: coin.amount, form: coin.script.form,
                start: Int32(bodies.count), bodyBytes: Int32(coin.body.count),
                payloadBytes: Int32(coin.script.payload.count), scriptBytes: Int32(coin.scriptBytes)))
        bodies.append(coin.body)
        return true
    }

    /// Puts the coins in order; false if two have one index.
    public mutating func sort(by order: IndexOrder) -> Bool {
        if !isAscending(order) { places.sort { order.key($0.index) < order.key($1.index) } }
        return isAscending(order)
    }

    private func isAscending(_ order: IndexOrder) -> Bool {
        var last: Int64 = -1
        for place in places {
            let key = order.key(place.index)
            if key <= last { return false }
            last = key
        }
        return true
    }

    /// The coin at a place of the order, valid until the group changes.
    public subscript(_ i: Int) -> EncodedCoin {
        let place = places[i]
        let body = UnsafeRawBufferPointer(
            rebasing: bodies.bytes[Int(place.start)..<Int(place.start + place.bodyBytes)])
        return EncodedCoin(
            index: place.index, code: place.code, amount: place.amount,
            script: ScriptCompression.Compressed(
                form: place.form,
                payload: UnsafeRawBufferPointer(rebasing: body.suffix(Int(place.payloadBytes)))),
            body: body, scriptBytes: Int(place.scriptBytes))
    }

    /// Appends txid, count and coins, as shards and dumps hold them, in the order in which they are now.
    public func append(to out: inout ByteBuffer) {
        out.append(txid)
        out.appendCompactSize(UInt64(places.count))
        for place in places {
            out.appendCompactSize(UInt64(place.index))
            out.append(
                UnsafeRawBufferPointer(
                    rebasing: bodies.bytes[Int(place.start)..<Int(place.start + place.bodyBytes)]))
        }
    }
}
