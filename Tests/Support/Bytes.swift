import Concord

/// The bytes that `build` appends.
public func bytes<E: Error>(_ build: (inout ByteBuffer) throws(E) -> Void) throws(E) -> [UInt8] {
    var buffer = ByteBuffer()
    try build(&buffer)
    return [UInt8](buffer.bytes)
}

/// The bytes of hex digits written in a test; spaces and line ends between them do not count.
public func hex(_ digits: String) -> [UInt8] {
    guard let bytes = [UInt8](hex: digits.filter { !$0.isWhitespace }) else {
        fatalError("not hex: \(digits)")
    }
    return bytes
}

extension Digest {
    /// 32 equal bytes: a txid or hash that a test can tell from others.
    public init(every byte: UInt8) {
        self = Digest([UInt8](repeating: byte, count: 32)) ?? .zero
    }
}
