// The fleet's state as rows: each is a key and the payload of an event, and folding the rows of a state gives that state again.
//
//     key = type u16 | device id 16 bytes (zero: the agent) | rest        big-endian
//     rest: for alerts, raised and of late cleared  group i64 | group index i64 | code i64 (each with its sign bit flipped, so that bytes sort as numbers do)
//           for meter epochs, leaps and offsets  the meter's name in UTF-8
//           for jobs  the job's id, 16 bytes
//           for pinned certificates  port u32
//           else nothing

package import Events
internal import MIB
package import PrinterModel

/// Which part of the state a row holds.
package enum StatePart: Hashable, Sendable {
  case single
  case alert(AlertKey)
  case meter(MeterName)
  case job(JobID)
  case port(UInt32)
}

/// The name of one row.
package struct StateKey: Hashable, Sendable {
  package let type: UInt16
  package let device: DeviceID?
  package let part: StatePart

  package init(_ type: UInt16, _ device: DeviceID? = nil) {
    self.type = type
    self.device = device
    part = .single
  }

  package init(alert: AlertKey, of device: DeviceID) {
    type = EventType.alertRaised
    self.device = device
    part = .alert(alert)
  }

  package init(meter: MeterName, of device: DeviceID) {
    type = EventType.meterEpochOpened
    self.device = device
    part = .meter(meter)
  }

  /// An alert that was cleared and may come again.
  package init(flap: AlertKey, of device: DeviceID) {
    type = EventType.alertCleared
    self.device = device
    part = .alert(flap)
  }

  package init(offset: MeterName, of device: DeviceID) {
    type = EventType.meterOffsetSet
    self.device = device
    part = .meter(offset)
  }

  /// A meter that rose by more than can have been printed.
  package init(leap: MeterName, of device: DeviceID) {
    type = EventType.meterLeapt
    self.device = device
    part = .meter(leap)
  }

  /// A pinned certificate.
  package init(port: UInt32, of device: DeviceID) {
    type = EventType.remoteCertificatePinned
    self.device = device
    part = .port(port)
  }

  init(_ type: UInt16, job: JobID) {
    self.type = type
    device = nil
    part = .job(job)
  }

  /// The key's bytes; they sort by type, device and rest.
  package var bytes: [UInt8] {
    var bytes: [UInt8] = [UInt8(type >> 8), UInt8(type & 0xff)]
    bytes.append(contentsOf: device?.bytes ?? [UInt8](repeating: 0, count: 16))
    switch part {
    case .single: break
    case .alert(let key):
      for number in [key.group, key.groupIndex, key.code] {
        withUnsafeBytes(of: (UInt64(bitPattern: number) ^ (1 << 63)).bigEndian) { bytes.append(contentsOf: $0) }
      }
    case .meter(let name): bytes.append(contentsOf: name.description.utf8)
    case .job(let id): bytes.append(contentsOf: id.bytes)
    case .port(let port): withUnsafeBytes(of: port.bigEndian) { bytes.append(contentsOf: $0) }
    }
    return bytes
  }
}

extension FleetState {
  /// The event that stands for a row; nil if the state has no such row (any more).
  package func row(_ key: StateKey) -> Event? {
    guard let id = key.device else { return agent.row(key) }
    guard let device = devices[id] else { return nil }
    switch key.part {
    case .alert(let alert) where key.type == EventType.alertCleared:
      return device.flaps[alert].map { Event($0, id, EventBody.alertCleared) }
    case .alert(let alert): return device.alerts[alert].map { Event($0, id, EventBody.alertRaised) }
    case .meter(let meter) where key.type == EventType.meterOffsetSet:
      return device.meterOffsets[meter].map { Event($0, id, EventBody.meterOffsetSet) }
    case .meter(let meter) where key.type == EventType.meterLeapt:
      return device.meterLeaps[meter].map { Event($0, id, EventBody.meterLeapt) }
    case .meter(let meter): return device.meterEpochs[meter].map { Event($0, id, EventBody.meterEpochOpened) }
    case .port(let port):
      return device.pinnedCertificates[port].map { Event($0, id, EventBody.remoteCertificatePinned) }
    case .single: return device.row(key.type)
    case .job: return nil
    }
  }

