// Settings: what is set where, what comes of it for an install or a device, and which set of it each install was offered.
//
//     setting          what is set of an entity, an install, a device; each key once
//     setting_change   every change that was ever made, by whom
//     settings_revision  counts changes of anything that settings follow from; hubs look at it twice a second
//     settings_offer   the last set of each install: another set has the next version
//
// A device is named by the install that led for it when it was set, and that agent's id of it: these are in the journals, and so outlive the
// read models. Whoever sees the device now is found by the sightings.

internal import FoundationEssentials
internal import HubDatabase
internal import HubFleet
package import Settings

/// Where something is set.
package enum SettingsTarget: Hashable, Sendable {
  case entity(String)
  /// By its id.
  case install(String)
  /// By the hub's id of it.
  case device(String)
}

/// A change of one key; without a value it is set no more.
package struct SettingChange: Equatable, Sendable {
  package let key: String
  package let value: String?

  package init(key: String, value: String?) {
    self.key = key
    self.value = value
  }
}

package struct RecordedSettingChange: Equatable, Sendable {
  package let number: Int64
  package let at: Int64
  package let author: String
  package let target: String
  package let key: String
  package let before: String?
  package let value: String?
}

/// What an install or a device is to do, who says so, and what became of it at the agent.
package struct SettingsExplanation: Sendable {
  package enum Standing: Equatable, Sendable {
    /// Nothing is set, and nothing was.
    case none
    case applied(version: UInt64, at: Int64)
    /// `inUse` is the version that the agent goes on with; nil: it has none of this hub.
    case refused(version: UInt64, at: Int64, keys: [String], reason: String, inUse: UInt64?)
    /// The agent has another one, or none.
    case waiting(applied: UInt64?)
  }

  /// The install whose agent this is about; nil: none, as for an entity.
  package let install: String?
  package let settings: [EffectiveSetting]
  package let standing: Standing
  /// Keys that the agent's own file decides.
  package let overridden: Set<String>
}

extension SQLStore {
  // MARK: Changes

  /// Changes what is set at one place, all of it or nothing.
  ///
  /// - Returns: how many keys are another now.
  /// - Throws: `HubError`: 65 for a target that there is not, 64 for keys and values that are not to be set.
  @discardableResult
  package func change(
    _ changes: [SettingChange], at target: SettingsTarget, author: String, peer: String = "", now: Int64
  ) async throws -> Int {
    try await write { db in
      let place = try Self.place(of: target, db)
      let before = try Self.values(at: place, db)
      var values = Dictionary(before.map { ($0.key, $0.value) }) { $1 }
      for change in changes { values[change.key] = try change.value.map { try Self.canonical($0, change.key) } }
      let after = values.map { Setting(key: $0.key, value: $0.value) }.sorted { $0.key < $1.key }
      try Self.check(after, at: place)
      var changed = 0
      for key in Set(changes.map(\.key)).sorted() {
        let (old, new) = (before.first { $0.key == key }?.value, values[key])
        guard old != new else { continue }
        changed += 1
        try Self.write(key, new, at: place, db)
        try Self.note(key, old, new, at: place, author, peer: peer, now, db)
      }
      if changed > 0 { try Self.raiseRevision(db) }
      return changed
    }
  }

  private static func canonical(_ value: String, _ key: String) throws -> String {
    guard let canonical = SettingKey.canonical(value) else {
      throw HubError(.usage, "\(key): found \(value), expected one value as TOML has it.")
    }
    return canonical
  }

  private static func check(_ values: [Setting], at place: SettingsPlace) throws {
    let set =
      place.agentDevice == nil
      ? SettingsSet(version: 0, values: values)
      : SettingsSet(
        version: 0, devices: [DeviceSettings(device: place.shown, values: values)].filter { !$0.values.isEmpty })
    let problems = set.problems()
    guard problems.isEmpty else {
      throw HubError(
        .usage,
        problems.map { "\($0.key): found \($0.found), expected \($0.expected)." }.joined(separator: "\n"))
    }
  }

