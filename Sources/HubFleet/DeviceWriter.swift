// What an install's changes mean for the devices of its entity.

internal import Events
internal import FoundationEssentials
internal import HubDatabase
internal import PrinterModel
internal import Projections

struct DeviceWriter {
  let install: Int64
  /// The hub's time, in milliseconds since 1970 UTC.
  let now: Int64
  let db: any SQLConnection

  private struct Sighting {
    let id: DeviceID
    let state: DeviceState
    let device: Int64
    /// Whether the install had not told of it before. What it told while nobody knew whose it was is in the state alone.
    let isFirst: Bool
  }

  func write(_ changes: FleetChanges, _ state: FleetState) throws {
    guard let entity: Int64 = try db.value("SELECT entity FROM install WHERE number = ?", install) else { return }
    if changes.isBeginning { try forget(allBut: state) }
    var sightings: [Sighting] = []
    for id in changes.devices {
      // One that was only counted, and never told who it is, is nobody's yet.
      guard let device = state.devices[id], let identity = device.identity else { continue }
      let known: Int64? = try db.value(
        "SELECT device FROM sighting WHERE install = ? AND agent_device = ?", install, id.bytes)
      let number = try known ?? number(of: id, device, identity, entity)
      sightings.append(Sighting(id: id, state: device, device: number, isFirst: known == nil))
    }
    // In one order, so that installs which see the same devices do not wait for each other in a circle.
    for sighting in sightings.sorted(by: { $0.device < $1.device }) {
      let before: Int64? = try db.value(
        "SELECT leader FROM device WHERE number = ?\(db.dialect.lockingRows)", sighting.device)
      try db.execute(
        """
        INSERT INTO sighting (install, agent_device, device, state, last_read_at) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (install, agent_device) DO UPDATE SET device = excluded.device, state = excluded.state, last_read_at = excluded.last_read_at
        """,
        install, sighting.id.bytes, sighting.device, sighting.state.condition, sighting.state.lastRead?.time)
      let leader = try Leadership.leader(before, of: candidates(sighting.device))
      guard leader == install else { continue }
      try lead(sighting, changes, isNew: before != install)
    }
  }

  /// Devices that the agent does not know any more, because it was put back from before it found them: it will find them again.
  private func forget(allBut state: FleetState) throws {
    for row in try db.rows("SELECT agent_device, device FROM sighting WHERE install = ?", install) {
      let id: Data = try row("agent_device")
      guard let known = DeviceID(id), state.devices[known] == nil else { continue }
      let device: Int64 = try row("device")
      try db.execute("DELETE FROM sighting WHERE install = ? AND agent_device = ?", install, id)
      let isLed = try db.execute(
        "UPDATE device SET state = 'unreachable' WHERE number = ? AND leader = ?", device, install)
      guard isLed > 0 else { continue }
      try db.execute(
        "UPDATE alert SET cleared_at = ?, updated_at = ? WHERE device = ? AND cleared_at IS NULL", now, now, device)
    }
  }

  // MARK: Who it is

  /// The device of the entity that this is, or a new one.
  private func number(of id: DeviceID, _ state: DeviceState, _ identity: DeviceIdentity, _ entity: Int64) throws
    -> Int64
  {
    // The device whose record goes on is this one.
    if let into = state.merged?.fact.into,
      let known: Int64 = try db.value(
        "SELECT device FROM sighting WHERE install = ? AND agent_device = ?", install, into.bytes)
    {
      return known
    }
    // Two hubs may see it for the first time at one moment, each from an install of its own: the second waits, and then finds it. Whoever waits
    // here holds no device yet.
    let _: Int64? = try db.value("SELECT number FROM entity WHERE number = ?\(db.dialect.lockingRows)", entity)
    let own = DeviceMatch(identity)
    let alike = try db.rows(
      """
      SELECT number, serial_key, mac, make FROM device WHERE entity = ? AND (serial_key = ? OR mac = ?)
      AND number NOT IN (SELECT device FROM sighting WHERE install = ? AND state <> 'merged') ORDER BY number
      """, entity, own.serial ?? "-", own.mac ?? "-", install)
    for row in alike
    where own.isSame(as: DeviceMatch(serial: try row("serial_key"), mac: try row("mac"), make: try row("make"))) {
      return try row("number")
    }
    return try db.inserted(
      "INSERT INTO device (id, entity, leader, state, first_seen_at) VALUES (?, ?, ?, ?, ?)",
      UUID().uuidString.lowercased(), entity, install, state.condition,
      state.discovered?.time ?? state.lastRead?.time ?? 0)
  }

