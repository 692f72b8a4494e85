// A fleet: which devices are served at which addresses, and how one asks them. Made by a fleet file (see FleetFile.swift)
// or, for single recordings, by the command line.

package import MIB
package import SNMP

package struct Fleet: Sendable {
  /// Devices of one fleet: one socket each.
  package static let devicesMax = 16_384
  /// The port of SNMP (RFC 3417) needs privileges; a fleet file or `--port` may choose another.
  package static let portDefault = 161
  /// The port of IPP (IANA).
  package static let ippPortDefault = 631

  package var port: Int
  /// The TCP port of the devices that speak IPP.
  package var ippPort = Fleet.ippPortDefault
  package var seed: UInt64
  package var plans: [DevicePlan]

  package init(port: Int = Fleet.portDefault, seed: UInt64 = 1, plans: [DevicePlan] = []) {
    self.port = port
    self.seed = seed
    self.plans = plans
  }

  /// The devices at the start of their simulated life; the same seed makes the same devices.
  package func devices() -> [Device] {
    let keys = USMKeyCache()
    return plans.map { $0.device(seed: seed, keys: keys) }
  }
}

/// One device as planned.
package struct DevicePlan: Sendable {
  package enum Contents: Sendable {
    case model(DeviceModel)
    /// A recorded walk, and the file it came from.
    case recording(Walk, file: String)
  }

  package var address: HostAddress
  package var contents: Contents
  /// sysName; empty for one made of the address.
  package var name = ""
  package var location = ""
  package var communities = ["public"]
  /// Nil for all that the model speaks.
  package var versions: Set<AgentVersion>?
  package var users: [USMUser] = []
  /// The one SNMPv3 context that is served.
  package var contextName = ""
  package var faults: [Fault] = []
  /// What it says over IPP; nil if it does not speak it.
  package var ipp: IPPContents?

  package init(address: HostAddress, contents: Contents) {
    self.address = address
    self.contents = contents
  }

  /// The names of its SNMPv3 users.
  package var userNames: [String] { users.map(\.name) }

  /// Versions it is asked in: SNMPv3 only with users.
  package var spoken: Set<AgentVersion> {
    var spoken = Set(AgentVersion.allCases)
    if case .model(let model) = contents { spoken = model.quirks.versions }
    if let versions { spoken.formIntersection(versions) }
    if users.isEmpty { spoken.remove(.v3) }
    if communities.isEmpty { spoken.subtract([.v1, .v2c]) }
    return spoken
  }

  package func device(seed: UInt64, keys: USMKeyCache) -> Device {
    let text = address.description
    var mac: [UInt8] = [2, 0] + (0..<4).map { UInt8(truncatingIfNeeded: address.number >> (24 - 8 * UInt32($0))) }
    var enterprise: UInt32 = 0
    let served: Device.Contents
    switch contents {
    case .model(let model):
      let name = name.isEmpty ? "PRN-" + text.split(separator: ".").dropFirst().joined(separator: "-") : name
      let identity = PrinterIdentity(model: model, name: name, location: location, seed: seed &+ UInt64(address.number))
      mac = identity.macAddress
      enterprise = Self.enterprise(model.system.objectID)
      served = .simulated(Printer(model: model, identity: identity, seed: seed))
    case .recording(let walk, _):
      if case .objectIdentifier(let name)? = walk[MIB2.sysObjectID] { enterprise = Self.enterprise(name) }
      served = .recorded(walk)
    }
    if faults.contains(.sharedEngine) { (enterprise, mac) = (0, [2, 0, 0, 0, 0, 1]) }
    let agent = Agent(
      versions: spoken, communities: communities.map { Array($0.utf8) }, users: users, contextName: contextName,
      engineID: Agent.engineID(enterprise: enterprise, macAddress: mac), keys: keys,
      seed: seed &+ UInt64(address.number))
    return Device(address: address, contents: served, agent: agent, faults: faults, ipp: ipp, seed: seed)
  }

  /// The enterprise number of a sysObjectID, or 0.
  private static func enterprise(_ name: ObjectIdentifier) -> UInt32 {
    name.suffix(below: MIB2.enterprises)?.first ?? 0
  }
}
