// Payloads to events. One decoder reads many: it remembers the words that come again (`Vocabulary`), and may leave out what its user
// does not look at.

internal import MIB
internal import PrinterModel

/// Reads events from the payloads of records.
package struct EventDecoder {
  /// What is read of a body.
  package enum Parts: Sendable {
    case all
    /// Everything but the raw objects of readings, which are most of a whole reading and which no fold looks at: they come out empty, and
    /// it is not noticed when they are damaged.
    case withoutRaw
  }

  /// More words than a fleet of many vendors uses.
  static let vocabularyPlaces = 512

  let parts: Parts
  private var meterNames: Vocabulary<MeterName>
  private var rules: Vocabulary<Rule>
  private var rows: Vocabulary<RowIndex>
  private var objects: Vocabulary<ObjectIdentifier>

  package init(_ parts: Parts = .all) { self.init(parts, places: Self.vocabularyPlaces) }

  fileprivate init(_ parts: Parts, places: Int) {
    self.parts = parts
    meterNames = Vocabulary(places: places)
    rules = Vocabulary(places: places)
    rows = Vocabulary(places: places)
    objects = Vocabulary(places: places)
  }

  /// Reads one payload.
  package mutating func event(_ payload: UnsafeRawBufferPointer) throws(EventCodingError) -> Event {
    let header = try EventHeader(payload)
    do {
      let body = try body(header.type, UnsafeRawBufferPointer(rebasing: payload[EventHeader.size...]))
      return Event(time: header.time, device: header.device, body)
    } catch {
      throw .body(type: header.type, reason: "\(error)")
    }
  }

  package mutating func event(_ payload: [UInt8]) throws(EventCodingError) -> Event {
    try payload.span.bytes.withUnsafeBytes { (bytes) throws(EventCodingError) in try event(bytes) }
  }

  private mutating func body(_ type: UInt16, _ bytes: UnsafeRawBufferPointer) throws -> EventBody {
    switch type {
    case EventType.agentStarted: .agentStarted(try agentStarted(bytes))
    case EventType.agentStopped: .agentStopped(try agentStopped(bytes))
    case EventType.installEnrolled: .installEnrolled(try installEnrolled(bytes))
    case EventType.sweepStarted: .sweepStarted(try sweepStarted(bytes))
    case EventType.sweepCompleted: .sweepCompleted(try sweepCompleted(bytes))
    case EventType.discoveryFailed: .discoveryFailed(try discoveryFailed(bytes))
    case EventType.deviceDiscovered: .deviceDiscovered(try deviceDiscovered(bytes))
    case EventType.deviceMoved: .deviceMoved(try deviceMoved(bytes))
    case EventType.deviceReplaced: .deviceReplaced(try deviceReplaced(bytes))
    case EventType.deviceSeenAlso: .deviceSeenAlso(try deviceSeenAlso(bytes))
    case EventType.deviceMerged: .deviceMerged(try deviceMerged(bytes))
    case EventType.deviceRetired: .deviceRetired(try deviceRetired(bytes))
    case EventType.deviceReturned: .deviceReturned(try deviceReturned(bytes))
    case EventType.readingTaken: .readingTaken(try readingTaken(bytes))
    case EventType.readingChanged: .readingChanged(try readingChanged(bytes))
    case EventType.readingUnchanged: .readingUnchanged(try readingUnchanged(bytes))
    case EventType.pollFailed: .pollFailed(try pollFailed(bytes))
    case EventType.alertRaised: .alertRaised(try alertReported(bytes, AlertRaised.init))
    case EventType.alertUpdated: .alertUpdated(try alertReported(bytes, AlertUpdated.init))
    case EventType.alertCleared: .alertCleared(try alertCleared(bytes))
    case EventType.meterEpochOpened: .meterEpochOpened(try meterEpochOpened(bytes))
    case EventType.meterOffsetSet: .meterOffsetSet(try meterOffsetSet(bytes))
    case EventType.meterLeapt: .meterLeapt(try meterLeapt(bytes))
    case EventType.uploadRejected: .uploadRejected(try uploadRejected(bytes))
    case EventType.uploadConflicted: .uploadConflicted(try uploadConflicted(bytes))
    case EventType.journalDamaged: .journalDamaged(try journalDamaged(bytes))
    case EventType.recordsRemoved: .recordsRemoved(try recordsRemoved(bytes))
    case EventType.readingsThinned: .readingsThinned(try readingsThinned(bytes))
    case EventType.journalRestored: .journalRestored(try journalRestored(bytes))
    case EventType.jobReceived: .jobReceived(try jobReceived(bytes))
    case EventType.jobStarted: .jobStarted(try jobStarted(bytes))
    case EventType.jobCompleted: .jobCompleted(try jobCompleted(bytes))
    case EventType.jobFailed: .jobFailed(try jobFailed(bytes))
    case EventType.jobExpired: .jobExpired(try jobExpired(bytes))
    case EventType.jobRefused: .jobRefused(try jobRefused(bytes))
    case EventType.settingsApplied: .settingsApplied(try settingsApplied(bytes))
    case EventType.settingsRefused: .settingsRefused(try settingsRefused(bytes))
    case EventType.remoteSessionOpened: .remoteSessionOpened(try remoteSessionOpened(bytes))
    case EventType.remoteRequest: .remoteRequest(try remoteRequest(bytes))
    case EventType.remoteSessionClosed: .remoteSessionClosed(try remoteSessionClosed(bytes))
    case EventType.remoteCertificatePinned: .remoteCertificatePinned(try remoteCertificate(bytes))
    case EventType.remoteCertificateChanged: .remoteCertificateChanged(try remoteCertificate(bytes))
    case EventType.remoteRequestBegun: .remoteRequestBegun(try remoteRequestBegun(bytes))
    default: .unknown(type: type, bytes: Array(bytes))
    }
  }
}

