import MIB
import PrinterModel
import SwiftProtobuf
import Testing

@testable import Events

/// The reader of fields beside the library's generated decoder, which writes what journals hold.
@Suite struct `The fields of a message` {
  /// What the generated decoder says of the bytes of a body: nil when it refuses them.
  private func generated(_ type: UInt16, _ bytes: [UInt8]) throws -> (any Message)? {
    let kind: any Message.Type =
      switch type {
      case EventType.agentStarted: Wire.AgentStarted.self
      case EventType.agentStopped: Wire.AgentStopped.self
      case EventType.installEnrolled: Wire.InstallEnrolled.self
      case EventType.sweepStarted: Wire.SweepStarted.self
      case EventType.sweepCompleted: Wire.SweepCompleted.self
      case EventType.deviceDiscovered: Wire.DeviceDiscovered.self
      case EventType.deviceMoved: Wire.DeviceMoved.self
      case EventType.deviceReplaced: Wire.DeviceReplaced.self
      case EventType.deviceSeenAlso: Wire.DeviceSeenAlso.self
      case EventType.deviceMerged: Wire.DeviceMerged.self
      case EventType.deviceRetired: Wire.DeviceRetired.self
      case EventType.deviceReturned: Wire.DeviceReturned.self
      case EventType.meterOffsetSet: Wire.MeterOffsetSet.self
      case EventType.meterLeapt: Wire.MeterLeapt.self
      case EventType.discoveryFailed: Wire.DiscoveryFailed.self
      case EventType.readingTaken: Wire.ReadingTaken.self
      case EventType.readingChanged: Wire.ReadingChanged.self
      case EventType.readingUnchanged: Wire.ReadingUnchanged.self
      case EventType.pollFailed: Wire.PollFailed.self
      case EventType.alertRaised, EventType.alertUpdated: Wire.AlertReported.self
      case EventType.alertCleared: Wire.AlertCleared.self
      case EventType.meterEpochOpened: Wire.MeterEpochOpened.self
      case EventType.uploadRejected: Wire.UploadRejected.self
      case EventType.uploadConflicted: Wire.UploadConflicted.self
      case EventType.journalDamaged: Wire.JournalDamaged.self
      case EventType.recordsRemoved: Wire.RecordsRemoved.self
      case EventType.readingsThinned: Wire.ReadingsThinned.self
      case EventType.journalRestored: Wire.JournalRestored.self
      case EventType.jobReceived: Wire.JobReceived.self
      case EventType.jobStarted: Wire.JobStarted.self
      case EventType.jobCompleted: Wire.JobCompleted.self
      case EventType.jobFailed, EventType.jobRefused: Wire.JobEnded.self
      case EventType.jobExpired: Wire.JobExpired.self
      case EventType.settingsApplied: Wire.SettingsApplied.self
      case EventType.settingsRefused: Wire.SettingsRefused.self
      case EventType.remoteSessionOpened: Wire.RemoteSessionOpened.self
      case EventType.remoteRequest: Wire.RemoteRequest.self
      case EventType.remoteRequestBegun: Wire.RemoteRequestBegun.self
      case EventType.remoteSessionClosed: Wire.RemoteSessionClosed.self
      case EventType.remoteCertificatePinned, EventType.remoteCertificateChanged: Wire.RemoteCertificate.self
      default: Wire.PollCost.self
      }
    return try? kind.init(serializedBytes: bytes)
  }

  /// Damage of every kind that one byte can do.
  private func damaged(_ bytes: [UInt8]) -> [[UInt8]] {
    var all = bytes.indices.map { Array(bytes[..<$0]) }
    for index in bytes.indices {
      for flip in [UInt8(0x01), 0x02, 0x08, 0x80, 0xff] {
        var changed = bytes
        changed[index] ^= flip
        all.append(changed)
      }
    }
    return all
  }

