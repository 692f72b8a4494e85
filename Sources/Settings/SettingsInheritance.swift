// Who decides: settings lie in layers, from the root of the tree of entities to the install, or to the device, and the nearest one counts.
//
//     default < entity < entity below < ... < install
//     default < entity < entity below < ... < install that leads < device
//
// Keys of a group are taken together: an install that sets `sweep_times` is not given its entity's `sweep_interval`.

/// Where a setting was made.
package enum SettingOrigin: Hashable, Sendable, CustomStringConvertible {
  case entity(String)
  case install(String)
  case device(String)

  package var description: String {
    switch self {
    case .entity(let name): "entity \(name)"
    case .install(let id): "install \(id)"
    case .device(let id): "device \(id)"
    }
  }
}

/// What is set at one place.
package struct SettingsLayer: Equatable, Sendable {
  package var origin: SettingOrigin
  package var values: [Setting]

  package init(_ origin: SettingOrigin, _ values: [Setting]) {
    self.origin = origin
    self.values = values
  }
}

/// A setting that counts.
package struct EffectiveSetting: Equatable, Sendable {
  package let key: SettingKey
  package let value: String
  package let origin: SettingOrigin
}

package enum SettingsInheritance {
  /// What counts of these layers, ascending by key. Keys that this release does not know count for nothing.
  /// - Parameter layers: the widest first.
  package static func effective(_ layers: [SettingsLayer]) -> [EffectiveSetting] {
    var effective: [SettingKey: EffectiveSetting] = [:]
    for layer in layers {
      let known = layer.values.compactMap { setting in SettingKey.named(setting.key).map { ($0, setting.value) } }
      let groups = Set(known.compactMap(\.0.group))
      effective = effective.filter { key, _ in key.group.map { !groups.contains($0) } ?? true }
      for (key, value) in known { effective[key] = EffectiveSetting(key: key, value: value, origin: layer.origin) }
    }
    return effective.values.sorted { $0.key.name < $1.key.name }
  }
}