  /// All rows, ordered by the bytes of their keys.
  package var rows: [(key: [UInt8], event: Event)] {
    keys.compactMap { key in row(key).map { (key.bytes, $0) } }
      .sorted { $0.key.lexicographicallyPrecedes($1.key) }
  }

  /// The keys of all rows that there may be.
  package var keys: [StateKey] {
    var keys = AgentState.types.map { StateKey($0) } + agent.jobs.keys
    for device in devices.values {
      keys += DeviceState.types.map { StateKey($0, device.id) }
      keys += device.alerts.keys.map { StateKey(alert: $0, of: device.id) }
      keys += device.flaps.keys.map { StateKey(flap: $0, of: device.id) }
      keys += device.meterEpochs.keys.map { StateKey(meter: $0, of: device.id) }
      keys += device.meterLeaps.keys.map { StateKey(leap: $0, of: device.id) }
      keys += device.meterOffsets.keys.map { StateKey(offset: $0, of: device.id) }
      keys += device.pinnedCertificates.keys.map { StateKey(port: $0, of: device.id) }
    }
    return keys
  }
}

extension AgentState {
  fileprivate static let types = [
    EventType.agentStarted, EventType.agentStopped, EventType.installEnrolled, EventType.sweepStarted,
    EventType.sweepCompleted, EventType.uploadRejected, EventType.settingsApplied, EventType.settingsRefused,
  ]

  fileprivate func row(_ key: StateKey) -> Event? {
    if case .job(let id) = key.part { return jobs.row(key.type, id) }
    return switch key.type {
    case EventType.agentStarted: started.map { Event($0, nil, EventBody.agentStarted) }
    case EventType.agentStopped: stopped.map { Event($0, nil, EventBody.agentStopped) }
    case EventType.installEnrolled: enrolled.map { Event($0, nil, EventBody.installEnrolled) }
    case EventType.sweepStarted: sweepStarted.map { Event($0, nil, EventBody.sweepStarted) }
    case EventType.sweepCompleted: sweepCompleted.map { Event($0, nil, EventBody.sweepCompleted) }
    case EventType.uploadRejected: rejected.map { Event($0, nil, EventBody.uploadRejected) }
    case EventType.settingsApplied: settings.map { Event($0, nil, EventBody.settingsApplied) }
    case EventType.settingsRefused: settingsRefused.map { Event($0, nil, EventBody.settingsRefused) }
    default: nil
    }
  }
}

extension DeviceState {
  fileprivate static let types = [
    EventType.deviceDiscovered, EventType.deviceReplaced, EventType.readingTaken, EventType.readingUnchanged,
    EventType.pollFailed, EventType.deviceMerged, EventType.deviceRetired,
  ]

  fileprivate func row(_ type: UInt16) -> Event? {
    switch type {
    case EventType.deviceMerged: merged.map { Event($0, id, EventBody.deviceMerged) }
    case EventType.deviceRetired: retired.map { Event($0, id, EventBody.deviceRetired) }
    case EventType.deviceDiscovered: discovered.map { Event($0, id, EventBody.deviceDiscovered) }
    case EventType.deviceReplaced: replaced.map { Event($0, id, EventBody.deviceReplaced) }
    case EventType.readingTaken:
      reading.map {
        Event(time: $0.time, device: id, .readingTaken(ReadingTaken(reading: $0.fact, raw: .init(), cost: .init())))
      }
    case EventType.readingUnchanged: lastRead.map { Event($0, id, EventBody.readingUnchanged) }
    case EventType.pollFailed: failure.map { Event($0, id, EventBody.pollFailed) }
    default: nil
    }
  }
}

extension Event {
  fileprivate init<Fact>(_ timed: Timed<Fact>, _ device: DeviceID?, _ body: (Fact) -> EventBody) {
    self.init(time: timed.time, device: device, body(timed.fact))
  }
}