  private static func write(_ key: String, _ value: String?, at place: SettingsPlace, _ db: any SQLConnection) throws {
    try db.execute(
      "DELETE FROM setting WHERE \(place.condition) AND key = ?", batch: [place.arguments + [.text(key)]])
    guard let value else { return }
    try db.execute(
      "INSERT INTO setting (entity, install, agent_device, key, value) VALUES (?, ?, ?, ?, ?)", place.entity,
      place.install, place.agentDevice, key, value)
  }

  private static func note(
    _ key: String, _ old: String?, _ new: String?, at place: SettingsPlace, _ author: String, peer: String = "",
    _ now: Int64, _ db: any SQLConnection
  ) throws {
    try db.execute(
      """
      INSERT INTO setting_change (at, author, entity, install, agent_device, target, key, before, value)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
      """, now, author, place.entity, place.install, place.agentDevice, place.description, key, old, new)
    let detail = new.map { "\(key) = \($0)" } ?? "\(key) is set no more"
    try insert(
      AuditEntry(
        at: now, action: new == nil ? "settings.unset" : "settings.set", subject: place.description, peer: peer,
        detail: "\(detail), was \(old ?? "not set"), by \(author)"),
      entity: try place.entity ?? db.value("SELECT entity FROM install WHERE number = ?", place.install), db)
  }

  /// What was set of an install holds for the one that takes its place, but for what is set of that one already.
  static func takeOverSettings(of old: Install, by new: Install, now: Int64, _ db: any SQLConnection) throws {
    let place = SettingsPlace(install: new.number.rawValue, shown: new.id)
    let own = try values(at: place, db)
    let inherited = try values(at: SettingsPlace(install: old.number.rawValue, shown: old.id), db)
    // A group of keys is one thing.
    let groups = Set(own.compactMap { SettingKey.named($0.key)?.group })
    for setting in inherited {
      let group = SettingKey.named(setting.key)?.group
      guard !own.contains(where: { $0.key == setting.key }), group.map({ !groups.contains($0) }) ?? true else {
        continue
      }
      try write(setting.key, setting.value, at: place, db)
      try note(setting.key, nil, setting.value, at: place, "replacement of \(old.id)", now, db)
    }
    if !inherited.isEmpty { try raiseRevision(db) }
  }

  /// Tells every hub that settings may come out otherwise now.
  static func raiseRevision(_ db: any SQLConnection) throws {
    try db.execute("UPDATE settings_revision SET revision = revision + 1 WHERE number = 1")
  }

  package func settingsRevision() async throws -> Int64 {
    try await read { db in try db.value("SELECT revision FROM settings_revision WHERE number = 1") ?? 0 }
  }

  // MARK: What is set

  /// What is set at this place itself.
  package func settings(at target: SettingsTarget) async throws -> [Setting] {
    try await read { db in try Self.values(at: try Self.place(of: target, db), db) }
  }

  /// The newest first; of everything, or of what was set at one place.
  package func settingHistory(of target: SettingsTarget?, limit: Int) async throws -> [RecordedSettingChange] {
    try await read { db in
      let place = try target.map { try Self.place(of: $0, db) }
      let filter = place.map { " WHERE \($0.condition)" } ?? ""
      return try db.rows(
        "SELECT number, at, author, target, key, before, value FROM setting_change\(filter) ORDER BY number DESC LIMIT ?",
        (place?.arguments ?? []) + [.integer(Int64(limit))]
      ).map {
        RecordedSettingChange(
          number: try $0("number"), at: try $0("at"), author: try $0("author"), target: try $0("target"),
          key: try $0("key"), before: try $0("before"), value: try $0("value"))
      }
    }
  }

  private static func values(at place: SettingsPlace, _ db: any SQLConnection) throws -> [Setting] {
    try db.rows("SELECT key, value FROM setting WHERE \(place.condition) ORDER BY key", place.arguments).map {
      Setting(key: try $0("key"), value: try $0("value"))
    }
  }

  // MARK: What comes of it

