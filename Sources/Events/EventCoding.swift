// How an event becomes the payload of a record (docs/formats/events.md); `EventDecoder` reads it back.
//
//     offset  size
//     0       1     version = 1
//     1       2     type, big-endian
//     3       8     observed time, milliseconds since 1970 UTC, big-endian
//     11      16    device id; all zero: none
//     27      ..    body: the protobuf message of this type
//
// The header is fixed so that scans can skip and filter without decoding bodies. A type that this release does not know decodes to
// `.unknown` with its bytes; unknown fields of a known type stay in the record, because records are never re-encoded.

internal import FoundationEssentials
internal import MIB
internal import SwiftProtobuf

/// Why a payload is not an event.
package enum EventCodingError: Error, Equatable, CustomStringConvertible {
  case tooShort(Int)
  case unknownVersion(UInt8)
  case body(type: UInt16, reason: String)

  package var description: String {
    switch self {
    case .tooShort(let count): "An event has a header of \(EventHeader.size) bytes; this payload has \(count)."
    case .unknownVersion(let version):
      "This event has version \(version), this program knows version \(EventHeader.version). Use a newer release."
    case .body(let type, let reason): "The body of an event of type \(type) cannot be read: \(reason)"
    }
  }
}

/// The fixed part in front of every body.
package struct EventHeader: Equatable, Sendable {
  package static let version: UInt8 = 1
  package static let size = 27

  package var type: UInt16
  /// Milliseconds since 1970 UTC.
  package var time: Int64
  package var device: DeviceID?

  /// Reads the header alone.
  package init(_ payload: UnsafeRawBufferPointer) throws(EventCodingError) {
    guard payload.count >= Self.size else { throw .tooShort(payload.count) }
    guard payload[0] == Self.version else { throw .unknownVersion(payload[0]) }
    type = UInt16(payload[1]) << 8 | UInt16(payload[2])
    time = Int64(bigEndian: payload.loadUnaligned(fromByteOffset: 3, as: Int64.self))
    let name = DeviceID(loading: payload, at: 11)
    device = name.isZero ? nil : name
  }

  init(type: UInt16, time: Int64, device: DeviceID?) {
    self.type = type
    self.time = time
    self.device = device
  }

  var bytes: [UInt8] {
    var bytes: [UInt8] = [Self.version, UInt8(type >> 8), UInt8(type & 0xff)]
    withUnsafeBytes(of: time.bigEndian) { bytes.append(contentsOf: $0) }
    bytes.append(contentsOf: device?.bytes ?? [UInt8](repeating: 0, count: 16))
    return bytes
  }
}

extension Event {
  /// The payload that the journal stores.
  package func encoded() throws(EventCodingError) -> [UInt8] {
    let (type, body) = try self.body.encoded()
    return EventHeader(type: type, time: time, device: device).bytes + body
  }
}

