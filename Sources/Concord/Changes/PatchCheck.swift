/// Holds the sections of a patch or delta to FORMAT.md, «Patches»: what digests and roots cannot show, for a key can sign anything.
public enum PatchCheck {
    /// Reads a section to its end. Throws unless its outpoints and coins are in their order and in their only form, its coins
    /// are of blocks of the patch, and their scripts are ones that can be decompressed and belong to the shard. Which shard a spent
    /// outpoint belongs to only the coin itself shows.
    ///
    /// - Parameters:
    ///   - heights: of the patch's block, or a delta's blocks.
    ///   - script: a buffer to be used again.
    public static func check(
        _ section: UnsafeRawBufferPointer, heights: ClosedRange<Int>, shard: Int,
        of parameters: TreeParameters,
        script: inout ByteBuffer
    ) throws(ParseError) {
        var section = try PatchSection(section)
        while try section.nextSpent() != nil {}
        while true {
            let start = section.createdOffset
            guard let (outpoint, coin) = try section.nextCreated() else { return }
            guard heights.contains(coin.height) else {
                throw ParseError(
                    .malformed(
                        "creates \(outpoint) with the height \(coin.height), not that of "
                            + (heights.count == 1 ? "its block" : "one of its blocks")),
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

    /// Checks all sections of a patch or delta whose index was read from it. Offsets in errors count from the patch's start.
    public static func check(
        _ patch: UnsafeRawBufferPointer, _ index: PatchIndex, heights: ClosedRange<Int>,
        of parameters: TreeParameters
    ) throws(ParseError) {
        var script = ByteBuffer()
        for shard in index.entries.indices where index.entries[shard] != .empty {
            let range = index.range(of: shard)
            do throws(ParseError) {
                try check(
                    UnsafeRawBufferPointer(rebasing: patch[range]), heights: heights,
                    shard: shard, of: parameters,
                    script: &script)
            } catch {
                throw ParseError(error.reason, at: range.lowerBound + error.offset)
            }
        }
    }
}
