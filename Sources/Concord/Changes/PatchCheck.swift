/// Holds the sections of a patch to FORMAT.md, «Patches»: what digests and roots cannot show, for a key can sign anything.
public enum PatchCheck {
    /// Reads a section to its end. Throws unless its outpoints and coins are in their order and in their only form, its coins
    /// are of the patch's height, and their scripts are ones that can be decompressed and belong to the shard. Which shard a spent
    /// outpoint belongs to only the coin itself shows.
    ///
    /// - Parameters:
    ///   - height: of the patch's block.
    ///   - script: a buffer to be used again.
    public static func check(
        _ section: UnsafeRawBufferPointer, height: Int, shard: Int, of parameters: TreeParameters,
        script: inout ByteBuffer
    ) throws(ParseError) {
        var section = try PatchSection(section)
        while try section.nextSpent() != nil {}
        while true {
            let start = section.createdOffset
            guard let (outpoint, coin) = try section.nextCreated() else { return }
            guard coin.height == height else {
                throw ParseError(
                    .malformed("creates \(outpoint) with the height \(coin.height), not that of its block"),
                    at: start)
            }
            guard ScriptCompression.decompress(coin.script, into: &script) else {
                throw ParseError(
                    .malformed("creates \(outpoint) with a public key that is no point of the curve"),
                    at: start)
            }
            guard parameters.shard(of: script.bytes) == shard else {
                throw ParseError(
                    .malformed("creates \(outpoint), which belongs to another shard"), at: start)
            }
        }
    }

    /// Checks all sections of a patch whose index was read from it. Offsets in errors count from the patch's start.
    public static func check(
        _ patch: UnsafeRawBufferPointer, _ index: PatchIndex, height: Int, of parameters: TreeParameters
    ) throws(ParseError) {
        var script = ByteBuffer()
        for shard in index.entries.indices where index.entries[shard] != .empty {
            let range = index.range(of: shard)
            do throws(ParseError) {
                try check(
                    UnsafeRawBufferPointer(rebasing: patch[range]), height: height, shard: shard,
                    of: parameters,
                    script: &script)
            } catch {
                throw ParseError(error.reason, at: range.lowerBound + error.offset)
            }
        }
    }
}