/// The type numbers that stand in journals. Never reused.
package enum EventType {
  package static let agentStarted: UInt16 = 1
  package static let agentStopped: UInt16 = 2
  package static let installEnrolled: UInt16 = 3
  package static let sweepStarted: UInt16 = 10
  package static let sweepCompleted: UInt16 = 11
  package static let discoveryFailed: UInt16 = 12
  package static let deviceDiscovered: UInt16 = 20
  package static let deviceMoved: UInt16 = 21
  package static let deviceReplaced: UInt16 = 22
  package static let deviceSeenAlso: UInt16 = 23
  package static let deviceMerged: UInt16 = 24
  package static let deviceRetired: UInt16 = 25
  package static let deviceReturned: UInt16 = 26
  package static let readingTaken: UInt16 = 30
  package static let readingChanged: UInt16 = 31
  package static let readingUnchanged: UInt16 = 32
  package static let pollFailed: UInt16 = 33
  package static let alertRaised: UInt16 = 40
  package static let alertUpdated: UInt16 = 41
  package static let alertCleared: UInt16 = 42
  package static let meterEpochOpened: UInt16 = 50
  package static let meterOffsetSet: UInt16 = 51
  package static let meterLeapt: UInt16 = 52
  package static let uploadRejected: UInt16 = 60
  package static let uploadConflicted: UInt16 = 61
  package static let journalDamaged: UInt16 = 70
  package static let recordsRemoved: UInt16 = 71
  package static let readingsThinned: UInt16 = 72
  package static let journalRestored: UInt16 = 73
  package static let jobReceived: UInt16 = 80
  package static let jobStarted: UInt16 = 81
  package static let jobCompleted: UInt16 = 82
  package static let jobFailed: UInt16 = 83
  package static let jobExpired: UInt16 = 84
  package static let jobRefused: UInt16 = 85
  package static let settingsApplied: UInt16 = 90
  package static let settingsRefused: UInt16 = 91
  package static let remoteSessionOpened: UInt16 = 92
  package static let remoteRequest: UInt16 = 93
  package static let remoteSessionClosed: UInt16 = 94
  package static let remoteCertificatePinned: UInt16 = 95
  package static let remoteCertificateChanged: UInt16 = 96
  package static let remoteRequestBegun: UInt16 = 97

  /// Names as they stand in exports and on the command line.
  package static let names: [UInt16: String] = [
    agentStarted: "AgentStarted", agentStopped: "AgentStopped", installEnrolled: "InstallEnrolled",
    sweepStarted: "SweepStarted", sweepCompleted: "SweepCompleted", discoveryFailed: "DiscoveryFailed",
    deviceDiscovered: "DeviceDiscovered", deviceMoved: "DeviceMoved", deviceReplaced: "DeviceReplaced",
    deviceSeenAlso: "DeviceSeenAlso", deviceMerged: "DeviceMerged", deviceRetired: "DeviceRetired",
    deviceReturned: "DeviceReturned", readingTaken: "ReadingTaken",
    readingChanged: "ReadingChanged", readingUnchanged: "ReadingUnchanged", pollFailed: "PollFailed",
    alertRaised: "AlertRaised", alertUpdated: "AlertUpdated", alertCleared: "AlertCleared",
    meterEpochOpened: "MeterEpochOpened", meterOffsetSet: "MeterOffsetSet", meterLeapt: "MeterLeapt",
    uploadRejected: "UploadRejected", uploadConflicted: "UploadConflicted",
    journalDamaged: "JournalDamaged", recordsRemoved: "RecordsRemoved", readingsThinned: "ReadingsThinned",
    journalRestored: "JournalRestored",
    jobReceived: "JobReceived", jobStarted: "JobStarted", jobCompleted: "JobCompleted", jobFailed: "JobFailed",
    jobExpired: "JobExpired", jobRefused: "JobRefused",
    settingsApplied: "SettingsApplied", settingsRefused: "SettingsRefused",
    remoteSessionOpened: "RemoteSessionOpened", remoteRequest: "RemoteRequest",
    remoteSessionClosed: "RemoteSessionClosed", remoteCertificatePinned: "RemoteCertificatePinned",
    remoteCertificateChanged: "RemoteCertificateChanged", remoteRequestBegun: "RemoteRequestBegun",
  ]

  /// Whether somebody waits for such an event: it does not wait behind readings on its way to the hub.
  package static func isUrgent(_ type: UInt16) -> Bool {
    switch type {
    case alertRaised, alertUpdated, alertCleared: true
    default: isOfJob(type)
    }
  }

  /// Whether such an event tells of a job.
  package static func isOfJob(_ type: UInt16) -> Bool { (jobReceived...jobRefused).contains(type) }

  /// The name of a type, or `Type<number>` for one that this release does not know.
  package static func name(_ type: UInt16) -> String { names[type] ?? "Type\(type)" }
}

extension EventBody {
  /// The type number and the protobuf bytes.
  func encoded() throws(EventCodingError) -> (type: UInt16, bytes: [UInt8]) {
    if case .unknown(let type, let bytes) = self { return (type, bytes) }
    do {
      return (type, try message.serializedBytes())
    } catch {
      throw .body(type: type, reason: "\(error)")
    }
  }

