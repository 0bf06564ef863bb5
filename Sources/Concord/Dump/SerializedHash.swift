/// `hash_serialized_3` of Bitcoin Core's `gettxoutsetinfo` and `dumptxoutset`: the double SHA-256 of all coins of a set,
/// each as `TxOutSer` writes it, by txid byte by byte and then by index as a number (kernel/coinstats.cpp,
/// `ComputeUTXOStats`).
public struct SerializedHash: ~Copyable {
    private var sha = SHA256()
    private var script = ByteBuffer()

    public init() {}

    /// Adds a coin. False, and the hash is of no use, where its script names no point of the curve.
    public mutating func add(_ coin: EncodedCoin, of txid: Digest) -> Bool {
        guard ScriptCompression.decompress(coin.script, into: &script) else { return false }
        sha.update(
            coin: Outpoint(txid: txid, index: coin.index), code: coin.code, amount: coin.amount,
            script: script.bytes)
        return true
    }

    /// The hash; `reversedHex` is how Bitcoin Core prints it. The value is used up.
    public mutating func finish() -> Digest { sha.finishDouble() }
}
