// swift-tools-version: 6.2
// PrintTrail's rooms. A room is a target; what it may import is its `dependencies` and nothing else
// (`tools/check` builds with --explicit-target-dependency-import-check error). ARCHITECTURE.md says why each is where it is.

import PackageDescription

let settings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .treatAllWarnings(as: .error),
]

/// A room of the product.
func room(
  _ name: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = [], resources: [Resource] = []
) -> Target {
  .target(name: name, dependencies: dependencies, exclude: exclude, resources: resources, swiftSettings: settings)
}

/// A command-line program.
func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .executableTarget(name: name, dependencies: dependencies + [argumentParser], swiftSettings: settings)
}

/// The tests of a room, in Tests/<room>Tests.
func tests(_ room: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = []) -> Target {
  .testTarget(
    name: room + "Tests", dependencies: [.byName(name: room)] + dependencies, exclude: exclude, swiftSettings: settings)
}

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let protobuf: Target.Dependency = .product(name: "SwiftProtobuf", package: "swift-protobuf")
let grpcCore: Target.Dependency = .product(name: "GRPCCore", package: "grpc-swift-2")
let grpcProtobuf: Target.Dependency = .product(name: "GRPCProtobuf", package: "grpc-swift-protobuf")
let toml: Target.Dependency = .product(name: "TOMLKit", package: "TOMLKit")

let package = Package(
  name: "printtrail",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "ptagent", targets: ["ptagent"]),
    .executable(name: "ptjournal", targets: ["ptjournal"]),
    .executable(name: "pthub", targets: ["pthub"]),
    .executable(name: "ptsim", targets: ["ptsim"]),
    .executable(name: "ptbench", targets: ["ptbench"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-protobuf.git", from: "1.39.0", traits: []),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
    .package(url: "https://github.com/grpc/grpc-swift-2.git", from: "2.4.3"),
    .package(url: "https://github.com/grpc/grpc-swift-protobuf.git", from: "2.4.1"),
    .package(url: "https://github.com/LebJe/TOMLKit.git", from: "0.6.0"),
    // The hub's alone: an independent gRPC stack, so that no one bug can hide on both sides of the wire.
    .package(url: "https://github.com/grpc/grpc-swift-nio-transport.git", from: "2.9.2"),
    .package(url: "https://github.com/groue/GRDB.swift.git", from: "7.10.0"),
    .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.1"),
    .package(url: "https://github.com/apple/swift-certificates.git", from: "1.21.1"),
    .package(url: "https://github.com/apple/swift-asn1.git", from: "1.7.4"),
    .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.6"),
  ],
  targets: [
    // C libraries, each seen by one room alone.
    .systemLibrary(name: "CLMDB"),
    .systemLibrary(name: "COpenSSL"),
    .systemLibrary(name: "CNGHTTP2"),
    .target(name: "CLinux"),

    // Pure rooms: no socket, no clock, no log.
    room("MIB"),
    room("OpenSSL", ["COpenSSL"]),
    room("Evidence", ["OpenSSL"]),
    room("SNMP", ["MIB", "OpenSSL"]),
    room("PrinterModel", ["MIB", toml]),
    room("Events", ["MIB", "PrinterModel", protobuf], exclude: ["Protos"]),
    room("Projections", ["Events", "MIB", "PrinterModel"]),
    room("Discovery", ["MIB"]),
    room("HubProtocol", [grpcCore, grpcProtobuf, protobuf], exclude: ["Protos"]),

    // The journal and what reads it.
    room("LMDB", ["CLMDB"]),
    room("Journal", ["LMDB", "Evidence", "OpenSSL"]),
    room("ReadModels", ["Journal", "Evidence", "OpenSSL", "Projections", "Events", "PrinterModel", "MIB"]),

    // The wire.
    room("TLS", ["OpenSSL", "COpenSSL"]),
    room("HTTP2", ["CNGHTTP2", "TLS"]),
    room("GRPCWire", ["HTTP2", "TLS", grpcCore]),
  ]
)