  /// The number under which this kind of event stands in journals.
  package var type: UInt16 {
    switch self {
    case .agentStarted: EventType.agentStarted
    case .agentStopped: EventType.agentStopped
    case .installEnrolled: EventType.installEnrolled
    case .sweepStarted: EventType.sweepStarted
    case .sweepCompleted: EventType.sweepCompleted
    case .discoveryFailed: EventType.discoveryFailed
    case .deviceDiscovered: EventType.deviceDiscovered
    case .deviceMoved: EventType.deviceMoved
    case .deviceReplaced: EventType.deviceReplaced
    case .deviceSeenAlso: EventType.deviceSeenAlso
    case .deviceMerged: EventType.deviceMerged
    case .deviceRetired: EventType.deviceRetired
    case .deviceReturned: EventType.deviceReturned
    case .readingTaken: EventType.readingTaken
    case .readingChanged: EventType.readingChanged
    case .readingUnchanged: EventType.readingUnchanged
    case .pollFailed: EventType.pollFailed
    case .alertRaised: EventType.alertRaised
    case .alertUpdated: EventType.alertUpdated
    case .alertCleared: EventType.alertCleared
    case .meterEpochOpened: EventType.meterEpochOpened
    case .meterOffsetSet: EventType.meterOffsetSet
    case .meterLeapt: EventType.meterLeapt
    case .uploadRejected: EventType.uploadRejected
    case .uploadConflicted: EventType.uploadConflicted
    case .journalDamaged: EventType.journalDamaged
    case .recordsRemoved: EventType.recordsRemoved
    case .readingsThinned: EventType.readingsThinned
    case .journalRestored: EventType.journalRestored
    case .jobReceived: EventType.jobReceived
    case .jobStarted: EventType.jobStarted
    case .jobCompleted: EventType.jobCompleted
    case .jobFailed: EventType.jobFailed
    case .jobExpired: EventType.jobExpired
    case .jobRefused: EventType.jobRefused
    case .settingsApplied: EventType.settingsApplied
    case .settingsRefused: EventType.settingsRefused
    case .remoteSessionOpened: EventType.remoteSessionOpened
    case .remoteRequest: EventType.remoteRequest
    case .remoteSessionClosed: EventType.remoteSessionClosed
    case .remoteCertificatePinned: EventType.remoteCertificatePinned
    case .remoteCertificateChanged: EventType.remoteCertificateChanged
    case .remoteRequestBegun: EventType.remoteRequestBegun
    case .unknown(let type, _): type
    }
  }

  private var message: any Message {
    switch self {
    case .agentStarted(let event): event.wire
    case .agentStopped(let event): event.wire
    case .installEnrolled(let event): event.wire
    case .sweepStarted(let event): event.wire
    case .sweepCompleted(let event): event.wire
    case .discoveryFailed(let event): event.wire
    case .deviceDiscovered(let event): event.wire
    case .deviceMoved(let event): event.wire
    case .deviceReplaced(let event): event.wire
    case .deviceSeenAlso(let event): event.wire
    case .deviceMerged(let event): event.wire
    case .deviceRetired(let event): event.wire
    case .deviceReturned(let event): event.wire
    case .readingTaken(let event): event.wire
    case .readingChanged(let event): event.wire
    case .readingUnchanged(let event): event.wire
    case .pollFailed(let event): event.wire
    case .alertRaised(let event): wireAlert(event.key, event.alert, event.evidence, event.penalty)
    case .alertUpdated(let event): wireAlert(event.key, event.alert, event.evidence, event.penalty)
    case .alertCleared(let event): event.wire
    case .meterEpochOpened(let event): event.wire
    case .meterOffsetSet(let event): event.wire
    case .meterLeapt(let event): event.wire
    case .uploadRejected(let event): event.wire
    case .uploadConflicted(let event): event.wire
    case .journalDamaged(let event): event.wire
    case .recordsRemoved(let event): event.wire
    case .readingsThinned(let event): event.wire
    case .journalRestored(let event): event.wire
    case .jobReceived(let event): event.wire
    case .jobStarted(let event): event.wire
    case .jobCompleted(let event): event.wire
    case .jobFailed(let event): event.wire
    case .jobExpired(let event): event.wire
    case .jobRefused(let event): event.wire
    case .settingsApplied(let event): event.wire
    case .settingsRefused(let event): event.wire
    case .remoteSessionOpened(let event): event.wire
    case .remoteRequest(let event): event.wire
    case .remoteSessionClosed(let event): event.wire
    case .remoteCertificatePinned(let event): event.wire
    case .remoteCertificateChanged(let event): event.wire
    case .remoteRequestBegun(let event): event.wire
    // Written as the bytes it came with; see `encoded`.
    case .unknown: Printtrail_Events_V1_PollCost()
    }
  }
}
