// The bodies of events from their fields (Protos/events.proto says what the numbers mean). Readings have a file of their own
// (`ReadingDecoding`). An absent field has its type's zero value, as proto3 has it.

internal import MIB
internal import PrinterModel

extension EventDecoder {
  func agentStarted(_ bytes: UnsafeRawBufferPointer) throws -> AgentStarted {
    var body = AgentStarted(version: "", hostName: "")
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: body.version = try fields.string() ?? body.version
      case 2: body.hostName = try fields.string() ?? body.hostName
      default: break
      }
    }
    return body
  }

  func agentStopped(_ bytes: UnsafeRawBufferPointer) throws -> AgentStopped {
    var body = AgentStopped(reason: "")
    var fields = FieldReader(bytes)
    while try fields.next() {
      if fields.number == 1 { body.reason = try fields.string() ?? body.reason }
    }
    return body
  }

  func installEnrolled(_ bytes: UnsafeRawBufferPointer) throws -> InstallEnrolled {
    var body = InstallEnrolled(
      installID: "", entity: "", hub: "", certificateFingerprint: "", certificateNotAfter: 0)
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: body.installID = try fields.string() ?? body.installID
      case 2: body.entity = try fields.string() ?? body.entity
      case 3: body.hub = try fields.string() ?? body.hub
      case 4: body.certificateFingerprint = try fields.string() ?? body.certificateFingerprint
      case 5: body.certificateNotAfter = fields.int64 ?? body.certificateNotAfter
      case 6: body.isRenewal = fields.bool ?? body.isRenewal
      default: break
      }
    }
    return body
  }

  func sweepStarted(_ bytes: UnsafeRawBufferPointer) throws -> SweepStarted {
    var body = SweepStarted(sweep: 0, ranges: [], addresses: 0)
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: body.sweep = fields.uint64 ?? body.sweep
      case 2: try fields.append(to: &body.ranges)
      case 3: body.addresses = fields.uint64 ?? body.addresses
      default: break
      }
    }
    return body
  }

  func sweepCompleted(_ bytes: UnsafeRawBufferPointer) throws -> SweepCompleted {
    var body = SweepCompleted(sweep: 0, milliseconds: 0, outcomes: [])
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: body.sweep = fields.uint64 ?? body.sweep
      case 2: body.milliseconds = fields.uint64 ?? body.milliseconds
      case 3: if let bytes = fields.bytes { body.outcomes.append(try sweepOutcome(bytes)) }
      default: break
      }
    }
    return body
  }

  private func sweepOutcome(_ bytes: UnsafeRawBufferPointer) throws -> SweepOutcome {
    var outcome = SweepOutcome(reason: "", addresses: 0)
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: outcome.reason = try fields.string() ?? outcome.reason
      case 2: outcome.addresses = fields.uint64 ?? outcome.addresses
      default: break
      }
    }
    return outcome
  }

  func deviceDiscovered(_ bytes: UnsafeRawBufferPointer) throws -> DeviceDiscovered {
    var body = DeviceDiscovered(address: "", identity: DeviceIdentity(), credential: "")
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: body.address = try fields.string() ?? body.address
      case 2: if let bytes = fields.bytes { try read(bytes, into: &body.identity) }
      case 3: body.credential = try fields.string() ?? body.credential
      case 4: body.evidence = try fields.string() ?? body.evidence
      default: break
      }
    }
    return body
  }

  func deviceMerged(_ bytes: UnsafeRawBufferPointer) throws -> DeviceMerged {
    var (into, address, evidence) = ([UInt8](), "", "")
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: into = fields.octets ?? into
      case 2: address = try fields.string() ?? address
      case 3: evidence = try fields.string() ?? evidence
      default: break
      }
    }
    guard let id = DeviceID(into) else {
      throw WireVocabularyError(description: "the id of the device that goes on must have 16 bytes, not \(into.count)")
    }
    return DeviceMerged(into: id, address: address, evidence: evidence)
  }

  func deviceRetired(_ bytes: UnsafeRawBufferPointer) throws -> DeviceRetired {
    var body = DeviceRetired(address: "", lastRead: 0, evidence: "")
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: body.address = try fields.string() ?? body.address
      case 2: body.lastRead = fields.int64 ?? body.lastRead
      case 3: body.evidence = try fields.string() ?? body.evidence
      default: break
      }
    }
    return body
  }

  func deviceReturned(_ bytes: UnsafeRawBufferPointer) throws -> DeviceReturned {
    var body = DeviceReturned(address: "", evidence: "")
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: body.address = try fields.string() ?? body.address
      case 2: body.evidence = try fields.string() ?? body.evidence
      default: break
      }
    }
    return body
  }

  func deviceMoved(_ bytes: UnsafeRawBufferPointer) throws -> DeviceMoved {
    var body = DeviceMoved(from: "", to: "", evidence: "")
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: body.from = try fields.string() ?? body.from
      case 2: body.to = try fields.string() ?? body.to
      case 3: body.evidence = try fields.string() ?? body.evidence
      default: break
      }
    }
    return body
  }

  func deviceReplaced(_ bytes: UnsafeRawBufferPointer) throws -> DeviceReplaced {
    var (address, replacement, evidence) = ("", [UInt8](), "")
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: address = try fields.string() ?? address
      case 2: replacement = fields.octets ?? replacement
      case 3: evidence = try fields.string() ?? evidence
      default: break
      }
    }
    guard let id = DeviceID(replacement) else {
      throw WireVocabularyError(description: "the replacement's id must have 16 bytes, not \(replacement.count)")
    }
    return DeviceReplaced(address: address, replacement: id, evidence: evidence)
  }

  func deviceSeenAlso(_ bytes: UnsafeRawBufferPointer) throws -> DeviceSeenAlso {
    var body = DeviceSeenAlso(address: "", known: "", evidence: "")
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: body.address = try fields.string() ?? body.address
      case 2: body.known = try fields.string() ?? body.known
      case 3: body.evidence = try fields.string() ?? body.evidence
      default: break
      }
    }
    return body
  }

  func discoveryFailed(_ bytes: UnsafeRawBufferPointer) throws -> DiscoveryFailed {
    var body = DiscoveryFailed(address: "", credential: "", reason: "", message: "")
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: body.address = try fields.string() ?? body.address
      case 2: body.credential = try fields.string() ?? body.credential
      case 3: body.reason = try fields.string() ?? body.reason
      case 4: body.message = try fields.string() ?? body.message
      default: break
      }
    }
    return body
  }

  func pollFailed(_ bytes: UnsafeRawBufferPointer) throws -> PollFailed {
    var body = PollFailed(address: "", reason: "", message: "")
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: body.address = try fields.string() ?? body.address
      case 2: body.reason = try fields.string() ?? body.reason
      case 3: body.message = try fields.string() ?? body.message
      case 4: body.daysAsked = fields.uint32 ?? body.daysAsked
      default: break
      }
    }
    return body
  }

  mutating func alertReported<Reported>(
    _ bytes: UnsafeRawBufferPointer, _ make: (AlertKey, PrinterAlert, String, UInt32) -> Reported
  ) throws -> Reported {
    var evidence = ""
    var penalty: UInt32 = 0
    var key = AlertKey(group: 0, groupIndex: 0, code: 0)
    var alert = PrinterAlert(row: RowIndex([]))
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: if let bytes = fields.bytes { try read(bytes, into: &key) }
      case 2: if let bytes = fields.bytes { try read(bytes, into: &alert) }
      case 3: evidence = try fields.string() ?? evidence
      case 4: penalty = fields.uint32 ?? penalty
      default: break
      }
    }
    return make(key, alert, evidence, penalty)
  }

  func alertCleared(_ bytes: UnsafeRawBufferPointer) throws -> AlertCleared {
    var body = AlertCleared(key: AlertKey(group: 0, groupIndex: 0, code: 0), milliseconds: 0)
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: if let bytes = fields.bytes { try read(bytes, into: &body.key) }
      case 2: body.milliseconds = fields.uint64 ?? body.milliseconds
      case 3: body.penalty = fields.uint32 ?? body.penalty
      default: break
      }
    }
    return body
  }

  private func read(_ bytes: UnsafeRawBufferPointer, into key: inout AlertKey) throws {
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: key.group = fields.int64 ?? key.group
      case 2: key.groupIndex = fields.int64 ?? key.groupIndex
      case 3: key.code = fields.int64 ?? key.code
      default: break
      }
    }
  }

  private mutating func read(_ bytes: UnsafeRawBufferPointer, into alert: inout PrinterAlert) throws {
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: if let bytes = fields.bytes, !bytes.isEmpty { alert.row = try row(bytes) }
      case 2: alert.severity = fields.int64 ?? alert.severity
      case 3: alert.training = fields.int64 ?? alert.training
      case 4: alert.group = fields.int64 ?? alert.group
      case 5: alert.groupIndex = fields.int64 ?? alert.groupIndex
      case 6: alert.location = fields.int64 ?? alert.location
      case 7: alert.code = fields.int64 ?? alert.code
      case 8: try read(fields, into: &alert.description)
      case 9: alert.time = fields.int64 ?? alert.time
      default: break
      }
    }
  }

  mutating func meterEpochOpened(_ bytes: UnsafeRawBufferPointer) throws -> MeterEpochOpened {
    var body = MeterEpochOpened(meter: .total, epoch: 0, previous: 0, current: 0, evidence: "")
    var meter: MeterName?
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: meter = try fields.bytes.map { try meterName($0) } ?? meter
      case 2: body.epoch = fields.uint32 ?? body.epoch
      case 3: body.previous = fields.uint64 ?? body.previous
      case 4: body.current = fields.uint64 ?? body.current
      case 5: body.evidence = try fields.string() ?? body.evidence
      case 6: body.cause = try fields.string() ?? body.cause
      case 7: body.volume = fields.uint64 ?? body.volume
      case 8: body.continues = fields.uint32 ?? body.continues
      default: break
      }
    }
    body.meter = try required(meter, "the name of a meter")
    return body
  }

  mutating func meterLeapt(_ bytes: UnsafeRawBufferPointer) throws -> MeterLeapt {
    var body = MeterLeapt(meter: .total, epoch: 0, previous: 0, current: 0, evidence: "")
    var meter: MeterName?
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: meter = try fields.bytes.map { try meterName($0) } ?? meter
      case 2: body.epoch = fields.uint32 ?? body.epoch
      case 3: body.previous = fields.uint64 ?? body.previous
      case 4: body.current = fields.uint64 ?? body.current
      case 5: body.evidence = try fields.string() ?? body.evidence
      default: break
      }
    }
    body.meter = try required(meter, "the name of a meter")
    return body
  }

  mutating func meterOffsetSet(_ bytes: UnsafeRawBufferPointer) throws -> MeterOffsetSet {
    var body = MeterOffsetSet(meter: .total, offset: 0, previous: 0, reason: "")
    var meter: MeterName?
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: meter = try fields.bytes.map { try meterName($0) } ?? meter
      case 2: body.offset = fields.int64 ?? body.offset
      case 3: body.previous = fields.int64 ?? body.previous
      case 4: body.reason = try fields.string() ?? body.reason
      default: break
      }
    }
    body.meter = try required(meter, "the name of a meter")
    return body
  }

  func uploadRejected(_ bytes: UnsafeRawBufferPointer) throws -> UploadRejected {
    var body = UploadRejected(epoch: 0, sequence: 0, reason: "")
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: body.epoch = fields.uint32 ?? body.epoch
      case 2: body.sequence = fields.uint64 ?? body.sequence
      case 3: body.reason = try fields.string() ?? body.reason
      default: break
      }
    }
    return body
  }

  func uploadConflicted(_ bytes: UnsafeRawBufferPointer) throws -> UploadConflicted {
    var body = UploadConflicted(epoch: 0, first: 0, last: 0, heldHash: [])
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: body.epoch = fields.uint32 ?? body.epoch
      case 2: body.first = fields.uint64 ?? body.first
      case 3: body.last = fields.uint64 ?? body.last
      case 4: body.heldHash = fields.bytes.map { Array($0) } ?? body.heldHash
      default: break
      }
    }
    return body
  }

  func journalRestored(_ bytes: UnsafeRawBufferPointer) throws -> JournalRestored {
    var body = JournalRestored(reason: "", epoch: 0, sequence: 0)
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: body.reason = try fields.string() ?? body.reason
      case 2: body.epoch = fields.uint32 ?? body.epoch
      case 3: body.sequence = fields.uint64 ?? body.sequence
      default: break
      }
    }
    return body
  }

  func recordsRemoved(_ bytes: UnsafeRawBufferPointer) throws -> RecordsRemoved {
    var body = RecordsRemoved(epoch: 0, through: 0, records: 0, reason: "", countersigner: "")
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: body.epoch = fields.uint32 ?? body.epoch
      case 2: body.through = fields.uint64 ?? body.through
      case 3: body.records = fields.uint64 ?? body.records
      case 4: body.reason = try fields.string() ?? body.reason
      case 5: body.countersigner = try fields.string() ?? body.countersigner
      default: break
      }
    }
    return body
  }

  func readingsThinned(_ bytes: UnsafeRawBufferPointer) throws -> ReadingsThinned {
    var body = ReadingsThinned(intervalSeconds: 0, percent: 0)
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: body.intervalSeconds = fields.uint32 ?? body.intervalSeconds
      case 2: body.percent = fields.uint32 ?? body.percent
      default: break
      }
    }
    return body
  }

  func journalDamaged(_ bytes: UnsafeRawBufferPointer) throws -> JournalDamaged {
    var body = JournalDamaged(reason: "", quarantine: "", lost: [], recordsKept: 0, hasNewKey: false)
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: body.reason = try fields.string() ?? body.reason
      case 2: body.quarantine = try fields.string() ?? body.quarantine
      case 3: if let bytes = fields.bytes { body.lost.append(try lostRange(bytes)) }
      case 4: body.rangesLost = fields.uint32 ?? body.rangesLost
      case 5: body.recordsKept = fields.uint64 ?? body.recordsKept
      case 6: body.hasNewKey = fields.bool ?? body.hasNewKey
      default: break
      }
    }
    return body
  }

  private func lostRange(_ bytes: UnsafeRawBufferPointer) throws -> LostRange {
    var range = LostRange(epoch: 0, first: 0, last: nil)
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: range.epoch = fields.uint32 ?? range.epoch
      case 2: range.first = fields.uint64 ?? range.first
      case 3: range.last = fields.uint64 ?? range.last
      default: break
      }
    }
    return range
  }

  /// What a message of this kind cannot do without.
  func required<Value>(_ value: Value?, _ what: String) throws -> Value {
    guard let value else { throw WireVocabularyError(description: "\(what) is missing") }
    return value
  }
}