  private func candidates(_ device: Int64) throws -> [Leadership.Candidate] {
    try db.rows(
      """
      SELECT s.install, s.state, s.last_read_at, i.revoked_at, h.late_at FROM sighting s JOIN install i ON i.number = s.install
      LEFT JOIN install_health h ON h.install = s.install WHERE s.device = ? ORDER BY s.install
      """, device
    ).map {
      Leadership.Candidate(
        install: try $0("install"), state: try $0("state"), lastRead: reached(try $0("last_read_at")),
        isRevoked: try $0("revoked_at") as Int64? != nil, isLate: try $0("late_at") as Int64? != nil)
    }
  }

  /// A time of the tables; nil for one that is still to come, as folds before this one wrote it where an agent's clock was ahead.
  private func reached(_ time: Int64?) -> Int64? { time.flatMap { $0 <= now ? $0 : nil } }

  // MARK: What it is now

  private func lead(_ sighting: Sighting, _ changes: FleetChanges, isNew: Bool) throws {
    let (number, state) = (sighting.device, sighting.state)
    guard let identity = state.identity else { return }
    let match = DeviceMatch(identity)
    try db.execute(
      """
      UPDATE device SET leader = ?, serial_key = ?, mac = ?, make = ?, model = ?, serial = ?, firmware = ?, host_name = ?, name = ?,
        location = ?, asset_number = ?, address = ?, state = ?, last_read_at = ? WHERE number = ?
      """,
      install, match.serial, match.mac, identity.make, identity.model?.text, identity.serial?.text,
      identity.firmware?.text, identity.hostName?.text, identity.printerName?.text, identity.location?.text,
      identity.assetNumber?.text, state.address, state.condition, state.lastRead?.time, number)
    // One that goes on as another has that one's counters.
    guard state.merged == nil else { return }
    let latest = state.reading.map { state.observations(at: $0.time, in: changes.epoch) } ?? []
    let observations = changes.observations[sighting.id] ?? (isNew || sighting.isFirst ? latest : [])
    if !observations.isEmpty {
      try writeMeters(number, observations, state)
      try writeSupplies(number, state)
    }
    if !isNew {
      for event in changes.alerts[sighting.id] ?? [] { try write(event, number) }
      if sighting.isFirst { try raiseAll(state, number) }
    }
    if isNew || changes.isBeginning { try takeOverAlerts(number, state) }
  }

  private func writeMeters(_ device: Int64, _ observations: [MeterLedger.Observation], _ state: DeviceState) throws {
    var current: [String: MeterLedger.Current] = [:]
    let known = try db.rows(
      """
      SELECT m.*, (SELECT d.last FROM meter_day d WHERE d.device = m.device AND d.name = m.name AND d.epoch = m.epoch ORDER BY d.day DESC LIMIT 1) AS last
      FROM meter m WHERE m.device = ?
      """, device)
    for row in known {
      current[try row("name")] = MeterLedger.Current(
        value: try row("value"), unit: try row("unit"), quality: try row("quality"), epoch: try row("epoch"),
        install: try row("install"), agentEpoch: try row("agent_epoch"), journalEpoch: try row("journal_epoch"),
        time: try row("read_at"), last: try row("value") ?? row("last"), isPresent: try row("is_present"))
    }
    var ledger = MeterLedger(current: current, now: now)
    for observation in observations { ledger.observe(observation, by: install) }
    let meters = state.reading?.fact.meters ?? []
    ledger.keepPresent(Set(meters.map(\.name.description)))
    let adjusted = Dictionary(
      meters.map { ($0.name.description, state.adjusted($0).flatMap { Int64(exactly: $0) }) }
    ) { first, _ in first }
    try db.execute(
      """
      INSERT INTO meter (device, name, value, adjusted, unit, quality, epoch, install, agent_epoch, journal_epoch, read_at, is_present)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (device, name) DO UPDATE SET value = excluded.value, adjusted = excluded.adjusted, unit = excluded.unit,
        quality = excluded.quality, epoch = excluded.epoch, install = excluded.install, agent_epoch = excluded.agent_epoch,
        journal_epoch = excluded.journal_epoch, read_at = excluded.read_at, is_present = excluded.is_present
      """,
      batch: ledger.current.filter { $0.value != current[$0.key] }.map { name, meter in
        [
          .integer(device), .text(name), meter.value?.sqlValue ?? .null,
          (adjusted[name] ?? nil)?.sqlValue ?? .null, .text(meter.unit), .text(meter.quality), .integer(meter.epoch),
          .integer(meter.install), .integer(meter.agentEpoch), .integer(meter.journalEpoch), .integer(meter.time),
          meter.isPresent.sqlValue,
        ]
      })
    try db.execute(
      "DELETE FROM meter_day WHERE device = ? AND name = ? AND epoch > ?",
      batch: ledger.resumed.map { name, epoch in [.integer(device), .text(name), .integer(epoch)] })
    try db.execute(
      """
      UPDATE meter_day SET first = CASE WHEN first > ? THEN ? ELSE first END, last = ?
      WHERE device = ? AND name = ? AND epoch = ? AND last > ?
      """,
      batch: ledger.lowered.map { name, limit -> [SQLValue] in
        let value = SQLValue.integer(limit.value)
        return [value, value, value, .integer(device), .text(name), .integer(limit.epoch), value]
      })
    try db.execute(
      """
      INSERT INTO meter_day (device, name, epoch, day, first, last, last_at) VALUES (?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (device, name, epoch, day) DO UPDATE SET last = excluded.last, last_at = excluded.last_at
      """,
      batch: ledger.days.map { day, values in
        [
          .integer(device), .text(day.name), .integer(day.epoch), .integer(day.day), .integer(values.first),
          .integer(values.last), .integer(values.time),
        ]
      })
  }

