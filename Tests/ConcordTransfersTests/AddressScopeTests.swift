import Testing

@testable import ConcordTransfers

@Suite struct AddressScopeTests {
    @Test(
        arguments: [
            ("127.0.0.1", .machine), ("127.255.0.1", .machine), ("0.0.0.0", .machine), ("::1", .machine),
            ("::", .machine),
            ("::ffff:127.0.0.1", .machine), ("64:ff9b::127.0.0.1", .machine), ("10.0.0.1", .neighbours),
            ("172.16.0.1", .neighbours), ("172.31.255.255", .neighbours), ("172.32.0.1", .internet),
            ("192.168.1.1", .neighbours), ("192.169.1.1", .internet), ("169.254.169.254", .link),
            ("::ffff:169.254.169.254", .link),
            ("100.64.0.1", .neighbours), ("100.128.0.1", .internet), ("fd00::1", .neighbours),
            ("fe80::1%eth0", .link), ("febf::1", .link), ("fec0::1", .neighbours),
            ("::ffff:8.8.8.8", .internet), ("2001:db8::1", .internet),
            ("8.8.8.8", .internet),
            ("", nil), ("localhost", nil), ("1.2.3", nil),
        ] as [(String, AddressScope?)])
    func addresses(address: String, scope: AddressScope?) {
        #expect(AddressScope(address: address) == scope)
    }

    @Test(arguments: [AddressScope.machine, .link, .neighbours, .internet])
    func redirectsStayOrGoOutwards(scope: AddressScope) {
        for next in [AddressScope.machine, .link, .neighbours, .internet] {
            #expect(scope.mayLead(to: next) == (next == .internet || next == scope), "\(scope) to \(next)")
        }
    }

    /// A service of this machine that a stranger can make redirect must not get at the machine's secrets.
    @Test func nothingLeadsToTheCloudsSecrets() throws {
        let secrets = try #require(AddressScope(address: "169.254.169.254"))
        for address in ["127.0.0.1", "::1", "10.0.0.1", "192.168.1.1", "8.8.8.8"] {
            #expect(try !#require(AddressScope(address: address)).mayLead(to: secrets), "\(address)")
        }
    }
}
