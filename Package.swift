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
func program(_ name: String, _ dependencies: [Target.Dependency], linking: [LinkerSetting] = []) -> Target {
  .executableTarget(
    name: name, dependencies: dependencies + [argumentParser], swiftSettings: settings, linkerSettings: linking)
}

/// For programs that run on machines that are not ours: `tools/package` names a folder in which the C libraries are archives alone, so that these are
/// linked in (docs/decisions/0020-what-is-linked-in.md). Other builds take the system's shared ones.
let ownLibraries: [LinkerSetting] =
  Context.environment["PT_ARCHIVES"].map { [.unsafeFlags(["-L\($0)"])] } ?? []

/// The tests of a room, or of several together.
func tests(_ name: String, of dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
  .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: settings)
}

/// The service's unit and user, as packages ship them and `ptagent service` writes them.
let serviceFiles: [Resource] = [.embedInCode("Service")]

/// Vendor profiles are data, reviewed as data and built in as bytes.
let profiles: [Resource] = [.embedInCode("Profiles"), .embedInCode("Words")]

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")
let protobuf: Target.Dependency = .product(name: "SwiftProtobuf", package: "swift-protobuf")
let grpcCore: Target.Dependency = .product(name: "GRPCCore", package: "grpc-swift-2")
let grpcProtobuf: Target.Dependency = .product(name: "GRPCProtobuf", package: "grpc-swift-protobuf")
let toml: Target.Dependency = .product(name: "TOMLKit", package: "TOMLKit")

/// Only where it is asked for: it links with libFuzzer (`tools/fuzz`).
let fuzzing: [Target] =
  Context.environment["PT_FUZZ"] == nil
  ? [] : [.executableTarget(name: "ptfuzz", dependencies: ["FuzzTargets"], swiftSettings: settings)]

