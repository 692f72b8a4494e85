// What a supporter asks for first, in one JSON text: status, configuration without secrets, the journal's head, the devices, the end of the log.
//
// It is bounded: compressed it fits the fast lane's payload (dcam.proto), so that it comes in the event that the job is done. What is left out for that
// is the beginning of the log, then devices. Secrets cannot get in: the configuration is written field by field, and a credential is its name and kind.

internal import Evidence
internal import FoundationEssentials
internal import Journal
internal import Platform
internal import Projections
internal import ReadModels
internal import Settings
internal import Zlib

struct Diagnostics: Sendable {
  /// Of the whole, compressed: a payload of the fast lane has 64 KiB at most.
  static let bytesMax = 48 << 10
  static let devicesMax = 500

  /// That is in use now.
  let configuration: @Sendable () -> AgentConfiguration
  let composer: StatusComposer
  let journal: Journal
  let tail: LogTail

  /// Compressed with gzip; at most `bytesMax`.
  /// - Throws: what the journal throws, or `ZlibError`.
  func bundle(of fleet: FleetState) throws -> [UInt8] {
    let deflater = try Deflater(.gzip)
    var (logBytes, devices) = (LogTail.bytesMax, Self.devicesMax)
    while true {
      let text = try json(fleet, logBytes: logBytes, devicesMax: devices)
      if let bytes = deflater.deflate(text), bytes.count <= Self.bytesMax { return bytes }
      guard logBytes > 0 || devices > 0 else { throw DiagnosticsTooLarge() }
      if logBytes > 4_096 { logBytes /= 2 } else { (logBytes, devices) = (0, devices / 2) }
    }
  }

  func json(_ fleet: FleetState, logBytes: Int, devicesMax: Int) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let configuration = configuration()
    let content = Content(
      version: AgentVersion.text, written: UTCTime.text(milliseconds: Machine.milliseconds),
      hostName: Machine.hostName, operatingSystem: Machine.operatingSystem,
      diskFreeBytes: Machine.bytesFree(at: configuration.journal.directory), status: try composer.status(),
      configuration: DiagnosedConfiguration(configuration), epochs: try epochs(), devicesTotal: fleet.devices.count,
      devices: fleet.devices.values.sorted { $0.id < $1.id }.prefix(devicesMax).map { DiagnosedDevice($0) },
      log: tail.lines(bytesMax: logBytes).map { String($0.dropLast()) })
    return Array(try encoder.encode(content)) + [0x0a]
  }

  private func epochs() throws -> [Epoch] {
    try journal.reader.epochs().map { epoch in
      Epoch(
        number: epoch.number, first: epoch.firstSequence,
        records: try journal.reader.frontier(epoch: epoch.number).size)
    }
  }
}

/// Nothing that could be left out was left.
struct DiagnosticsTooLarge: Error, CustomStringConvertible {
  var description: String { "The status and the configuration alone are larger than diagnostics may be." }
}

extension Diagnostics {
  fileprivate struct Content: Encodable {
    let version: String
    let written: String
    let hostName: String
    let operatingSystem: String
    let diskFreeBytes: UInt64?
    let status: AgentStatus
    let configuration: DiagnosedConfiguration
    let epochs: [Epoch]
    let devicesTotal: Int
    let devices: [DiagnosedDevice]
    let log: [String]
  }

  fileprivate struct Epoch: Encodable {
    let number: UInt32
    let first: UInt64
    let records: UInt64
  }
}
