// What counts for an entity, an install or a device, key by key; the same for the command and the console.

package import Settings

package struct ExplainedLine: Sendable, Equatable {
  package let key: String
  /// As TOML; nil where there is none.
  package let value: String?
  /// `default`, or where it was set.
  package let origin: String
  /// Nil: the default.
  package let setBy: SettingOrigin?
  /// What became of it at the agent; nil where there is none. Of what is not set here the hub knows nothing: an agent tells which of the keys
  /// that are set its own file decides, and of no other.
  package let agent: String?

  /// For what is not set of an agent.
  package static let unknownAtAgent = "this, or what its own file says"

  package static func lines(of explained: SettingsExplanation, forDevice isDevice: Bool) -> [ExplainedLine] {
    let defaults = AgentConfiguration()
    // Where one of a group is set, the defaults of the others do not count.
    let groups = Set(explained.settings.compactMap(\.key.group))
    return SettingKey.all.filter { $0.isForDevices || !isDevice }.map { key in
      guard let setting = explained.settings.first(where: { $0.key == key }) else {
        let hasGivenWay = key.group.map { groups.contains($0) } ?? false
        return ExplainedLine(
          key: key.name, value: hasGivenWay ? nil : defaults.value(of: key), origin: "default", setBy: nil,
          agent: explained.install == nil ? nil : unknownAtAgent)
      }
      return ExplainedLine(
        key: key.name, value: setting.value, origin: "\(setting.origin)", setBy: setting.origin,
        agent: agent(explained.standing, key, explained.overridden))
    }
  }

  private static func agent(
    _ standing: SettingsExplanation.Standing, _ key: SettingKey, _ overridden: Set<String>
  ) -> String? {
    switch standing {
    case .none: nil
    case .applied: overridden.contains(key.name) ? "its own file" : "in use"
    case .refused(_, _, let keys, _, _): keys.contains { $0.hasPrefix(key.name) } ? "refused: wrong" : "refused"
    case .waiting: "waiting"
    }
  }
}

/// A value as somebody writes it for a key.
package enum SettingWords {
  /// - Throws: `HubError` 64 for a key that there is not.
  package static func value(_ text: String, of name: String) throws(HubError) -> String {
    try key(name).value(written: text)
  }

  /// - Throws: `HubError` 64, with the nearest one.
  package static func key(_ name: String) throws(HubError) -> SettingKey {
    guard let key = SettingKey.named(name) else {
      throw HubError(.usage, "There is no key '\(name)'; expected \(SettingKey.advice(about: name)).")
    }
    return key
  }
}