  /// What counts at this place, and what became of it at the agent.
  package func explainSettings(of target: SettingsTarget) async throws -> SettingsExplanation {
    try await read { db in
      let place = try Self.place(of: target, db)
      guard let install = place.install else {
        let layers = try Self.entityLayers(of: place.entity ?? 0, db)
        return SettingsExplanation(
          install: nil, settings: SettingsInheritance.effective(layers), standing: .none, overridden: [])
      }
      var layers = try Self.layers(of: InstallNumber(install), db)
      if place.agentDevice != nil {
        layers.append(SettingsLayer(.device(place.shown), try Self.values(at: place, db)))
      }
      let agent = try AgentSettings(of: install, db)
      let standing = try Self.standing(of: InstallNumber(install), agent, db)
      var settings = SettingsInheritance.effective(layers)
      if place.agentDevice != nil { settings = settings.filter(\.key.isForDevices) }
      return SettingsExplanation(
        install: try Self.require(InstallNumber(install), db).id, settings: settings, standing: standing,
        overridden: Set(agent.applied?.overridden ?? []))
    }
  }

  private static func standing(
    of install: InstallNumber, _ agent: AgentSettings, _ db: any SQLConnection
  ) throws -> SettingsExplanation.Standing {
    let set = try effectiveSet(of: install, db)
    let digest = set.digest
    if let refused = agent.refused, refused.digest == digest {
      return .refused(
        version: refused.version, at: refused.at, keys: refused.keys, reason: refused.reason,
        inUse: agent.applied?.version)
    }
    if let applied = agent.applied, applied.digest == digest {
      return .applied(version: applied.version, at: applied.at)
    }
    return set.isEmpty && agent.applied == nil ? .none : .waiting(applied: agent.applied?.version)
  }

  /// The set that an agent should have and has not; nil: it has it, or there is nothing to have.
  ///
  /// - Parameters:
  ///   - applied: the digest of what it has; empty: nothing.
  ///   - version: of what it has. The same set may have come back under another one, after a set that was refused.
  package func settingsOffer(
    for install: InstallNumber, applied: [UInt8], version: UInt64, now: Int64
  ) async throws -> SettingsSet? {
    let isDue = try await read { db in
      let set = try Self.effectiveSet(of: install, db)
      if set.isEmpty, applied.isEmpty { return false }
      guard set.digest == applied else { return true }
      let last = try db.row("SELECT version, digest FROM settings_offer WHERE install = ?", install)
      return try last?("digest") != applied || last?("version") != version
    }
    guard isDue else { return nil }
    return try await write { db in
      // Looked at again: it may have changed in between.
      var set = try Self.effectiveSet(of: install, db)
      set.version = try Self.version(of: set, for: install, now, db)
      return set
    }
  }

  private static func version(
    of set: SettingsSet, for install: InstallNumber, _ now: Int64, _ db: any SQLConnection
  ) throws -> UInt64 {
    let digest = set.digest
    let last = try db.row("SELECT version, digest FROM settings_offer WHERE install = ?", install)
    let version: Int64 = try last?("version") ?? 0
    if let last, try last("digest") == digest { return UInt64(clamping: version) }
    try db.execute(
      """
      INSERT INTO settings_offer (install, version, digest, made_at) VALUES (?, ?, ?, ?)
      ON CONFLICT (install) DO UPDATE SET version = excluded.version, digest = excluded.digest, made_at = excluded.made_at
      """, install, version + 1, digest, now)
    return UInt64(clamping: version + 1)
  }

  /// Without its version.
  private static func effectiveSet(of install: InstallNumber, _ db: any SQLConnection) throws -> SettingsSet {
    let values = SettingsInheritance.effective(try layers(of: install, db)).map {
      Setting(key: $0.key.name, value: $0.value)
    }
    return SettingsSet(version: 0, values: values, devices: try deviceSettings(of: install, db))
  }

  private static func layers(of install: InstallNumber, _ db: any SQLConnection) throws -> [SettingsLayer] {
    guard let row = try db.row("SELECT id, entity FROM install WHERE number = ?", install) else { return [] }
    let place = SettingsPlace(install: install.rawValue, shown: try row("id"))
    return try entityLayers(of: try row("entity"), db)
      + [SettingsLayer(.install(place.shown), try values(at: place, db))]
  }

