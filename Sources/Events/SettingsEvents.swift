// What became of the settings that a hub holds for this agent.

internal import FoundationEssentials
internal import SwiftProtobuf

/// One setting: its key as in ptagent.toml, dotted, and a TOML value.
package struct RecordedSetting: Hashable, Sendable {
  package var key: String
  package var value: String

  package init(key: String, value: String) {
    self.key = key
    self.value = value
  }
}

/// What is set of one device.
package struct RecordedDeviceSettings: Hashable, Sendable {
  /// The device's id in hexadecimal digits.
  package var device: String
  package var values: [RecordedSetting]

  package init(device: String, values: [RecordedSetting]) {
    self.device = device
    self.values = values
  }
}

/// The hub's settings that are in use from here on, whole.
package struct SettingsApplied: Equatable, Sendable {
  /// As the hub counts them.
  package var version: UInt64
  /// SHA-256 over the values (docs/configuration.md).
  package var digest: [UInt8]
  package var values: [RecordedSetting]
  package var devices: [RecordedDeviceSettings]
  /// Keys of `values` that stand in the agent's own file, which wins.
  package var overridden: [String]

  package init(
    version: UInt64, digest: [UInt8], values: [RecordedSetting] = [], devices: [RecordedDeviceSettings] = [],
    overridden: [String] = []
  ) {
    self.version = version
    self.digest = digest
    self.values = values
    self.devices = devices
    self.overridden = overridden
  }
}

/// The hub's settings were not taken, none of them; what was in use stays.
package struct SettingsRefused: Equatable, Sendable {
  package var version: UInt64
  package var digest: [UInt8]
  /// The keys that are wrong.
  package var keys: [String]
  /// Sentences for the operator, a line each.
  package var reason: String

  package init(version: UInt64, digest: [UInt8], keys: [String], reason: String) {
    self.version = version
    self.digest = digest
    self.keys = keys
    self.reason = reason
  }
}

extension SettingsApplied {
  var wire: Wire.SettingsApplied {
    .with {
      $0.version = version
      $0.digest = Data(digest)
      $0.values = values.map(\.wire)
      $0.devices = devices.map { device in
        .with {
          $0.device = device.device
          $0.values = device.values.map(\.wire)
        }
      }
      $0.overridden = overridden
    }
  }
}

extension SettingsRefused {
  var wire: Wire.SettingsRefused {
    .with {
      $0.version = version
      $0.digest = Data(digest)
      $0.keys = keys
      $0.reason = reason
    }
  }
}

extension RecordedSetting {
  fileprivate var wire: Wire.Setting {
    .with {
      $0.key = key
      $0.value = value
    }
  }
}

extension EventDecoder {
  func settingsApplied(_ bytes: UnsafeRawBufferPointer) throws -> SettingsApplied {
    var body = SettingsApplied(version: 0, digest: [])
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: body.version = fields.uint64 ?? body.version
      case 2: body.digest = fields.octets ?? body.digest
      case 3: if let bytes = fields.bytes { body.values.append(try setting(bytes)) }
      case 4: if let bytes = fields.bytes { body.devices.append(try deviceSettings(bytes)) }
      case 5: try fields.append(to: &body.overridden)
      default: break
      }
    }
    return body
  }

  func settingsRefused(_ bytes: UnsafeRawBufferPointer) throws -> SettingsRefused {
    var body = SettingsRefused(version: 0, digest: [], keys: [], reason: "")
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: body.version = fields.uint64 ?? body.version
      case 2: body.digest = fields.octets ?? body.digest
      case 3: try fields.append(to: &body.keys)
      case 4: body.reason = try fields.string() ?? body.reason
      default: break
      }
    }
    return body
  }

  private func deviceSettings(_ bytes: UnsafeRawBufferPointer) throws -> RecordedDeviceSettings {
    var settings = RecordedDeviceSettings(device: "", values: [])
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: settings.device = try fields.string() ?? settings.device
      case 2: if let bytes = fields.bytes { settings.values.append(try setting(bytes)) }
      default: break
      }
    }
    return settings
  }

  private func setting(_ bytes: UnsafeRawBufferPointer) throws -> RecordedSetting {
    var setting = RecordedSetting(key: "", value: "")
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: setting.key = try fields.string() ?? setting.key
      case 2: setting.value = try fields.string() ?? setting.value
      default: break
      }
    }
    return setting
  }
}
