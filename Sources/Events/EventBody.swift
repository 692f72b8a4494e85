// What can happen. A case is a fact in the past tense; its type number is written to journals and never reused.

package import MIB
package import PrinterModel

/// The facts that the journal can hold.
package enum EventBody: Equatable, Sendable {
  case agentStarted(AgentStarted)
  case agentStopped(AgentStopped)
  case installEnrolled(InstallEnrolled)
  case sweepStarted(SweepStarted)
  case sweepCompleted(SweepCompleted)
  case discoveryFailed(DiscoveryFailed)
  case deviceDiscovered(DeviceDiscovered)
  case deviceMoved(DeviceMoved)
  case deviceReplaced(DeviceReplaced)
  case deviceSeenAlso(DeviceSeenAlso)
  case deviceMerged(DeviceMerged)
  case deviceRetired(DeviceRetired)
  case deviceReturned(DeviceReturned)
  case readingTaken(ReadingTaken)
  case readingChanged(ReadingChanged)
  case readingUnchanged(ReadingUnchanged)
  case pollFailed(PollFailed)
  case alertRaised(AlertRaised)
  case alertUpdated(AlertUpdated)
  case alertCleared(AlertCleared)
  case meterEpochOpened(MeterEpochOpened)
  case meterOffsetSet(MeterOffsetSet)
  case meterLeapt(MeterLeapt)
  case uploadRejected(UploadRejected)
  case uploadConflicted(UploadConflicted)
  case journalDamaged(JournalDamaged)
  case recordsRemoved(RecordsRemoved)
  case readingsThinned(ReadingsThinned)
  case journalRestored(JournalRestored)
  case jobReceived(JobReceived)
  case jobStarted(JobStarted)
  case jobCompleted(JobCompleted)
  case jobFailed(JobFailed)
  case jobExpired(JobExpired)
  case jobRefused(JobRefused)
  case settingsApplied(SettingsApplied)
  case settingsRefused(SettingsRefused)
  case remoteSessionOpened(RemoteSessionOpened)
  case remoteRequest(RemoteRequest)
  case remoteSessionClosed(RemoteSessionClosed)
  /// The first certificate that was seen, or one that was accepted by hand.
  case remoteCertificatePinned(RemoteCertificate)
  /// Another one than the pinned was presented, and refused.
  case remoteCertificateChanged(RemoteCertificate)
  case remoteRequestBegun(RemoteRequestBegun)
  /// A type that a newer release wrote: its bytes are kept and exported as they are.
  case unknown(type: UInt16, bytes: [UInt8])
}

/// The service came up.
package struct AgentStarted: Equatable, Sendable {
  package var version: String
  package var hostName: String
  package init(version: String, hostName: String) {
    self.version = version
    self.hostName = hostName
  }
}

/// The service went down in order. A start without a stop before it was a crash or a power cut.
package struct AgentStopped: Equatable, Sendable {
  package var reason: String
  package init(reason: String) { self.reason = reason }
}

/// A hub accepted this agent under an entity, or gave it another certificate.
package struct InstallEnrolled: Equatable, Sendable {
  /// The hub's id for this agent, a UUID in text.
  package var installID: String
  package var entity: String
  /// `host:port` of dcam.
  package var hub: String
  /// SHA-256 of the certificate (DER), hexadecimal.
  package var certificateFingerprint: String
  /// Seconds since 1970 UTC.
  package var certificateNotAfter: Int64
  /// The install was one before, and has another certificate. Releases before this did not say so.
  package var isRenewal: Bool
  package init(
    installID: String, entity: String, hub: String, certificateFingerprint: String, certificateNotAfter: Int64,
    isRenewal: Bool = false
  ) {
    self.installID = installID
    self.entity = entity
    self.hub = hub
    self.certificateFingerprint = certificateFingerprint
    self.certificateNotAfter = certificateNotAfter
    self.isRenewal = isRenewal
  }
}

