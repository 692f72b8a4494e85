// What somebody asks for when he creates jobs, checked and resolved: who is to do it, and by which names those know the devices. The same for the
// command and for the console.

package import Events
internal import Discovery
internal import HubDatabase

/// A wish, as it is written: nothing of it has been looked up.
package struct JobRequest: Sendable {
  package var kind: JobOrder.Kind
  /// An install's id, or the beginning of it.
  package var install: String?
  /// Each install of this entity and of those under it that is not revoked.
  package var entity: String?
  /// scan: there alone.
  package var ranges: [String] = []
  /// Ids, their beginnings, or serial numbers.
  package var devices: [String] = []
  /// restart: now.
  package var atOnce = false
  package var validity: Duration = .seconds(3_600)
  /// Nil: a new one for each install.
  package var id: JobID?

  package init(kind: JobOrder.Kind) { self.kind = kind }

  /// What is wrong with a wish: the member, and what is said of it.
  package struct Problem: Error, Equatable {
    /// `install`, `entity`, `range`, `device`, `atOnce`, `valid`, `id`; nil: no one of them.
    package let field: String?
    /// `device` and `range` stand in front of it as whoever asks writes them.
    package let sentence: String
  }

  private static let rangesMax = 64
  private static let devicesMax = 1_024

  /// - Throws: `Problem` for what goes with nothing, or with something else.
  package func check() throws(Problem) {
    guard install == nil || entity == nil else {
      throw Problem(field: "install", sentence: "excludes the entity: give one of them.")
    }
    guard install != nil || entity != nil || !devices.isEmpty else {
      throw Problem(field: nil, sentence: "Who is to do it? Give an install, an entity, or a device.")
    }
    guard ranges.isEmpty || kind == .scan else { throw Problem(field: "range", sentence: "goes with scan.") }
    guard ranges.count <= Self.rangesMax else {
      throw Problem(field: "range", sentence: "can be given \(Self.rangesMax) times at most.")
    }
    for range in ranges {
      do throws(AddressRangeError) { _ = try AddressRange(range) } catch {
        throw Problem(field: "range", sentence: "is no range: \(error)")
      }
    }
    guard kind != .page else {
      throw Problem(
        field: nil, sentence: "A device's page is opened in the console, by who says why and has the role for it.")
    }
    guard devices.isEmpty || [.upload, .alerts, .settings].contains(kind) else {
      throw Problem(field: "device", sentence: "goes with upload, alerts and settings.")
    }
    guard kind != .settings || devices.count <= 1 else {
      throw Problem(field: "device", sentence: "can be given once for settings.")
    }
    guard devices.count <= Self.devicesMax else {
      throw Problem(field: "device", sentence: "can be given 1,024 times at most.")
    }
    guard !atOnce || kind == .restart else { throw Problem(field: "atOnce", sentence: "goes with restart.") }
    guard validity > .zero, validity <= HubLimits.jobValidityMax else {
      throw Problem(field: "valid", sentence: "is seven days at most.")
    }
    guard id == nil || entity == nil else { throw Problem(field: "id", sentence: "goes with one install.") }
  }

  fileprivate func order(_ devices: [DeviceID]) -> JobOrder {
    let mode = JobOrder.RestartMode.self
    return JobOrder(
      kind, ranges: ranges, devices: devices,
      option: kind == .restart ? (atOnce ? mode.standalone : mode.queued).rawValue : "")
  }
}

extension SQLStore {
  /// Creates the jobs of a wish that was checked: one for each install that is to do it.
  ///
  /// - Returns: their ids; none where the entity has no install.
  /// - Throws: `HubError`: 65 for what is not there within the scope, 64 for what may not be. Jobs that were created before stay.
  package func create(
    _ request: JobRequest, within scope: EntityScope, by actor: Actor, now: Int64
  ) async throws -> [JobID] {
    let targets = try await targets(of: request, within: scope)
    guard request.id == nil || targets.count == 1 else {
      throw HubError(.usage, "An id goes with one install, and these devices are read by \(targets.count).")
    }
    var jobs: [JobID] = []
    for (install, devices) in targets {
      let job = NewJob(
        id: request.id ?? JobID.random(), install: install, order: request.order(devices),
        deadline: now + request.validity.milliseconds, creator: actor.name, peer: actor.peer)
      _ = try await create(job, now: now)
      jobs.append(job.id)
    }
    return jobs
  }

  /// Who is to do it, and by which names they know the devices.
  private func targets(
    of request: JobRequest, within scope: EntityScope
  ) async throws -> [(InstallNumber, [DeviceID])] {
    let chosen: [Install]?
    if let install = request.install {
      chosen = [try await findInstall(install, within: scope)]
    } else if let entity = request.entity {
      chosen = try await installs(ofEntity: entity, within: scope).filter { $0.revokedAt == nil }
    } else {
      chosen = nil
    }
    guard !request.devices.isEmpty else { return (chosen ?? []).map { ($0.number, []) } }
    var devices: [InstallNumber: [DeviceID]] = [:]
    for name in request.devices {
      // The agent says whether it has it, where the hub has not heard of it.
      if let id = DeviceID(hex: name), let install = chosen?.first, install == chosen?.last,
        try await sightings(of: name.lowercased()).isEmpty
      {
        devices[install.number, default: []].append(id)
        continue
      }
      let sightings = try await sightings(of: try await findDevice(name, entity: request.entity, within: scope))
      let meant = sightings.filter { sighting in
        chosen?.contains { $0.number == sighting.install } ?? sighting.isLeader
      }
      guard !meant.isEmpty else {
        throw HubError(.notFound, "No install that was named reads the device '\(cleaned(name))'.")
      }
      for sighting in meant { devices[sighting.install, default: []].append(sighting.device) }
    }
    return devices.sorted { $0.key.rawValue < $1.key.rawValue }.map { ($0.key, $0.value) }
  }

