// One meter of one device over time: a fold over the device's events that keeps what the last value rests on, and nothing of what was
// before but the value it is compared with.
//
// A record sets the meter if the value, its source, unit, quality or rule differs from the one before, or a meter epoch begins with it.
// Every later poll that says the same confirms it, be it a whole reading, a changed one without this meter, or an unchanged one.

package import Events
package import Evidence
package import MIB
package import PrinterModel
package import Projections

/// A record, and when it was observed and appended.
package struct RecordMoment: Equatable, Sendable {
  package var position: RecordPosition
  package var type: UInt16
  /// By the agent's clock, milliseconds since 1970 UTC.
  package var observed: Int64
  /// Nanoseconds since 1970 UTC.
  package var recorded: Int64
}

/// A value with the record that set it.
package struct MeterValue: Equatable, Sendable {
  package var meter: Meter
  package var moment: RecordMoment

  /// What was counted since `earlier`; nil where the two cannot be compared.
  package func volume(since earlier: MeterValue) -> UInt64? {
    guard meter.quality.isNumber, earlier.meter.quality.isNumber, meter.unit == earlier.meter.unit else { return nil }
    let (volume, isNegative) = meter.value.subtractingReportingOverflow(earlier.meter.value)
    return isNegative ? nil : volume
  }
}

/// A stretch in which a meter's values can be compared with one another.
package struct MeterEpoch: Equatable, Sendable {
  package var number: UInt32 = 1
  /// The event that opened it, and its record; nil for the first epoch, which begins with the first value.
  package var opening: (event: MeterEpochOpened, moment: RecordMoment)?
  package var first: MeterValue?

  package static func == (left: MeterEpoch, right: MeterEpoch) -> Bool {
    left.number == right.number && left.opening?.event == right.opening?.event
      && left.opening?.moment == right.opening?.moment && left.first == right.first
  }
}

/// The value, and what was known of the device when it was set.
package struct MeterSetting: Equatable, Sendable {
  package var value: MeterValue
  /// The value before in the same epoch.
  package var earlier: MeterValue?
  package var epoch: MeterEpoch
  package var address: String?
  /// What is added to give the adjusted value, and since which time; as it was when the last event was folded.
  package var offset: Timed<MeterOffsetSet>?
  package var adjusted: UInt64?
  package var identity: DeviceIdentity
  /// The reading's checks that include the meter.
  package var checks: [ArithmeticCheck]
  /// The objects of the reading; nil where they are not known.
  package var objects: Walk?
  /// Polls after it that found the same, and the last of them.
  package var confirmations: UInt64 = 0
  package var lastConfirmed: RecordMoment?
  /// When the device stopped reporting the meter.
  package var gone: RecordMoment?
}

package struct MeterHistory: Sendable {
  package let device: DeviceID
  package let name: MeterName
  /// What the last value rests on; nil before there was one.
  package private(set) var setting: MeterSetting?

  private let profiles: ProfileSet
  private var epoch = MeterEpoch()
  /// Epochs that ended, with the last values of each: one of them may go on.
  private var ended: [(epoch: MeterEpoch, recent: [MeterValue])] = []
  /// The last values of this epoch, oldest first: it may go on from one that is not the last.
  private var recent: [MeterValue] = []
  /// Wrong readings in a row behind which the last right one is found.
  private static let recentMax = 16
  /// The last value of the epoch that goes on, until the next one.
  private var resumed: MeterValue?
  private var fleet: FleetState
  /// The meter as a record said that is gone: as long as it stays so, nothing that is left has set it.
  private var removed: Meter?
  private var objects = RawObjects()

  /// - Parameter base: the fleet before the first event that `apply` gets.
  package init(
    _ name: MeterName, of device: DeviceID, behind base: FleetState = FleetState(), profiles: ProfileSet = .shipped
  ) {
    fleet = base
    removed = base.devices[device]?.reading?.fact.meters.first { $0.name == name }
    self.device = device
    self.name = name
    self.profiles = profiles
  }

  /// Folds the device's next event.
  package mutating func apply(_ event: Event, at moment: RecordMoment) {
    fleet.apply(event)
    objects.apply(event)
    defer { adjust() }
    switch event.body {
    case .meterEpochOpened(let opened) where opened.meter == name:
      begin(opened, moment)
    case .readingTaken, .readingChanged: told(moment)
    case .readingUnchanged: confirm(moment)
    default: break
    }
  }

  /// Begins an epoch, or goes on with the one that it continues, from the value that it was right with: what was read since counts for nothing.
  private mutating func begin(_ opened: MeterEpochOpened, _ moment: RecordMoment) {
    ended.append((epoch, recent))
    recent = []
    epoch = MeterEpoch(number: opened.epoch, opening: (opened, moment))
    resumed = nil
    guard let continued = opened.continues, let index = ended.lastIndex(where: { $0.epoch.number == continued }) else {
      return
    }
    epoch.first = ended[index].epoch.first
    recent = ended[index].recent
    let goesOnFrom = opened.volume.map { opened.current &- $0 }
    if let right = recent.lastIndex(where: { $0.meter.value == goesOnFrom }) { recent.removeSubrange((right + 1)...) }
    resumed = recent.last
    ended.removeSubrange(index...)
  }

  private mutating func adjust() {
    guard let state = fleet.devices[device], let meter = setting?.value.meter else { return }
    setting?.offset = state.meterOffsets[name]
    setting?.adjusted = state.adjusted(meter)
  }

  /// A record of the device could not be read.
  package mutating func missed() { objects.forget(device) }

  private mutating func told(_ moment: RecordMoment) {
    guard let reading = fleet.devices[device]?.reading?.fact else { return }
    guard let meter = reading.meters.first(where: { $0.name == name }) else {
      if setting?.gone == nil { setting?.gone = moment }
      return
    }
    if meter == removed, epoch.opening == nil { return }
    removed = nil
    let begins = epoch.first == nil
    if let setting, setting.gone == nil, setting.value.meter == meter, !begins, resumed == nil {
      return confirm(moment)
    }
    let value = MeterValue(meter: meter, moment: moment)
    if begins { epoch.first = value }
    recent = recent.suffix(Self.recentMax - 1) + [value]
    setting = MeterSetting(
      value: value, earlier: begins ? nil : resumed ?? setting?.value, epoch: epoch,
      address: fleet.devices[device]?.address,
      identity: reading.identity, checks: reading.checks(including: meter, profiles: profiles),
      objects: objects[device])
    resumed = nil
  }

  private mutating func confirm(_ moment: RecordMoment) {
    guard setting != nil, setting?.gone == nil else { return }
    setting?.confirmations += 1
    setting?.lastConfirmed = moment
  }
}