/// A discovery pass over the configured ranges began.
package struct SweepStarted: Equatable, Sendable {
  package var sweep: UInt64
  package var ranges: [String]
  package var addresses: UInt64
  package init(sweep: UInt64, ranges: [String], addresses: UInt64) {
    self.sweep = sweep
    self.ranges = ranges
    self.addresses = addresses
  }
}

/// A discovery pass ended: how many addresses for which reason.
package struct SweepCompleted: Equatable, Sendable {
  package var sweep: UInt64
  package var milliseconds: UInt64
  /// Reason (`found`, `no answer`, ...) and number of addresses, ordered by reason.
  package var outcomes: [SweepOutcome]
  package init(sweep: UInt64, milliseconds: UInt64, outcomes: [SweepOutcome]) {
    self.sweep = sweep
    self.milliseconds = milliseconds
    self.outcomes = outcomes
  }
}

package struct SweepOutcome: Equatable, Sendable {
  package var reason: String
  package var addresses: UInt64
  package init(reason: String, addresses: UInt64) {
    self.reason = reason
    self.addresses = addresses
  }
}

/// A sweep found a printer, and its first poll failed: nobody knows yet which device it is.
package struct DiscoveryFailed: Equatable, Sendable {
  package var address: String
  /// The name of the credential that worked in the sweep.
  package var credential: String
  /// A stable word, as of `PollFailed`.
  package var reason: String
  /// A sentence for the operator.
  package var message: String
  package init(address: String, credential: String, reason: String, message: String) {
    self.address = address
    self.credential = credential
    self.reason = reason
    self.message = message
  }
}

/// A printer was seen for the first time.
package struct DeviceDiscovered: Equatable, Sendable {
  /// Dotted IPv4 address and port, `10.0.0.7:161`.
  package var address: String
  package var identity: DeviceIdentity
  /// The name of the credential that worked, never the credential.
  package var credential: String
  /// Why it is none of the known devices, where something of it looks like one; else empty.
  package var evidence: String
  package init(address: String, identity: DeviceIdentity, credential: String, evidence: String = "") {
    self.address = address
    self.identity = identity
    self.credential = credential
    self.evidence = evidence
  }
}

/// A known printer answered at another address.
package struct DeviceMoved: Equatable, Sendable {
  package var from: String
  package var to: String
  /// What identified it, for example `serial XYZ123`.
  package var evidence: String
  package init(from: String, to: String, evidence: String) {
    self.from = from
    self.to = to
    self.evidence = evidence
  }
}

/// Another printer answers where this one was.
package struct DeviceReplaced: Equatable, Sendable {
  package var address: String
  package var replacement: DeviceID
  package var evidence: String
  package init(address: String, replacement: DeviceID, evidence: String) {
    self.address = address
    self.replacement = replacement
    self.evidence = evidence
  }
}

/// What identifies this printer answers at a second address while it answers at its own: two interfaces of one printer, or two printers
/// with one serial number. It is polled at its own address only.
package struct DeviceSeenAlso: Equatable, Sendable {
  /// The second address.
  package var address: String
  /// Where it is known and polled.
  package var known: String
  /// What was the same, for example `serial XYZ123`.
  package var evidence: String
  package init(address: String, known: String, evidence: String) {
    self.address = address
    self.known = known
    self.evidence = evidence
  }
}

/// This device and another known one were found to be one: the other's record goes on, this one's ends here. What this one was read to say
/// stays in the journal under its own id.
package struct DeviceMerged: Equatable, Sendable {
  /// The device whose record goes on.
  package var into: DeviceID
  /// Where it was seen that they are one.
  package var address: String
  /// What both share, for example `MAC 00:11:22:33:44:55 with serial XYZ123`.
  package var evidence: String
  package init(into: DeviceID, address: String, evidence: String) {
    self.into = into
    self.address = address
    self.evidence = evidence
  }
}

/// The device was not read for so long that it is not asked any more. It is known still, and returns when it is seen again.
package struct DeviceRetired: Equatable, Sendable {
  /// The last address; empty: it had none.
  package var address: String
  /// When it was last read, or else discovered, in milliseconds since 1970 UTC.
  package var lastRead: Int64
  package var evidence: String
  package init(address: String, lastRead: Int64, evidence: String) {
    self.address = address
    self.lastRead = lastRead
    self.evidence = evidence
  }
}