  // MARK: Things by their names

  /// An install of the scope, by its id or by the unique beginning of it.
  ///
  /// - Throws: `HubError`: 65 if there is none, 64 if there are several.
  package func findInstall(_ id: String, within scope: EntityScope = .everything) async throws -> Install {
    let condition = scope.condition("i.entity")
    let matches = try await read { db in
      // A whole id is the beginning of no other, and found by its index.
      let whole = try db.rows(
        "\(Self.selectInstall) WHERE i.id = ? AND \(condition.sql)", [id.lowercased().sqlValue] + condition.arguments)
      guard whole.isEmpty else { return try whole.map(Self.install) }
      return try db.rows(
        "\(Self.selectInstall) WHERE i.id LIKE ? AND \(condition.sql) ORDER BY i.id",
        [Self.pattern(ofPrefix: id)] + condition.arguments
      ).map(Self.install)
    }
    guard let install = matches.first else {
      throw HubError(.notFound, "There is no install '\(cleaned(id))'. See `pthub install list`.")
    }
    guard matches.count == 1 else {
      throw HubError(
        .usage, "'\(cleaned(id))' is the beginning of \(matches.count) installs' ids. Give more digits.")
    }
    return install
  }

  /// The installs of an entity and of those under it.
  ///
  /// - Throws: `HubError` 65 if there is no such entity within the scope.
  package func installs(ofEntity name: String, within scope: EntityScope) async throws -> [Install] {
    try await read { db in
      let entity = try Self.entity(name, within: scope, db)
      let condition = EntityScope(root: entity.number).condition("i.entity")
      return try db.rows(
        "\(Self.selectInstall) WHERE \(condition.sql) ORDER BY i.number", condition.arguments
      ).map(Self.install)
    }
  }

  /// The id of a device of the scope, by its id, the unique beginning of it, or its serial number. The read models are to be up to date.
  ///
  /// - Parameter entity: of this one and those under it; nil: of all of the scope.
  /// - Throws: `HubError`: 65 if there is none, 64 if there are several.
  package func findDevice(
    _ name: String, entity: String? = nil, within scope: EntityScope = .everything
  ) async throws -> String {
    let found: [Namesake] = try await read { db in
      var conditions = [scope.condition("d.entity")]
      if let entity {
        let number = try Self.entity(entity, within: scope, db).number
        conditions.append(EntityScope(root: number).condition("d.entity"))
      }
      let condition = SQLCondition.all(conditions)
      let whole = try db.rows(
        "\(Self.selectNamesake) WHERE d.id = ? AND \(condition.sql)", [name.lowercased().sqlValue] + condition.arguments
      )
      guard whole.isEmpty else { return try whole.map(Namesake.init) }
      return try db.rows(
        "\(Self.selectNamesake) WHERE (d.id LIKE ? OR d.serial = ?) AND \(condition.sql) ORDER BY d.id LIMIT 1000",
        [Self.pattern(ofPrefix: name), name.sqlValue] + condition.arguments
      ).map(Namesake.init)
    }
    guard let device = found.first else {
      throw HubError(.notFound, "There is no device '\(cleaned(name))'. See `pthub device list --output csv`.")
    }
    guard found.count == 1 else {
      let shown = found.prefix(Self.namesakesShownMax).map { "\n  \($0.words)" }.joined()
      let rest = found.count > Self.namesakesShownMax ? "\n  and \(found.count - Self.namesakesShownMax) more" : ""
      throw HubError(
        .usage, "'\(cleaned(name))' are \(found.count) devices. Name the one that is meant by its id:\(shown)\(rest)")
    }
    return device.id
  }

  /// How many of the devices that one name means are named in turn.
  private static let namesakesShownMax = 10
  private static let selectNamesake =
    "SELECT d.id, d.make, d.model, d.serial, e.name AS entity FROM device d JOIN entity e ON e.number = d.entity"

  /// What ids begin with that begin so; they are of hexadecimal digits and hyphens, and nothing else begins one.
  private static func pattern(ofPrefix text: String) -> SQLValue {
    let lower = text.lowercased()
    let isPrefix = !lower.isEmpty && lower.utf8.count <= 36 && lower.allSatisfy { "0123456789abcdef-".contains($0) }
    return .text(isPrefix ? lower + "%" : "")
  }
}

/// One of the devices that a name may mean, as whoever gave the name tells it from the others.
private struct Namesake: Sendable {
  let id: String
  let words: String

  init(_ row: SQLRow) throws {
    id = try row("id")
    let known: [String?] = [try row("make"), try row("model"), try row("serial")]
    let entity: String = try row("entity")
    words = "\(id)  \(known.compactMap { $0.map { cleaned($0) } }.joined(separator: " ")), of \(entity)"
  }
}

extension JobID {
  /// A UUID of version 4 (RFC 9562, section 5.4).
  package static func random() -> JobID {
    var bytes = (0..<JobID.byteCount).map { _ in UInt8.random(in: 0...255) }
    bytes[6] = bytes[6] & 0x0f | 0x40
    bytes[8] = bytes[8] & 0x3f | 0x80
    guard let id = JobID(bytes) else { preconditionFailure("an id has 16 bytes") }
    return id
  }
}