  @Test(arguments: Samples.bodies)
  func `are refused whenever the generated decoder refuses them, and for no other reason of the wire`(body: EventBody)
    throws
  {
    let payload = try Event(time: 1, device: Samples.device, body).encoded()
    let header = payload[..<EventHeader.size]
    for bytes in damaged(Array(payload[EventHeader.size...])) {
      let theirs = try generated(body.type, bytes)
      let ours = Result { () throws(EventCodingError) in try Event(payload: header + bytes) }
      if theirs == nil { #expect(throws: EventCodingError.self) { try ours.get() } }
      guard case .failure(let error) = ours, theirs != nil else { continue }
      let ofTheWire = [FieldError.truncated, .utf8(field: 0), .tooDeep].map { "\($0)".prefix(20) }
      #expect(!ofTheWire.contains { "\(error)".contains($0) }, "\(bytes): \(error)")
    }
  }

  @Test func `that are not known, of every wire type, are passed over`() throws {
    let cost = PollCost(requests: 1, bytesSent: 2, bytesReceived: 3, milliseconds: 4)
    let event = Event(time: 1, device: Samples.device, .readingUnchanged(ReadingUnchanged(uptimeTicks: 5, cost: cost)))
    // Field 1000: a varint, eight bytes, a text, a group with a field in it, four bytes.
    let further: [UInt8] =
      [0xc0, 0x3e, 0x80, 0x01] + [0xc1, 0x3e] + [UInt8](repeating: 7, count: 8) + [0xc2, 0x3e, 0x01, 0xff]
      + [0xc3, 0x3e, 0x08, 0x01, 0xc4, 0x3e] + [0xc5, 0x3e, 1, 2, 3, 4]
    #expect(try Event(payload: event.encoded() + further) == event)
    // Field 1 as a text is not field 1.
    #expect(try Event(payload: event.encoded() + [0x0a, 0x01, 0x41]) == event)
  }

  @Test func `that come twice are the last one, and messages are merged`() throws {
    var decoder = EventDecoder()
    let header = EventHeader(type: EventType.readingUnchanged, time: 1, device: nil).bytes
    let read = try decoder.event(header + [0x08, 0x05, 0x08, 0x06, 0x12, 0x02, 0x08, 0x01, 0x12, 0x02, 0x10, 0x02])
    #expect(
      read.body == .readingUnchanged(ReadingUnchanged(uptimeTicks: 6, cost: PollCost(requests: 1, bytesSent: 2))))
  }

  @Test func `nested in groups without end are refused`() {
    let header = EventHeader(type: EventType.agentStopped, time: 1, device: nil).bytes
    for depth in [101, 5_000] {
      #expect(throws: EventCodingError.self) {
        try Event(payload: header + [UInt8](repeating: 0x0b, count: depth))
      }
    }
  }

  @Test func `are the same for a decoder that remembers and one that does not`() throws {
    var remembering = EventDecoder()
    for _ in 0..<2 {
      for body in Samples.bodies {
        let payload = try Event(time: 1, device: Samples.device, body).encoded()
        #expect(try remembering.event(payload) == Event(payload: payload))
      }
    }
  }

  @Test func `of raw objects are left out where nobody wants them`() throws {
    var decoder = EventDecoder(.withoutRaw)
    for body in Samples.bodies {
      let event = try decoder.event(Event(time: 1, device: Samples.device, body).encoded())
      switch (event.body, body) {
      case (.readingTaken(let read), .readingTaken(let written)):
        #expect(read.raw.isEmpty && read.reading == written.reading && read.cost == written.cost)
      case (.readingChanged(let read), .readingChanged(let written)):
        #expect(read.raw.isEmpty && read.removed.isEmpty && read.change == written.change)
      default: #expect(event.body == body)
      }
    }
  }

  @Test func `more words than a vocabulary has places are read right`() throws {
    var words = Vocabulary<String>(places: 8)
    for round in 0..<3 {
      for number in 0..<100 {
        let word = Array("word \(number)".utf8)
        let read = word.withUnsafeBytes { words.word($0) { String(decoding: $0, as: UTF8.self) } }
        #expect(read == "word \(number)", "in round \(round)")
      }
    }
  }
}