/// A retired device was read again.
package struct DeviceReturned: Equatable, Sendable {
  package var address: String
  /// How long it was away, and what identified it.
  package var evidence: String
  package init(address: String, evidence: String) {
    self.address = address
    self.evidence = evidence
  }
}

/// A whole reading: everything interpreted, and the raw objects it was interpreted from.
package struct ReadingTaken: Equatable, Sendable {
  /// Alerts are not part of it: they are events of their own.
  package var reading: Reading
  package var raw: Walk
  package var cost: PollCost
  package init(reading: Reading, raw: Walk, cost: PollCost) {
    self.reading = reading
    self.raw = raw
    self.cost = cost
  }
}

/// What differs from the device's reading before.
package struct ReadingChanged: Equatable, Sendable {
  package var change: ReadingChange
  /// Raw objects that are new or differ.
  package var raw: [VarBind]
  /// Raw objects that are gone.
  package var removed: [ObjectIdentifier]
  package var cost: PollCost
  package init(change: ReadingChange, raw: [VarBind], removed: [ObjectIdentifier], cost: PollCost) {
    self.change = change
    self.raw = raw
    self.removed = removed
    self.cost = cost
  }
}

/// The device was read and all was as before.
package struct ReadingUnchanged: Equatable, Sendable {
  package var uptimeTicks: UInt64?
  package var cost: PollCost
  package init(uptimeTicks: UInt64?, cost: PollCost) {
    self.uptimeTicks = uptimeTicks
    self.cost = cost
  }
}

/// What a poll cost the network and the device.
package struct PollCost: Equatable, Sendable {
  package var requests: UInt32
  /// UDP payload bytes sent and received.
  package var bytesSent: UInt32
  package var bytesReceived: UInt32
  package var milliseconds: UInt32
  package init(requests: UInt32 = 0, bytesSent: UInt32 = 0, bytesReceived: UInt32 = 0, milliseconds: UInt32 = 0) {
    self.requests = requests
    self.bytesSent = bytesSent
    self.bytesReceived = bytesReceived
    self.milliseconds = milliseconds
  }
}

/// A poll ended without a reading.
package struct PollFailed: Equatable, Sendable {
  package var address: String
  /// Stable word: `timeout`, `authentication`, `malformed`, `deviceError`, `notAPrinter`, `noAddress`.
  package var reason: String
  /// A sentence for the operator.
  package var message: String
  /// Days, by UTC, on which it was asked in vain since it last answered; 0: not told.
  package var daysAsked: UInt32
  package init(address: String, reason: String, message: String, daysAsked: UInt32 = 0) {
    self.address = address
    self.reason = reason
    self.message = message
    self.daysAsked = daysAsked
  }
}

/// What makes two rows of prtAlertTable, or two error bits, the same alert over time.
package struct AlertKey: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// PrtAlertGroupTC; 0 for hrPrinterDetectedErrorState, -1 for the agent's own rules.
  package var group: Int64
  package var groupIndex: Int64
  /// PrtAlertCodeTC; for group 0 the bit's number, for group -1 the rule's.
  package var code: Int64
  package init(group: Int64, groupIndex: Int64, code: Int64) {
    self.group = group
    self.groupIndex = groupIndex
    self.code = code
  }
  package static func < (left: AlertKey, right: AlertKey) -> Bool {
    (left.group, left.groupIndex, left.code) < (right.group, right.groupIndex, right.code)
  }
  package var description: String { "\(group).\(groupIndex).\(code)" }
}

/// A device reported a condition that it did not report before.
package struct AlertRaised: Equatable, Sendable {
  package var key: AlertKey
  package var alert: PrinterAlert
  /// For alerts of the agent's own rules: the numbers that the rule was applied to.
  package var evidence: String
  /// How often it came and went of late, in thousandths of a raising.
  package var penalty: UInt32
  package init(key: AlertKey, alert: PrinterAlert, evidence: String = "", penalty: UInt32 = 0) {
    self.key = key
    self.alert = alert
    self.evidence = evidence
    self.penalty = penalty
  }
}

