// What diagnostics tell of the configuration and of devices: field by field, so that no secret can get in.

internal import Discovery
internal import Events
internal import Platform
internal import PrinterModel
internal import Projections
internal import ReadModels
internal import SNMP
internal import Settings

/// A device, as a supporter wants to see it.
struct DiagnosedDevice: Codable, Equatable, Sendable {
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
struct DiagnosedConfiguration: Encodable {
  struct Range: Encodable {
    let range: String
    let credentials: [String]
  }

  struct Credential: Encodable {
    let name: String
    let kind: String
  }

  let hub: [String: String]
  /// Without the password.
  let proxy: String?
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
  /// Where it is served; nil without one.
  let console: String?
  let consoleHasTLS: Bool
  let metrics: String?
  let credentials: [Credential]
  let warnings: [String]

  init(_ settings: AgentConfiguration) {
    hub = Dictionary(
      uniqueKeysWithValues: [
        ("csr", settings.hub?.csr.description), ("dcam", settings.hub?.dcam?.description),
        ("hc", settings.hub?.hc?.description),
      ].compactMap { name, value in value.map { (name, $0) } })
    proxy = settings.proxy?.description
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
    console = settings.console.isEnabled ? settings.console.listen.description : nil
    consoleHasTLS = settings.console.certificate != nil
    metrics = settings.metrics.listen?.description
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
