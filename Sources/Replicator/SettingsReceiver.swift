// What a hub sets of this agent, on its way to whoever decides about it. Of no concern to the delivery of records.

internal import HubProtocol
internal import FoundationEssentials

/// A set of settings as the hub sent it: nothing of it was looked at.
package struct OfferedSettings: Equatable, Sendable {
  package struct Value: Equatable, Sendable {
    package let key: String
    package let value: String
  }

  package struct Device: Equatable, Sendable {
    package let device: String
    package let values: [Value]
  }

  package let version: UInt64
  package let digest: [UInt8]
  package let values: [Value]
  package let devices: [Device]
}

/// Which set is in use.
package struct SettingsMark: Equatable, Sendable {
  package var version: UInt64
  /// 32 bytes; empty: no set is.
  package var digest: [UInt8]

  package static let none = SettingsMark(version: 0, digest: [])

  package init(version: UInt64, digest: [UInt8]) {
    self.version = version
    self.digest = digest
  }
}

/// Takes what the hub sets.
package protocol SettingsReceiver: Sendable {
  var inUse: SettingsMark { get }
  /// Applies or refuses the set; what came of it is in the journal when this returns.
  /// - Throws: what the journal throws; the set is then offered again by the next stream.
  func offered(_ set: OfferedSettings) async throws
}

extension OfferedSettings {
  init(_ set: Printtrail_Dcam_V1_SettingsSet) {
    self.init(
      version: set.version, digest: Array(set.digest), values: set.values.map(Value.init),
      devices: set.devices.map { Device(device: $0.device, values: $0.values.map(Value.init)) })
  }
}

extension OfferedSettings.Value {
  init(_ setting: Printtrail_Dcam_V1_Setting) { self.init(key: setting.key, value: setting.value) }
}