let package = Package(
  name: "printtrail",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "ptagent", targets: ["ptagent"]),
    .executable(name: "ptjournal", targets: ["ptjournal"]),
    .executable(name: "pthub", targets: ["pthub"]),
    .executable(name: "ptsim", targets: ["ptsim"]),
    .executable(name: "ptbench", targets: ["ptbench"]),
    // Preloaded into a program whose writes are to be recorded.
    .library(name: "CrashRecorder", type: .dynamic, targets: ["CrashRecorder"]),
    // Preloaded into a benchmark whose allocations are to be counted.
    .library(name: "AllocationCounter", type: .dynamic, targets: ["AllocationCounter"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-protobuf.git", from: "1.39.0", traits: []),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
    .package(url: "https://github.com/grpc/grpc-swift-2.git", from: "2.4.3"),
    .package(url: "https://github.com/grpc/grpc-swift-protobuf.git", from: "2.4.1"),
    .package(url: "https://github.com/LebJe/TOMLKit.git", from: "0.6.0"),
    // For tests and benchmarks alone: a client of other making at the hub.
    .package(url: "https://github.com/grpc/grpc-swift-nio-transport.git", from: "2.9.2"),
    .package(url: "https://github.com/groue/GRDB.swift.git", from: "7.10.0"),
    .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.1"),
    .package(url: "https://github.com/apple/swift-certificates.git", from: "1.21.1"),
    .package(url: "https://github.com/apple/swift-asn1.git", from: "1.7.4"),
    .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.6"),
    .package(url: "https://github.com/apple/swift-nio-http2.git", from: "1.46.0"),
    .package(url: "https://github.com/apple/swift-http-types.git", from: "1.8.0"),
  ],
  targets: [
    // C libraries, each seen by the rooms named here alone.
    .systemLibrary(name: "CLMDB"),
    .systemLibrary(name: "COpenSSL"),
    .systemLibrary(name: "CNGHTTP2"),
    .systemLibrary(name: "CPostgres"),
    .systemLibrary(name: "CZlib"),
    .target(name: "CLinux"),
    .target(name: "CSHA256"),
    .target(name: "CrashRecorder"),
    .target(name: "AllocationCounter"),
    // The consoles' pages: embedded by the compiler, so that nothing has to be copied or found.
    .target(name: "ConsoleAssets", exclude: ["shared", "agent", "hub"]),

    // Pure rooms: no socket, no clock, no log.
    room("MIB"),
    room("OpenSSL", ["COpenSSL", "CSHA256"]),
    room("Evidence", ["OpenSSL"]),
    room("SNMP", ["MIB", "OpenSSL"]),
    // Before the TOML library.
    room("TOMLText"),
    room("PrinterModel", ["MIB", "TOMLText", toml], resources: profiles),
    room("Events", ["MIB", "PrinterModel", protobuf], exclude: ["Protos"]),
    room("Projections", ["Events", "MIB", "PrinterModel"]),
    room("AlertRules", ["Events", "PrinterModel"]),
    room("Discovery", ["MIB"]),
    room("IPP"),
    // What may pass between a browser and a device's own pages.
    room("DevicePages", ["OpenSSL", "Zlib"]),
    room("HubProtocol", [grpcCore, grpcProtobuf, protobuf], exclude: ["Protos"]),

    // The journal and what reads it.
    room("LMDB", ["CLMDB"]),
    room("Journal", ["LMDB", "Evidence", "OpenSSL"]),
    room(
      "ReadModels",
      ["Journal", "Evidence", "LMDB", "OpenSSL", "Projections", "AlertRules", "Events", "PrinterModel", "MIB"]),

    // Runs by a seed, and power cuts that did not happen.
    room("Simulation", ["OpenSSL"]),
    room("CrashImages", ["Journal", "ReadModels", "Evidence", "Simulation"]),

    // The wire.
    room("TLS", ["OpenSSL", "COpenSSL"]),
    room("HTTP2", ["CNGHTTP2"]),
    room("Zlib", ["CZlib"]),
    room("GRPCWire", ["HTTP2", "TLS", "OpenSSL", "Zlib", grpcCore]),

    // The agent.
    room("Platform", resources: serviceFiles),
    // A TLS stack of its own: printers' certificates are nobody's, and the room TLS has no way to accept such.
    room(
      "DeviceHTTP",
      [
        "OpenSSL", .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"), .product(name: "NIOTLS", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
      ]),
    room(
      "Collectors",
      ["Discovery", "SNMP", "IPP", "DeviceHTTP", "MIB", "PrinterModel", "Events", "AlertRules", "OpenSSL", "CLinux"]),
    room("Enrolment", ["GRPCWire", "HubProtocol", "TLS", "OpenSSL", "Platform", grpcCore, protobuf]),
    room(
      "Replicator",
      ["Journal", "Evidence", "GRPCWire", "HubProtocol", "TLS", "OpenSSL", "Platform", grpcCore, protobuf, logging]),

    // A device's own pages, for a technician at the hub.
    room(
      "RemoteTechnician",
      ["DeviceHTTP", "GRPCWire", "HTTP2", "TLS", "OpenSSL", "Discovery", "Events", "AlertRules"]),

    room("Settings", ["AlertRules", "Discovery", "SNMP", "OpenSSL", "Platform", "PrinterModel", "TOMLText", toml]),
    room("Jobs", ["Events", logging]),
    room("Health", ["Platform", "TLS", "HTTP2", "GRPCWire"]),
    room(
      "AgentCore",
      [
        "Settings", "AlertRules", "Collectors", "Console", "Discovery", "Enrolment", "Events", "Evidence", "Health",
        "Jobs", "Journal", .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        "LMDB", "OpenSSL", "SNMP", "Zlib",
        "Platform", "PrinterModel", "Projections", "ReadModels", "RemoteTechnician", "Replicator", "TLS", "WebServing",
        logging, lifecycle,
        signals,
      ]),

    // What serves the consoles to browsers, shared by agent and hub: neither's wire is in it.
    room(
      "WebServing",
      [
        "ConsoleAssets", "OpenSSL", "Platform", "Zlib", logging, lifecycle,
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "HummingbirdCore", package: "hummingbird"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
      ]),
    room(
      "Console",
      [
        "WebServing", "AlertRules", "ConsoleAssets", "Events", "Evidence", "Journal", "MIB", "OpenSSL", "Platform",
        "PrinterModel",
        "Projections", "ReadModels", logging,
      ]),

    // The hub: never GRPCWire or TLS, so that no one bug of theirs can hide on both sides of the wire.
    room(
      "RPCServing",
      [
        "HTTP2", "OpenSSL", "Zlib", grpcCore,
        .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
      ]),
    room(
      "HubDatabase",
      [
        "CPostgres", "Platform", .product(name: "GRDB", package: "GRDB.swift"),
        .product(name: "GRDBSQLite", package: "GRDB.swift"),
      ]),
    room(
      "HubFleet", ["HubDatabase", "Projections", "Events", "PrinterModel"]),
    room(
      "HubServer",
      [
        "DevicePages", "HubDatabase", "HubFleet", "HubProtocol", "Discovery", "Events", "Evidence", "OpenSSL", "CLinux",
        "Platform", "RPCServing",
        "Settings", "WebServing",
        grpcCore,
        grpcProtobuf,
        protobuf,
        logging,
        lifecycle,
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "HummingbirdCore", package: "hummingbird"),
        .product(name: "HummingbirdHTTP2", package: "hummingbird"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        signals,
        .product(name: "X509", package: "swift-certificates"),
        .product(name: "SwiftASN1", package: "swift-asn1"),
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOTLS", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        // The tunnel's other end speaks it with nghttp2 (docs/formats/tunnel.md).
        .product(name: "NIOHTTP2", package: "swift-nio-http2"),
        .product(name: "NIOHPACK", package: "swift-nio-http2"),
      ]),

    // Printers that are not there.
    room(
      "PrinterSimulator",
      [
        "SNMP", "IPP", "MIB", "CLinux", "TOMLText", toml, .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
      ]),

    program(
      "ptagent",
      [
        "AgentCore", "CLinux", "Collectors", "Console", "Settings", "Discovery", "Enrolment", "Events", "Journal",
        "MIB",
        "Platform",
        "PrinterModel", "ReadModels", "SNMP", "WebServing", logging, signals,
      ], linking: ownLibraries),
    program(
      "ptjournal",
      [
        "ReadModels", "Journal", "CLinux", "Evidence", "Events", "OpenSSL", "Platform", "PrinterModel", "Projections",
      ], linking: ownLibraries),
    // What libFuzzer and the tests feed with bytes by chance.
    room("FuzzTargets", ["Discovery", "Events", "IPP", "MIB", "PrinterModel", "SNMP"]),
    program("pthub", ["Events", "HubDatabase", "HubServer", "Platform", "Settings", logging, signals]),
    program("ptsim", ["PrinterSimulator", "CLinux", "Platform"]),
    program(
      "ptbench",
      [
        "AgentCore", "AlertRules", "Journal", "Enrolment", "Evidence", "ReadModels", "Events", "PrinterModel", "MIB",
        "Collectors", "Discovery", "SNMP", "CrashImages", "HubProtocol", "OpenSSL", "Platform", "Replicator", "TLS",
        grpcCore, protobuf, logging, .product(name: "GRPCNIOTransportHTTP2", package: "grpc-swift-nio-transport"),
        .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
      ]),

    // PostgreSQL for those that need it.
    .target(
      name: "TestDatabases", dependencies: ["TestPrograms"], path: "Tests/TestDatabases", swiftSettings: settings),
    // Other programs, run and waited for.
    .target(name: "TestPrograms", dependencies: ["CLinux"], path: "Tests/TestPrograms", swiftSettings: settings),
    tests("AlertRulesTests", of: ["AlertRules", "Events", "PrinterModel"]),
    tests(
      "AgentCoreTests",
      of: [
        "AgentCore", "AlertRules", "Collectors", "Settings", "Discovery", "Enrolment", "Events", "Evidence", "Jobs",
        "Journal", "MIB", "OpenSSL", "Platform", "PrinterModel", "Projections", "ReadModels", "RemoteTechnician",
        "Replicator", "SNMP", "Zlib",
        logging, lifecycle,
      ]),
    tests(
      "CollectorsTests",
      of: [
        "TestPrograms", "Collectors", "AlertRules", "CLinux", "DeviceHTTP", "Discovery", "SNMP", "IPP", "MIB",
        "PrinterModel",
        "PrinterSimulator", "Events", "Projections",
        .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
      ]),
    tests(
      "ConsoleTests",
      of: [
        "Console", "AlertRules", "Events", "Journal", "MIB", "PrinterModel", "Projections", "ReadModels", "WebServing",
        logging,
      ]),
    // Runs real browsers against real programs.
    tests("BrowserTests", of: ["TestPrograms"], exclude: ["Support"]),
    tests("ConsoleAssetsTests", of: ["ConsoleAssets", "Zlib"]),
    tests("CrashImagesTests", of: ["TestPrograms", "CrashImages", "Evidence", "Simulation"]),
    tests(
      "DeviceHTTPTests",
      of: [
        "DeviceHTTP", .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
      ]
    ),
    tests("DevicePagesTests", of: ["DevicePages", "OpenSSL", "Zlib"]),
    tests("DiscoveryTests", of: ["Discovery"]),
    tests("EnrolmentTests", of: ["Enrolment", "COpenSSL", "OpenSSL", "Platform", "TLS"]),
    tests("EventsTests", of: ["Events", "MIB", "PrinterModel", protobuf]),
    tests("EvidenceTests", of: ["Evidence", "OpenSSL"]),
    tests("FuzzTests", of: ["FuzzTargets"]),
    tests(
      "GRPCWireTests", of: ["GRPCWire", "HTTP2", "TLS", "OpenSSL", grpcCore, grpcProtobuf, protobuf],
      exclude: ["Support"]),
    tests("HealthTests", of: ["Health", "HTTP2", "TLS"]),
    tests("HTTP2Tests", of: ["HTTP2"]),
    tests(
      "HubFleetTests",
      of: ["HubFleet", "HubDatabase", "TestDatabases", "Projections", "Events", "PrinterModel", "MIB", "Platform"]),
    tests(
      "HubDatabaseTests",
      of: ["HubDatabase", "TestDatabases", "Platform", .product(name: "GRDB", package: "GRDB.swift")]),
    tests("IPPTests", of: ["IPP"]),
    tests(
      "HubServerTests",
      of: [
        "TestPrograms", "HubServer", "HubDatabase", "HubFleet", "Events", "MIB", "PrinterModel", "TestDatabases",
        "AlertRules", "DevicePages", "HubProtocol",
        "WebServing",
        "Evidence", "OpenSSL", "Platform", "Replicator", "Settings", "TLS", grpcCore, protobuf, logging,
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "NIOHTTP2", package: "swift-nio-http2"),
        .product(name: "NIOHPACK", package: "swift-nio-http2"),
        .product(name: "GRPCNIOTransportHTTP2", package: "grpc-swift-nio-transport"),
        .product(name: "X509", package: "swift-certificates"),
        .product(name: "SwiftASN1", package: "swift-asn1"),
        .product(name: "Crypto", package: "swift-crypto"),
      ]),
    tests("JobsTests", of: ["Jobs", "Events", "Projections", logging]),
    tests("JournalTests", of: ["TestPrograms", "Journal", "LMDB", "Evidence", "OpenSSL", "CrashImages", "Simulation"]),
    tests("LMDBTests", of: ["LMDB"]),
    tests("MIBTests", of: ["MIB"]),
    tests("OpenSSLTests", of: ["OpenSSL"]),
    tests("PlatformTests", of: ["Platform"]),
    tests("PrinterModelTests", of: ["PrinterModel", "MIB"]),
    tests("PrinterSimulatorTests", of: ["TestPrograms", "PrinterSimulator", "ptsim", "CLinux", "SNMP", "IPP", "MIB"]),
    tests("ProjectionsTests", of: ["Projections", "Events", "MIB", "PrinterModel"]),
    tests(
      "ReadModelsTests",
      of: [
        "TestPrograms", "ReadModels", "Journal", "Evidence", "Events", "MIB", "OpenSSL", "PrinterModel", "Projections",
      ]),
    tests(
      "RemoteTechnicianTests",
      of: [
        "RemoteTechnician", "TestPrograms", "AlertRules", "DeviceHTTP", "HTTP2", "TLS", "OpenSSL", "Discovery",
        "Events",
        .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
      ], exclude: ["Support"]),
    tests(
      "ReplicatorTests",
      of: [
        "Replicator", "Evidence", "HubProtocol", "HTTP2", "Journal", "OpenSSL", "CrashImages", "Simulation", "TLS",
        grpcCore,
      ]),
    tests("ScenarioTests", of: ["TestPrograms", "TestDatabases"], exclude: ["Support"]),
    tests("RPCServingTests", of: ["RPCServing", "HTTP2", "TestPrograms", grpcCore], exclude: ["Support"]),
    tests("SettingsTests", of: ["Settings", "AlertRules", "Discovery", "Platform", "PrinterModel", "SNMP"]),
    tests("TOMLTextTests", of: ["TOMLText"]),
    tests("SNMPTests", of: ["SNMP", "MIB", "OpenSSL"]),
    tests(
      "WebServingTests",
      of: [
        "WebServing", "OpenSSL", "Platform", "Zlib", logging, lifecycle,
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
      ]),
    tests("ZlibTests", of: ["Zlib"]),
  ] + fuzzing
)
