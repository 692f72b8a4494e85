// Where devices' own pages may be asked for. The nearest word counts: a device's, else its install's, else its entity's, else that of the entity above,
// and so on; where nobody says anything it is off.
//
// It is kept at the hub and sent to nobody: an agent has a switch of its own, and both have to be on.

internal import FoundationEssentials
internal import HubDatabase

package struct RemoteOffer: Sendable, Equatable {
  package let isOffered: Bool
  /// What says so: `device`, `install`, `entity X`; nil: nobody says anything.
  package let place: String?
}

extension SQLStore {
  /// - Parameter isOffered: nil: what is further away counts.
  /// - Throws: `HubError` 65 for a target that there is not.
  package func offerRemote(
    _ isOffered: Bool?, at target: SettingsTarget, by actor: Actor, now: Int64
  ) async throws {
    try await write { db in
      let place = try Self.remotePlace(target, db)
      try db.execute("DELETE FROM remote_offer WHERE \(place.condition)", batch: [place.arguments])
      if let isOffered {
        try db.execute(
          "INSERT INTO remote_offer (entity, install, agent_device, is_offered) VALUES (?, ?, ?, ?)", place.entity,
          place.install, place.agentDevice, isOffered)
      }
      let word = isOffered.map { $0 ? "remote.enabled" : "remote.disabled" } ?? "remote.inherited"
      try Self.insert(
        AuditEntry(at: now, action: word, subject: place.subject, peer: actor.peer, detail: "by \(actor.name)"),
        entity: place.audited, db)
    }
  }

  /// What counts at a place.
  package func remoteOffer(at target: SettingsTarget) async throws -> RemoteOffer {
    try await read { db in
      switch target {
      case .entity(let name): return try Self.remoteOffer(entity: try Self.entity(name, db).number, db)
      case .install:
        let place = try Self.remotePlace(target, db)
        return try Self.remoteOffer(install: place.install ?? 0, db)
      case .device(let id):
        guard let row = try db.row("SELECT number, leader FROM device WHERE id = ?", id.lowercased()) else {
          throw HubError(.notFound, "There is no device '\(cleaned(id))'.")
        }
        return try Self.remoteOffer(device: try row("number"), install: try row("leader"), db)
      }
    }
  }

  static func remoteOffer(device: Int64, install: InstallNumber, _ db: any SQLConnection) throws -> RemoteOffer {
    // Several installs may have had it; one that says no is enough.
    let own: Int64? =
      try db.value(
        """
        SELECT min(o.is_offered) FROM remote_offer o JOIN sighting s ON s.install = o.install AND s.agent_device = o.agent_device
        WHERE s.device = ?
        """, device) as Int64?? ?? nil
    if let own { return RemoteOffer(isOffered: own == 1, place: "device") }
    return try remoteOffer(install: install.rawValue, db)
  }

  private static func remoteOffer(install: Int64, _ db: any SQLConnection) throws -> RemoteOffer {
    if let own: Bool = try db.value(
      "SELECT is_offered FROM remote_offer WHERE install = ? AND agent_device IS NULL", install)
    {
      return RemoteOffer(isOffered: own, place: "install")
    }
    guard let entity: Int64 = try db.value("SELECT entity FROM install WHERE number = ?", install) else {
      return RemoteOffer(isOffered: false, place: nil)
    }
    return try remoteOffer(entity: entity, db)
  }

  private static func remoteOffer(entity: Int64, _ db: any SQLConnection) throws -> RemoteOffer {
    var next: Int64? = entity
    for _ in 0..<HubLimits.entityDepthMax {
      guard let number = next,
        let row = try db.row(
          "SELECT e.name, e.parent, o.is_offered FROM entity e LEFT JOIN remote_offer o ON o.entity = e.number WHERE e.number = ?",
          number)
      else { break }
      if let own = try row("is_offered") as Bool? {
        return RemoteOffer(isOffered: own, place: "entity \(try row("name") as String)")
      }
      next = try row("parent")
    }
    return RemoteOffer(isOffered: false, place: nil)
  }

  private struct RemotePlace {
    var entity: Int64?
    var install: Int64?
    var agentDevice: [UInt8]?
    var subject: String
    /// Whose the entry in the audit trail is; nil: that of the install that is its subject.
    var audited: Int64?

    var condition: String {
      if entity != nil { return "entity = ?" }
      return agentDevice == nil ? "install = ? AND agent_device IS NULL" : "install = ? AND agent_device = ?"
    }

    var arguments: [SQLValue] { [(entity ?? install)?.sqlValue, agentDevice?.sqlValue].compactMap { $0 } }
  }

  private static func remotePlace(_ target: SettingsTarget, _ db: any SQLConnection) throws -> RemotePlace {
    switch target {
    case .entity(let name):
      let entity = try entity(name, db)
      return RemotePlace(entity: entity.number, subject: entity.name, audited: entity.number)
    case .install(let id):
      guard let number: Int64 = try db.value("SELECT number FROM install WHERE id = ?", id.lowercased()) else {
        throw HubError(.notFound, "There is no install '\(cleaned(id))'. See `pthub install list`.")
      }
      return RemotePlace(install: number, subject: id.lowercased())
    case .device(let id):
      guard
        let row = try db.row(
          """
          SELECT s.install, s.agent_device, d.entity FROM device d JOIN sighting s ON s.device = d.number
          LEFT JOIN remote_offer o ON o.install = s.install AND o.agent_device = s.agent_device WHERE d.id = ?
          ORDER BY CASE WHEN o.number IS NULL THEN 1 ELSE 0 END, CASE WHEN s.install = d.leader THEN 0 ELSE 1 END, s.install, s.agent_device
          """, id.lowercased())
      else { throw HubError(.notFound, "There is no device '\(cleaned(id))'. See `pthub device list`.") }
      return RemotePlace(
        install: try row("install"), agentDevice: try row("agent_device"), subject: id.lowercased(),
        audited: try row("entity"))
    }
  }
}