// MARK: - Words

extension EventDecoder {
  mutating func meterName(_ bytes: UnsafeRawBufferPointer) throws -> MeterName {
    try meterNames.word(bytes) { bytes in
      let text = try Self.text(bytes)
      guard let name = MeterName(text) else {
        throw WireVocabularyError(description: "\"\(text)\" is not the name of a meter")
      }
      return name
    }
  }

  mutating func rule(_ bytes: UnsafeRawBufferPointer) throws -> Rule {
    try rules.word(bytes) { Rule(try Self.text($0)) }
  }

  mutating func row(_ bytes: UnsafeRawBufferPointer) throws -> RowIndex {
    try rows.word(bytes) { bytes in
      let text = try Self.text(bytes)
      guard let index = ObjectIdentifier(dotted: text) else {
        throw WireVocabularyError(description: "\"\(text)\" is not the index of a row")
      }
      return RowIndex(index)
    }
  }

  /// One packed object: where a meter's value came from.
  mutating func source(_ bytes: UnsafeRawBufferPointer) throws -> Source {
    var packed = PackedReader(bytes)
    let binding = try packed.first(knowing: &objects)
    guard packed.isAtEnd else { throw WireVocabularyError(description: "a meter has one source, not several") }
    return Source(binding.name, binding.value)
  }

  static func object(_ text: String) throws -> ObjectIdentifier {
    guard let name = ObjectIdentifier(dotted: text) else {
      throw WireVocabularyError(description: "\"\(text)\" is not an object identifier")
    }
    return name
  }

  static func quality(_ number: UInt32) throws -> Quality {
    guard let quality = UInt8(exactly: number).flatMap(Quality.init(rawValue:)) else {
      throw WireVocabularyError(description: "\(number) is not a quality")
    }
    return quality
  }

  private static func text(_ bytes: UnsafeRawBufferPointer) throws -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw WireVocabularyError(description: "a word is not UTF-8")
    }
    return text
  }
}

extension Event {
  /// Reads a record's payload. Whoever reads many keeps an `EventDecoder`.
  package init(payload: UnsafeRawBufferPointer) throws(EventCodingError) {
    var decoder = EventDecoder(.all, places: 0)
    self = try decoder.event(payload)
  }

  /// Reads a record's payload.
  package init(payload: [UInt8]) throws(EventCodingError) {
    var decoder = EventDecoder(.all, places: 0)
    self = try decoder.event(payload)
  }
}
