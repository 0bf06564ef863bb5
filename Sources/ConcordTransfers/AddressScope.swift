#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Where an address is, as seen from this machine. A redirect may lead to the internet or to where it comes from, and
/// nowhere else: no host has any business making this machine ask its own services, its neighbours, or what answers on its
/// link, for anything.
enum AddressScope {
    /// Loopback, and the unspecified address, which Linux connects to it.
    case machine
    /// 169.254.0.0/16 and fe80::/10, where clouds keep the secrets of machines.
    case link
    /// Private and shared addresses.
    case neighbours
    case internet

    func mayLead(to next: AddressScope) -> Bool { next == .internet || next == self }

    /// The scope of a numeric IPv4 or IPv6 address; nil if it is neither.
    init?(address: String) {
        var four = in_addr()
        if inet_pton(AF_INET, address, &four) == 1 {
            self.init(four: withUnsafeBytes(of: four) { [UInt8]($0) })
            return
        }
        var six = in6_addr()
        // A zone (`fe80::1%eth0`) is the interface's name, not a part of the address.
        guard inet_pton(AF_INET6, String(address.prefix { $0 != "%" }), &six) == 1 else { return nil }
        let bytes = withUnsafeBytes(of: six) { [UInt8]($0) }
        let head = bytes.prefix(12)
        if head.elementsEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff])
            || head.elementsEqual([0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0])
        {
            self.init(four: Array(bytes[12...]))  // mapped (RFC 4291), translated (RFC 6052)
        } else if bytes[..<15].allSatisfy({ $0 == 0 }) {
            self = .machine  // ::1, and :: which Linux connects to it
        } else if bytes[0] == 0xfe, bytes[1] & 0xc0 == 0x80 {
            self = .link
        } else if bytes[0] & 0xfe == 0xfc || (bytes[0] == 0xfe && bytes[1] & 0xc0 == 0xc0) {
            self = .neighbours  // unique local, site local
        } else {
            self = .internet
        }
    }

    private init(four bytes: [UInt8]) {
        switch (bytes[0], bytes[1]) {
        case (127, _), (0, _): self = .machine
        case (169, 254): self = .link
        case (10, _), (172, 16...31), (192, 168), (100, 64...127): self = .neighbours
        default: self = .internet
        }
    }
}
