import CSecp256k1

/// The curve of Bitcoin's keys and of Concord's signatures (SEC 2, section 2.4.1).
public enum Secp256k1 {
    /// Made on first use, shared by every thread and never changed: libsecp256k1 only reads it to parse points and to
    /// verify. Nothing secret passes through it; whoever signs has a blinded context of their own.
    nonisolated(unsafe) static let context: OpaquePointer = {
        guard let context = secp256k1_context_create(UInt32(SECP256K1_CONTEXT_NONE)) else {
            preconditionFailure("libsecp256k1 made no context")
        }
        return context
    }()
}
