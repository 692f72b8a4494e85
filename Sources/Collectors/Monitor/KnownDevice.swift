// What is known of a device between polls: enough to go on after a restart without telling anything twice.

package import AlertRules
package import Discovery
package import Events
package import MIB
package import PrinterModel

/// A device with what earlier events told of it.
package struct KnownDevice: Equatable, Sendable {
  package var id: DeviceID
  /// Where it answers; nil when another device answers there now and it was not found elsewhere.
  package var endpoint: Endpoint?
  /// Where it was, where another device answers there now.
  package var formerAddress: IPv4Address?
  /// Name of the credential that worked last.
  package var credential: String
  package var identity: DeviceIdentity
  package var alerts: [AlertKey: ActiveAlert] = [:]
  /// Alerts that were cleared of late: what is left of their penalties.
  package var flaps: [AlertKey: Flap] = [:]
  package var meters: SortedTable<MeterName, MeterState> = [:]
  package var offsets: [MeterName: Int64] = [:]
  package var supplies: SortedTable<RowIndex, SupplyMemory> = [:]
  /// When it was last read, or else discovered, in milliseconds since 1970 UTC; nil where neither is known.
  package var lastRead: Int64?
  /// When it first did not answer, since it last did.
  package var silentSince: Int64?
  /// Days on which it was asked in vain until then, as far as an earlier run of the service told.
  package var daysAsked: UInt32 = 0
  package var isRetired = false
  /// When the last whole reading was taken, in milliseconds since 1970 UTC.
  package var lastFullReading: Int64?

  package init(id: DeviceID, endpoint: Endpoint?, credential: String, identity: DeviceIdentity) {
    self.id = id
    self.endpoint = endpoint
    self.credential = credential
    self.identity = identity
  }
}

extension KnownDevice {
  /// By the sources of its meters, which a change of the way moves; a device without any is known by how it was discovered.
  var isReadOverIPP: Bool {
    guard let total = meters[.total] ?? meters.values.first else { return credential == IPPAsker.accessName }
    return AttributeName(total.source) != nil
  }
}

/// An alert that was raised and not cleared.
package struct ActiveAlert: Equatable, Sendable {
  package var alert: PrinterAlert
  /// When it was raised, in milliseconds since 1970 UTC.
  package var raised: Int64
  /// The numbers that a rule was applied to.
  package var evidence: String
  /// As `FlapDamping` has it, when it was raised.
  package var penalty: UInt32
  /// Since when a damped alert is away.
  var awaySince: Int64?

  package init(alert: PrinterAlert, raised: Int64, evidence: String = "", penalty: UInt32 = 0) {
    self.alert = alert
    self.raised = raised
    self.evidence = evidence
    self.penalty = penalty
  }
}

/// What is left of an alert that was cleared.
package struct Flap: Equatable, Sendable {
  package var penalty: UInt32
  /// When it was cleared, in milliseconds since 1970 UTC.
  package var time: Int64

  package init(penalty: UInt32, time: Int64) {
    self.penalty = penalty
    self.time = time
  }
}

/// A meter's last value and what it may be compared with.
package struct MeterState: Equatable, Sendable {
  package var value: UInt64
  /// Counts from 1.
  package var epoch: UInt32
  /// By how much the last reading that moved it was above the one before; 0: several readings, and none has; `noRise`: not known.
  package var lastRise = Self.noRise
  package static let noRise = UInt32.max
  package var source: ObjectIdentifier
  package var unit: CounterUnit
  /// What it may return to, oldest first: at most one of each kind, and some meanings. A list takes no room without.
  package var leaps: [MeterLeap] = []

  package init(
    value: UInt64, epoch: UInt32 = 1, source: ObjectIdentifier, unit: CounterUnit, leaps: [MeterLeap] = []
  ) {
    self.value = value
    self.epoch = epoch
    self.source = source
    self.unit = unit
    self.leaps = leaps
  }

  /// What it was before the reading that moved it last; nil where that is not known.
  var valueBeforeRise: UInt64? {
    lastRise == Self.noRise || value < UInt64(lastRise) ? nil : value - UInt64(lastRise)
  }
}

/// What a meter was before it leapt, and may be again.
package struct MeterLeap: Equatable, Sendable {
  package enum Kind: Equatable, Sendable {
    /// It fell, or rose by more than can have been printed: one of the two readings may have been wrong.
    case drop, rise
    /// It fell with another board, which may be exchanged for the former one again.
    case board
    /// Another object was read, or another unit told: the former count goes on where this is read again.
    case meaning(source: ObjectIdentifier, unit: CounterUnit)
  }

  package var kind: Kind
  /// The last value before it, and the epoch that this was in. All but a rise have ended that.
  package var value: UInt64
  package var epoch: UInt32
  /// The first value after it.
  package var landed: UInt64
  /// From the reading that showed it to the last one.
  package var elapsed: Duration = .zero
  /// Readings after that one.
  package var readings = 0
  /// Whether the meter has not moved since.
  package var isStill = true

  package init(_ kind: Kind, value: UInt64, landed: UInt64, epoch: UInt32) {
    self.kind = kind
    self.value = value
    self.landed = landed
    self.epoch = epoch
  }
}