/// A raised alert changed its severity, training level or description.
package struct AlertUpdated: Equatable, Sendable {
  package var key: AlertKey
  package var alert: PrinterAlert
  /// As in `AlertRaised`.
  package var evidence: String
  /// As it was when the alert was raised: an update is no raising.
  package var penalty: UInt32
  package init(key: AlertKey, alert: PrinterAlert, evidence: String = "", penalty: UInt32 = 0) {
    self.key = key
    self.alert = alert
    self.evidence = evidence
    self.penalty = penalty
  }
}

/// A raised alert is no longer reported.
package struct AlertCleared: Equatable, Sendable {
  package var key: AlertKey
  /// How long it was raised, by the agent's clock.
  package var milliseconds: UInt64
  /// As in `AlertRaised`, at this time; 0: none.
  package var penalty: UInt32
  package init(key: AlertKey, milliseconds: UInt64, penalty: UInt32 = 0) {
    self.key = key
    self.milliseconds = milliseconds
    self.penalty = penalty
  }
}

/// A meter cannot be compared with its past: it dropped, rolled over, or its source changed. Volumes start anew here.
package struct MeterEpochOpened: Equatable, Sendable {
  package var meter: MeterName
  /// Counts from 1; the first reading of a meter is epoch 1 and needs no event.
  package var epoch: UInt32
  package var previous: UInt64
  package var current: UInt64
  package var evidence: String
  /// A `Cause`, a word of a newer release, or empty in journals of the first.
  package var cause: String
  /// What was counted where that can be known: from `previous` to `current` at a rollover; since the last right value of the epoch that goes on.
  package var volume: UInt64?
  /// The epoch that goes on in this one, because its count was found again: what was read in between was wrong and counted nothing.
  package var continues: UInt32?

  /// Why an epoch ends.
  package enum Cause: String, CaseIterable, Sendable {
    /// The counter is below what it was.
    case drop
    /// A 32-bit counter went once around.
    case rollover
    /// Serial number, MAC or firmware changed with the counter.
    case boardSwap
    /// The meter comes from another object.
    case source
    /// It counts in another unit.
    case unit
    /// It is again what it was before wrong readings.
    case returned
  }

  /// Whether the count fell for no reason that is known: what was read may have been wrong, and what was before may come back.
  package var mayBeWrong: Bool { cause == Cause.drop.rawValue || cause == Cause.rollover.rawValue }

  package init(
    meter: MeterName, epoch: UInt32, previous: UInt64, current: UInt64, evidence: String, cause: String = "",
    volume: UInt64? = nil, continues: UInt32? = nil
  ) {
    self.meter = meter
    self.epoch = epoch
    self.continues = continues
    self.previous = previous
    self.current = current
    self.evidence = evidence
    self.cause = cause
    self.volume = volume
  }
}

/// A meter rose by more than can have been printed. Its epoch goes on; where the count comes back, the rise was read wrongly and counts for nothing
/// (`MeterEpochOpened` with the cause `returned`).
package struct MeterLeapt: Equatable, Sendable {
  package var meter: MeterName
  /// The epoch that it is in.
  package var epoch: UInt32
  package var previous: UInt64
  package var current: UInt64
  package var evidence: String
  package init(meter: MeterName, epoch: UInt32, previous: UInt64, current: UInt64, evidence: String) {
    self.meter = meter
    self.epoch = epoch
    self.previous = previous
    self.current = current
    self.evidence = evidence
  }
}

/// What is added to a counter to give its adjusted value was set, changed or taken away. Raw values and volumes stay what they are.
package struct MeterOffsetSet: Equatable, Sendable {
  package var meter: MeterName
  /// 0: none any more.
  package var offset: Int64
  package var previous: Int64
  /// Why, in the words of whoever set it.
  package var reason: String
  package init(meter: MeterName, offset: Int64, previous: Int64, reason: String) {
    self.meter = meter
    self.offset = offset
    self.previous = previous
    self.reason = reason
  }
}