  private func writeSupplies(_ device: Int64, _ state: DeviceState) throws {
    guard let reading = state.reading else { return }
    try db.execute("DELETE FROM supply WHERE device = ?", device)
    try db.execute(
      """
      INSERT INTO supply (device, row, colorant, description, is_receptacle, level, capacity, remaining_permille, remaining, quality,
        part_number, serial_number, read_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """,
      batch: reading.fact.supplies.map { supply in
        func value(_ argument: (any SQLArgument)?) -> SQLValue { argument?.sqlValue ?? .null }
        return [
          .integer(device), .text(supply.row.description), value(supply.colour),
          value(supply.description?.text),
          supply.isReceptacle.sqlValue, value(supply.level), value(supply.capacity),
          value(supply.percentRemaining.map { Int64(($0 * 10).rounded(.down)) }), .text(supply.remaining),
          .text(supply.quality.name), value(supply.partNumber), value(supply.serialNumber), .integer(reading.time),
        ]
      })
  }

  // MARK: Alerts

  private func write(_ event: Event, _ device: Int64) throws {
    switch event.body {
    case .alertRaised(let raised): try raise(raised.key, raised.alert, device, at: event.time)
    case .alertUpdated(let updated): try raise(updated.key, updated.alert, device, at: event.time)
    case .alertCleared(let cleared): try clear(cleared.key.description, device, at: event.time)
    default: break
    }
  }

  /// Raises an alert, or brings one that is raised to what it says now.
  private func raise(_ key: AlertKey, _ alert: PrinterAlert, _ device: Int64, at time: Int64) throws {
    let severity = alert.severityName
    let description = alert.description?.text ?? ""
    let changed = try db.execute(
      "UPDATE alert SET severity = ?, description = ?, updated_at = ? WHERE device = ? AND key = ? AND cleared_at IS NULL",
      severity, description, time, device, key.description)
    guard changed == 0 else { return }
    try db.execute(
      "INSERT INTO alert (device, key, severity, description, raised_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)", device,
      key.description, severity, description, time, time)
  }

  private func clear(_ key: String, _ device: Int64, at time: Int64) throws {
    try db.execute(
      "UPDATE alert SET cleared_at = ?, updated_at = ? WHERE device = ? AND key = ? AND cleared_at IS NULL", time, time,
      device, key)
  }

  /// What another install had raised goes on where this one has it, too.
  private func takeOverAlerts(_ device: Int64, _ state: DeviceState) throws {
    let time = state.lastRead?.time ?? state.reading?.time ?? state.discovered?.time ?? 0
    let own = Set(state.alerts.keys.map(\.description))
    let open = try db.rows("SELECT key FROM alert WHERE device = ? AND cleared_at IS NULL", device)
    for row in open {
      let key: String = try row("key")
      if !own.contains(key) { try clear(key, device, at: time) }
    }
    try raiseAll(state, device)
  }

  private func raiseAll(_ state: DeviceState, _ device: Int64) throws {
    for (key, raised) in state.alerts.sorted(by: { $0.key < $1.key }) {
      try raise(key, raised.fact.alert, device, at: raised.time)
    }
  }
}

extension DeviceState {
  /// As it was last read, or else as it was found.
  var identity: DeviceIdentity? { reading?.fact.identity ?? discovered?.fact.identity }
}
