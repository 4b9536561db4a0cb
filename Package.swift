// swift-tools-version: 6.2
import PackageDescription

// Targets stand in the order in which an event flows, and imports go one way: a target may import those above it.
// Two rules more, checked by the build: only the thin layers import C modules, and the pure targets import no effects.

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

/// For the owners of the loop: everything in them is on the main actor unless it says otherwise.
let onTheLoop = strict + [.defaultIsolation(MainActor.self)]

func library(_ name: String, _ module: String, _ package: String) -> Target {
    .systemLibrary(name: name, pkgConfig: module, providers: [.apt([package])])
}

let package = Package(
    name: "sluice",
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
    ],
    targets: [
        // C libraries: a module map and a shim each.
        .systemLibrary(name: "CLinux"),
        library("CZlib", "zlib", "zlib1g-dev"),
        library("CLibdeflate", "libdeflate", "libdeflate-dev"),
        library("CZstd", "libzstd", "libzstd-dev"),
        library("COpenSSL", "libcrypto", "libssl-dev"),
        library("CCurl", "libcurl", "libcurl4-openssl-dev"),
        library("CSystemd", "libsystemd", "libsystemd-dev"),
        library("CMicrohttpd", "libmicrohttpd", "libmicrohttpd-dev"),

        // One thin, safe Swift layer over each of them.
        .target(name: "Files", dependencies: ["CLinux"], swiftSettings: strict),
        .target(name: "Deflate", dependencies: ["CZlib", "CLibdeflate"], swiftSettings: strict),
        .target(name: "Zstandard", dependencies: ["CZstd"], swiftSettings: strict),
        .target(name: "Digest", dependencies: ["COpenSSL"], swiftSettings: strict),
        .target(
            name: "Curl", dependencies: ["CCurl", "CLinux", "Digest"], swiftSettings: onTheLoop),
        .target(name: "Systemd", dependencies: ["CSystemd"], swiftSettings: strict),
        .target(name: "HTTPServer", dependencies: ["CMicrohttpd"], swiftSettings: onTheLoop),

        // The page at "/", its parts in plain files: C has #embed for them.
        .target(name: "CStatusPage", exclude: ["page"]),
        .target(name: "StatusPage", dependencies: ["CStatusPage"], swiftSettings: strict),

        // Pure decisions and encodings: no I/O, no clock.
        .target(name: "Model", swiftSettings: strict),
        .target(name: "Encoding", dependencies: ["Model", "Digest"], swiftSettings: strict),
        .target(
            name: "Avro", dependencies: ["Model", "Deflate", "Zstandard", "Digest", "Encoding"],
            swiftSettings: strict),
        .target(
            name: "Batching", dependencies: ["Model", "Avro", "Deflate", "Zstandard"],
            swiftSettings: strict),
        .target(name: "Signing", dependencies: ["Model", "Digest"], swiftSettings: strict),
        .target(name: "Delivery", dependencies: ["Model"], swiftSettings: strict),

        // The owners of files, connections and the loop.
        .target(
            name: "Configuration",
            dependencies: [
                "Model", "Files", "Avro", .product(name: "TOMLKit", package: "TOMLKit"),
            ],
            swiftSettings: strict),
        .target(
            name: "Spool",
            dependencies: [
                "Model", "Files", "Digest", "Deflate", "Encoding", "Avro", "Batching",
            ],
            swiftSettings: strict),
        .target(
            name: "Credentials",
            dependencies: [
                "Model", "Files", "Curl", "Digest", "Encoding", "Signing", "Delivery",
            ],
            swiftSettings: onTheLoop),
        .target(
            name: "S3",
            dependencies: [
                "Model", "Curl", "Digest", "Encoding", "Signing", "Delivery", "Credentials",
            ],
            swiftSettings: onTheLoop),
        .target(
            name: "Daemon",
            dependencies: [
                "Model", "Avro", "Files", "Configuration", "Spool", "Delivery", "Credentials", "S3",
                "Systemd", "HTTPServer", "Curl",
                "Batching", "Deflate", "Digest", "Encoding", "Signing", "StatusPage",
            ],
            swiftSettings: onTheLoop),
        .executableTarget(name: "sluiced", dependencies: ["Daemon"], swiftSettings: onTheLoop),
        .executableTarget(
            name: "sluicectl",
            dependencies: [
                "Model", "Avro", "Files", "Configuration", "Credentials", "Curl", "Deflate",
                "Delivery", "Digest", "Encoding", "S3", "Signing", "Spool", "Zstandard",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),

        .target(
            name: "Support", dependencies: ["Files", "Encoding"], path: "Tests/Support",
            swiftSettings: strict),
        .target(
            name: "ScriptedStore", dependencies: ["Curl"], path: "Tests/ScriptedStore",
            swiftSettings: onTheLoop),
        // What scripts/bench --encode runs.
        .executableTarget(
            name: "EncodeBench", dependencies: ["Avro", "Encoding"], path: "Tests/EncodeBench",
            swiftSettings: strict),
        .testTarget(name: "ModelTests", dependencies: ["Model"], swiftSettings: strict),
        .testTarget(
            name: "FilesTests", dependencies: ["Files", "Deflate", "Zstandard", "Support"],
            swiftSettings: strict),
        .testTarget(
            name: "EncodingTests", dependencies: ["Encoding", "Model", "Support"],
            swiftSettings: strict),
        .testTarget(
            name: "AvroTests",
            dependencies: [
                "Avro", "Deflate", "Zstandard", "Digest", "Encoding", "Model", "Support",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "BatchingTests", dependencies: ["Batching", "Avro", "Model"],
            swiftSettings: strict),
        .testTarget(
            name: "ConfigurationTests", dependencies: ["Configuration", "Avro", "Model"],
            swiftSettings: strict),
        .testTarget(
            name: "SigningTests", dependencies: ["Signing", "Digest", "Model", "Support"],
            swiftSettings: strict),
        .testTarget(
            name: "DeliveryTests", dependencies: ["Delivery", "Model", "Support"],
            swiftSettings: strict),
        .testTarget(
            name: "SpoolTests",
            dependencies: [
                "Spool", "Avro", "Batching", "Model", "Files", "Support", "Deflate", "Zstandard",
                "Digest",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "CredentialsTests",
            dependencies: [
                "Credentials", "Delivery", "Curl", "Model", "Files", "Digest", "Signing", "Support",
            ],
            swiftSettings: onTheLoop),
        .testTarget(
            name: "S3Tests",
            dependencies: [
                "S3", "Credentials", "Delivery", "Curl", "Model", "Digest", "Signing",
                "ScriptedStore", "Support",
            ],
            swiftSettings: onTheLoop),
        .testTarget(
            name: "DaemonTests",
            dependencies: [
                "Daemon", "Delivery", "Digest", "Files", "HTTPServer", "Model", "ScriptedStore",
                "Spool", "Support", "Systemd",
            ],
            swiftSettings: onTheLoop),
        .testTarget(
            name: "ServiceTests", dependencies: ["Systemd", "HTTPServer"], swiftSettings: onTheLoop),
        .testTarget(
            name: "SluicectlTests",
            dependencies: [
                "sluicectl", "Avro", "Configuration", "Credentials", "Delivery", "Digest", "Files",
                "Model", "Spool",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),
    ]
)

// What is fuzzed, and the modules that it looks into: tests are built so that they may (`@testable`), and scripts/fuzz
// builds all of it so.
let fuzzed: [Target.Dependency] = [
    "Avro", "Batching", "Configuration", "Credentials", "Curl", "Daemon", "Deflate", "Delivery",
    "Digest", "Encoding", "Files", "HTTPServer", "Model", "S3", "Signing", "Spool", "Zstandard",
]

if Context.environment["SLUICE_FUZZ"] == nil {
    package.targets.append(
        .testTarget(
            name: "FuzzTests", dependencies: fuzzed + ["Support"], path: "Tests/Fuzz",
            exclude: ["Driver", "corpus", "json.dict", "toml.dict"],
            sources: ["Targets", "Tests"], swiftSettings: strict))
} else {
    // Only scripts/fuzz builds these: the main of the program comes from libFuzzer.
    package.targets += [
        .target(
            name: "FuzzTargets", dependencies: fuzzed, path: "Tests/Fuzz/Targets",
            swiftSettings: strict),
        .executableTarget(
            name: "Fuzz", dependencies: ["FuzzTargets"], path: "Tests/Fuzz/Driver",
            swiftSettings: strict),
    ]
}