  /// From the root of the tree down to this entity.
  private static func entityLayers(of entity: Int64, _ db: any SQLConnection) throws -> [SettingsLayer] {
    var (layers, current): ([SettingsLayer], Int64?) = ([], entity)
    while let number = current, layers.count <= HubLimits.entityDepthMax,
      let row = try db.row("SELECT name, parent FROM entity WHERE number = ?", number)
    {
      let place = SettingsPlace(entity: number, shown: try row("name"))
      layers.append(SettingsLayer(.entity(place.shown), try values(at: place, db)))
      current = try row("parent")
    }
    return layers.reversed()
  }

  /// What is set of the devices that an install sees, whoever leads for them. Of two settings that turned out to mean one device the later counts.
  private static func deviceSettings(of install: InstallNumber, _ db: any SQLConnection) throws -> [DeviceSettings] {
    var devices: [String: [String: String]] = [:]
    let rows = try db.rows(
      """
      SELECT mine.agent_device, s.key, s.value FROM sighting mine
      JOIN sighting anchor ON anchor.device = mine.device
      JOIN setting s ON s.install = anchor.install AND s.agent_device = anchor.agent_device
      WHERE mine.install = ? ORDER BY s.number
      """, install)
    for row in rows {
      let device: [UInt8] = try row("agent_device")
      let key: String = try row("key")
      guard let known = SettingKey.named(key), known.isForDevices else { continue }
      devices[device.hexadecimal, default: [:]][key] = try row("value")
    }
    return devices.sorted { $0.key < $1.key }.map { device, values in
      DeviceSettings(
        device: device,
        values: values.sorted { $0.key < $1.key }.map { Setting(key: $0.key, value: $0.value) })
    }
  }

  // MARK: Places

  private static func place(of target: SettingsTarget, _ db: any SQLConnection) throws -> SettingsPlace {
    switch target {
    case .entity(let name):
      let entity = try entity(name, db)
      return SettingsPlace(entity: entity.number, shown: entity.name)
    case .install(let id):
      guard let number: Int64 = try db.value("SELECT number FROM install WHERE id = ?", id.lowercased()) else {
        throw HubError(.notFound, "There is no install '\(id)'. See `pthub install list`.")
      }
      return SettingsPlace(install: number, shown: id.lowercased())
    case .device(let id): return try place(ofDevice: id, db)
    }
  }

  /// Where it is set already, or else as its leader knows it.
  private static func place(ofDevice id: String, _ db: any SQLConnection) throws -> SettingsPlace {
    let sightings = try db.rows(
      """
      SELECT s.install, s.agent_device, CASE WHEN s.install = d.leader THEN 1 ELSE 0 END AS leads,
        (SELECT count(*) FROM setting t WHERE t.install = s.install AND t.agent_device = s.agent_device) AS settings
      FROM device d JOIN sighting s ON s.device = d.number WHERE d.id = ? ORDER BY s.install, s.agent_device
      """, id.lowercased()
    ).map {
      (
        install: try $0("install") as Int64, device: try $0("agent_device") as [UInt8],
        rank: (try $0("settings") as Int64 > 0 ? 2 : 0) + (try $0("leads") as Int64)
      )
    }
    guard let best = sightings.max(by: { $0.rank < $1.rank }) else {
      throw HubError(.notFound, "There is no device '\(id)'. See `pthub device list`.")
    }
    return SettingsPlace(install: best.install, agentDevice: best.device, shown: id.lowercased())
  }
}

/// A place as the tables name it.
private struct SettingsPlace {
  var entity: Int64?
  var install: Int64?
  /// 16 bytes.
  var agentDevice: [UInt8]?
  /// Its name or id.
  var shown: String

  var description: String {
    let kind = entity != nil ? "entity" : agentDevice != nil ? "device" : "install"
    return "\(kind) \(shown)"
  }

  /// Behind WHERE, with `arguments`.
  var condition: String {
    if entity != nil { return "entity = ?" }
    return agentDevice != nil ? "install = ? AND agent_device = ?" : "install = ? AND agent_device IS NULL"
  }

  var arguments: [SQLValue] { [entity?.sqlValue ?? install?.sqlValue, agentDevice?.sqlValue].compactMap { $0 } }
}

extension [UInt8] {
  fileprivate var hexadecimal: String { map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
}
