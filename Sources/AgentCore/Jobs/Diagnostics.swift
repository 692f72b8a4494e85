// What a supporter asks for first, in one JSON text: status, configuration without secrets, the journal's head, the devices, the end of the log.
//
// It is bounded: compressed it fits the fast lane's payload (dcam.proto), so that it comes in the event that the job is done. What is left out for that
// is the beginning of the log, then devices. Secrets cannot get in: the configuration is written field by field, and a credential is its name and kind.

internal import Discovery
internal import Events
internal import Evidence
internal import FoundationEssentials
internal import Journal
internal import Platform
internal import PrinterModel
internal import Projections
internal import ReadModels
internal import Settings
internal import SNMP
internal import Zlib

struct Diagnostics: Sendable {
  /// Of the whole, compressed: a payload of the fast lane has 64 KiB at most.
  static let bytesMax = 48 << 10
  static let devicesMax = 500

  /// That is in use now.
  let configured: @Sendable () -> AgentConfiguration
  let composer: StatusComposer
  let journal: Journal
  let tail: LogTail

  init(
    configuration: @escaping @autoclosure @Sendable () -> AgentConfiguration, composer: StatusComposer,
    journal: Journal,
    tail: LogTail
  ) {
    configured = configuration
    self.composer = composer
    self.journal = journal
    self.tail = tail
  }

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
    let configuration = configured()
    let content = Content(
      version: AgentVersion.text, written: UTCTime.text(milliseconds: Machine.milliseconds),
      hostName: Machine.hostName, operatingSystem: Machine.operatingSystem,
      diskFreeBytes: Machine.bytesFree(at: configuration.journal.directory), status: try composer.status(),
      configuration: Configured(configuration), epochs: try epochs(), devicesTotal: fleet.devices.count,
      devices: fleet.devices.values.sorted { $0.id < $1.id }.prefix(devicesMax).map { Device($0) },
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
    let configuration: Configured
    let epochs: [Epoch]
    let devicesTotal: Int
    let devices: [Device]
    let log: [String]
  }

  fileprivate struct Epoch: Encodable {
    let number: UInt32
    let first: UInt64
    let records: UInt64
  }

  fileprivate struct Device: Encodable {
    let id: String
    let state: String
    let address: String?
    let credential: String?
    let make: String?
    let model: String?
    let serial: String?
    let firmware: String?
    let lastRead: String?
    let failure: String?
    let alerts: Int

    init(_ device: DeviceState) {
      let identity = device.reading?.fact.identity ?? device.discovered?.fact.identity
      id = device.id.description
      state = device.condition
      address = device.address
      credential = device.discovered?.fact.credential
      make = identity?.make
      model = identity?.model?.text
      serial = identity?.serial?.text
      firmware = identity?.firmware?.text
      lastRead = device.lastRead.map { UTCTime.text(milliseconds: $0.time) }
      failure = device.failure?.fact.message
      alerts = device.alerts.count
    }
  }

  /// The configuration without what nobody else may know.
  struct Configured: Encodable {
    struct Range: Encodable {
      let range: String
      let credentials: [String]
    }

    struct Credential: Encodable {
      let name: String
      let kind: String
    }

    let hub: [String: String]
    let deliveryMode: String
    let stateDirectory: String
    let journalDirectory: String
    let journalSizeMax: UInt64
    let journalKeepSeconds: Int64
    let logLevel: String
    let ranges: [Range]
    let exclusions: [String]
    let doNotTouch: [String]
    let packetsPerSecond: Int
    let sweepIntervalSeconds: Int64
    let hopsMax: Int
    let trapPort: UInt16?
    let snmpPort: UInt16
    let ipp: Bool
    let pollIntervalSeconds: Int64
    let pollConcurrency: Int
    let profiles: String?
    let credentials: [Credential]
    let warnings: [String]

    init(_ settings: AgentConfiguration) {
      hub = Dictionary(
        uniqueKeysWithValues: [
          ("csr", settings.hub?.csr.description), ("dcam", settings.hub?.dcam?.description),
          ("hc", settings.hub?.hc?.description),
        ].compactMap { name, value in value.map { (name, $0) } })
      deliveryMode = settings.delivery.mode.rawValue
      stateDirectory = settings.state.directory
      journalDirectory = settings.journal.directory
      journalSizeMax = UInt64(clamping: settings.journal.sizeMax.bytes)
      journalKeepSeconds = settings.journal.keep.components.seconds
      logLevel = settings.log.level.rawValue
      ranges = settings.discovery.ranges.map {
        Range(range: $0.range.description, credentials: $0.credentials.map(\.name))
      }
      exclusions = settings.discovery.exclusions.map(\.description)
      doNotTouch = settings.discovery.doNotTouch.map(\.description)
      packetsPerSecond = settings.discovery.packetsPerSecond
      sweepIntervalSeconds = settings.discovery.sweepInterval.components.seconds
      hopsMax = settings.discovery.hopsMax
      trapPort = settings.discovery.trapPort
      snmpPort = settings.discovery.port
      ipp = settings.discovery.ipp
      pollIntervalSeconds = settings.poll.interval.components.seconds
      pollConcurrency = settings.poll.concurrency
      profiles = settings.profiles.directory
      credentials = settings.credentials.values.sorted { $0.name < $1.name }.map {
        Credential(name: $0.name, kind: Self.kind($0.credential))
      }
      warnings = settings.warnings.map { "\($0)" }
    }

    private static func kind(_ credential: SNMP.Credential) -> String {
      switch credential {
      case .community(let version, _): "SNMP \(version) community"
      case .user: "SNMPv3 user"
      }
    }
  }
}
