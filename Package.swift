// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "concord",
    platforms: [.macOS(.v26)],
    products: [
        .executable(name: "concord", targets: ["ConcordCommand"]),
        .executable(name: "concord-publish", targets: ["ConcordPublishCommand"]),
        // The client for programs of your own, and the words it speaks in.
        .library(
            name: "ConcordClient",
            targets: ["ConcordClient", "Concord", "ConcordFiles", "ConcordTransfers", "ConcordTree"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
        .package(url: "https://github.com/swhitty/FlyingFox", from: "0.27.1"),
    ],
    targets: [
        // The C libraries, as the system has them.
        .systemLibrary(
            name: "CCrypto", pkgConfig: "libcrypto",
            providers: [.apt(["libssl-dev"]), .brew(["openssl@3"])]),
        .systemLibrary(
            name: "CSecp256k1", pkgConfig: "libsecp256k1",
            providers: [.apt(["libsecp256k1-dev"]), .brew(["secp256k1"])]),
        .systemLibrary(
            name: "CZstd", pkgConfig: "libzstd",
            providers: [.apt(["libzstd-dev"]), .brew(["zstd"])]),
        .systemLibrary(
            name: "CCurl", pkgConfig: "libcurl",
            providers: [.apt(["libcurl4-openssl-dev"]), .brew(["curl"])]),
        .systemLibrary(
            name: "CSQLite", pkgConfig: "sqlite3",
            providers: [.apt(["libsqlite3-dev"]), .brew(["sqlite"])]),

        // A system call that Swift's own module leaves out.
        .systemLibrary(name: "CSystem"),

        // Formats, hashing and agreement: bytes in, bytes out, no I/O.
        .target(name: "Concord", dependencies: ["CCrypto", "CSecp256k1"]),
        // Files that appear whole or not at all, locks, work on all cores.
        .target(name: "ConcordFiles", dependencies: ["Concord", "CSystem"]),
        // HTTP by libcurl: many requests at once over connections that are used again.
        .target(name: "ConcordTransfers", dependencies: ["Concord", "CCurl"]),
        // Pages for people, from Mustache templates that operators can change.
        .target(
            name: "ConcordPages",
            dependencies: [
                "Concord", "ConcordFiles", .product(name: "Mustache", package: "swift-mustache"),
            ]),
        // Chain data: Bitcoin Core's block files and running nodes, and the best chain among what they hold.
        .target(name: "ConcordChain", dependencies: ["Concord", "ConcordFiles", "ConcordTransfers"]),
        // The published tree on a disk: zstd, snapshots from patches, verification.
        .target(name: "ConcordTree", dependencies: ["Concord", "ConcordFiles", "CZstd"]),
        // Chain data → block changes → patches, snapshots and what is to be said of each block, unsigned.
        .target(
            name: "ConcordBuild", dependencies: ["Concord", "ConcordChain", "ConcordFiles", "ConcordTree"]),
        // What is to be said, signed: a published tree; the only code that holds private keys.
        .target(
            name: "ConcordPublish",
            dependencies: [
                "Concord", "ConcordBuild", "ConcordChain", "ConcordFiles", "ConcordPages", "ConcordTree",
                "CSecp256k1",
                .product(name: "SwiftASN1", package: "swift-asn1"),
            ],
            // Links to files of site-template that every tree gets.
            resources: [
                .embedInCode("Site/FORMAT.md"), .embedInCode("Site/audit.sh"),
                .embedInCode("Site/index.html"),
            ]),
        // The way from other people's trees to an installed set, and out of it.
        .target(
            name: "ConcordClient",
            dependencies: ["Concord", "ConcordFiles", "ConcordTree", "ConcordTransfers", "CSQLite"]),
        // What is installed, in the words of Esplora and of Bitcoin Core's JSON-RPC, over HTTP on loopback.
        .target(
            name: "ConcordServe",
            dependencies: [
                "Concord", "ConcordClient", "ConcordFiles",
                .product(name: "FlyingFox", package: "FlyingFox"),
                .product(name: "FlyingSocks", package: "FlyingFox"),
            ]),
        // Other people's attestations, held to one's own chain data.
        .target(
            name: "ConcordAudit",
            dependencies: [
                "Concord", "ConcordBuild", "ConcordChain", "ConcordClient", "ConcordFiles",
                "ConcordTree",
            ]),

        // What both programs say on a terminal and to scripts.
        .target(
            name: "ConcordConsole",
            dependencies: [
                "Concord", "ConcordChain", "ConcordClient", "ConcordFiles", "ConcordTransfers",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),

        .executableTarget(
            name: "ConcordCommand",
            dependencies: [
                "Concord", "ConcordAudit", "ConcordBuild", "ConcordChain", "ConcordConsole", "ConcordClient",
                "ConcordFiles", "ConcordPages", "ConcordServe", "ConcordTransfers", "ConcordTree",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            // Links to files of site-template.
            resources: [.embedInCode("Site/report.html")]),
        .executableTarget(
            name: "ConcordPublishCommand",
            dependencies: [
                "Concord", "ConcordBuild", "ConcordChain", "ConcordConsole", "ConcordClient", "ConcordFiles",
                "ConcordPublish", "ConcordTransfers", "ConcordTree",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),

        // How a program of one's own uses the client.
        .executableTarget(
            name: "client-example", dependencies: ["Concord", "ConcordClient"], path: "Tests/Example"),
        // What a wallet costs in bytes and requests: Tests/bench.
        .executableTarget(
            name: "bench",
            dependencies: [
                "Concord", "ConcordBuild", "ConcordChain", "ConcordClient", "ConcordConsole", "ConcordFiles",
                "ConcordPublish", "ConcordTransfers", "ConcordTree", "TestSupport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], path: "Tests/Benchmark"),
        // What tests share: programs run as a user runs them, fixtures, slow readers of the same formats.
        .target(
            name: "TestSupport",
            dependencies: [
                "Concord", "ConcordBuild", "ConcordChain", "ConcordFiles", "ConcordPublish",
                "ConcordTransfers", "ConcordTree",
            ], path: "Tests/Support"),
        .testTarget(
            name: "TestSupportTests", dependencies: ["bench", "Concord", "TestSupport"],
            path: "Tests/SupportTests"),
        .testTarget(name: "ConcordTests", dependencies: ["Concord", "TestSupport"]),
        .testTarget(name: "ConcordFilesTests", dependencies: ["Concord", "ConcordFiles", "TestSupport"]),
        .testTarget(
            name: "ConcordTreeTests",
            dependencies: ["Concord", "ConcordFiles", "ConcordTree", "TestSupport", "CZstd"]),
        .testTarget(
            name: "ConcordChainTests",
            dependencies: ["Concord", "ConcordFiles", "ConcordTree", "ConcordChain", "TestSupport"]),
        .testTarget(
            name: "ConcordPublishTests",
            dependencies: [
                "Concord", "ConcordFiles", "ConcordPages", "ConcordPublish", "ConcordTree", "TestSupport",
            ]),
        .testTarget(
            name: "ConcordTransfersTests", dependencies: ["Concord", "ConcordTransfers", "TestSupport"]),
        .testTarget(
            name: "ConcordClientTests",
            dependencies: [
                "Concord", "ConcordClient", "ConcordFiles", "ConcordPublish", "ConcordTransfers",
                "ConcordTree",
                "TestSupport",
            ]),
        .testTarget(
            name: "ConcordServeTests",
            dependencies: [
                "Concord", "ConcordClient", "ConcordFiles", "ConcordServe", "TestSupport",
            ]),
        // The built publisher on real chains.
        .testTarget(
            name: "PublishTests",
            dependencies: [
                "Concord", "ConcordBuild", "ConcordChain", "ConcordFiles", "ConcordPublish",
                "ConcordPublishCommand", "ConcordTree", "TestSupport",
            ]),
        // The built client against trees of the built publisher.
        .testTarget(
            name: "ClientTests",
            dependencies: [
                "Concord", "ConcordCommand", "ConcordFiles", "ConcordPublish", "ConcordPublishCommand",
                "ConcordTree",
                "TestSupport", "client-example",
            ]),
    ],
    swiftLanguageModes: [.v6]
)

// Where changes are checked, a warning is an error; a newer compiler must not break anybody else's build.
if Context.environment["CI"] != nil {
    for target in package.targets where target.type != .system {
        target.swiftSettings = [.treatAllWarnings(as: .error)]
    }
}
