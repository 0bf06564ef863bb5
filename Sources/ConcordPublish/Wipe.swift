#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

extension UnsafeMutableRawBufferPointer {
    /// Overwrites the bytes with zeros; unlike a plain store, the compiler does not drop it before a deallocation.
    func wipe() {
        guard let start = baseAddress else { return }
        #if canImport(Darwin)
            memset_s(start, count, 0, count)
        #else
            explicit_bzero(start, count)
        #endif
    }
}

extension [UInt8] {
    /// Overwrites this array's storage, if nobody shares it.
    mutating func wipe() {
        withUnsafeMutableBytes { $0.wipe() }
    }
}
