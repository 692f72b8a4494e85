// All that a hub sets of one agent: what goes over the wire, what is journalled, and what is applied whole or not at all.
//
// Its text, and the digest of that, are the same wherever they are made:
//
//     text = value* device*        value  = key " = " TOML value LF               ascending by key
//                                  device = "[" device id "]" LF value+           ascending by id
//     digest = SHA-256 of the text in UTF-8

internal import OpenSSL

/// One key with a TOML value.
package struct Setting: Hashable, Sendable {
  package var key: String
  package var value: String

  package init(key: String, value: String) {
    self.key = key
    self.value = value
  }
}

/// What is set of one device.
package struct DeviceSettings: Hashable, Sendable {
  /// The agent's id of the device, 32 hexadecimal digits.
  package var device: String
  package var values: [Setting]

  package init(device: String, values: [Setting]) {
    self.device = device
    self.values = values
  }
}

package struct SettingsSet: Hashable, Sendable {
  /// The text of a set: it is one record in the journal, which takes 256 KiB.
  package static let bytesMax = 192 << 10

  /// As the hub counts them.
  package var version: UInt64
  package var values: [Setting]
  package var devices: [DeviceSettings]

  package init(version: UInt64, values: [Setting] = [], devices: [DeviceSettings] = []) {
    self.version = version
    self.values = values
    self.devices = devices
  }

  package var isEmpty: Bool { values.isEmpty && devices.isEmpty }

  package var text: String {
    let lines = values.map(\.line) + devices.flatMap { ["[\($0.device)]"] + $0.values.map(\.line) }
    return lines.map { $0 + "\n" }.joined()
  }

  /// 32 bytes.
  package var digest: [UInt8] { SHA256.hash(Array(text.utf8)).bytes }
}

extension Setting {
  fileprivate var line: String { "\(key) = \(value)" }
}
