// From the fleet's projection to what the collector must know to go on where the last run stopped.

internal import AlertRules
package import Collectors
package import Projections

internal import Discovery
internal import Events
internal import PrinterModel

extension KnownDevice {
  /// Nil for a device of which the journal tells nothing but that it exists, and for one that goes on as another.
  package init?(_ state: DeviceState) {
    guard let discovered = state.discovered?.fact, state.merged == nil else { return nil }
    // Another device answers where this one was, and it has not moved since.
    let isDisplaced = state.replaced.map { $0.fact.address == discovered.address } ?? false
    self.init(
      id: state.id, endpoint: isDisplaced ? nil : Endpoint(discovered.address), credential: discovered.credential,
      identity: state.reading?.fact.identity ?? discovered.identity)
    if isDisplaced { formerAddress = Endpoint(discovered.address)?.address }
    for (key, raised) in state.alerts {
      alerts[key] = ActiveAlert(
        alert: raised.fact.alert, raised: raised.time, evidence: raised.fact.evidence, penalty: raised.fact.penalty)
    }
    for (key, cleared) in state.flaps { flaps[key] = Flap(penalty: cleared.fact.penalty, time: cleared.time) }
    for (meter, offset) in state.meterOffsets { offsets[meter] = offset.fact.offset }
    for supply in state.reading?.fact.supplies ?? [] { supplies[supply.row] = SupplyMemory(supply) }
    lastRead = state.lastRead?.time ?? state.discovered?.time
    silentSince = state.failure?.time
    daysAsked = state.failure?.fact.daysAsked ?? 0
    isRetired = state.retired != nil
    for meter in state.reading?.fact.meters ?? [] {
      meters[meter.name] = MeterState(
        value: meter.value, epoch: state.meterEpochs[meter.name]?.fact.epoch ?? 1, source: meter.source.name,
        unit: meter.unit, leaps: Self.leaps(of: meter, state))
    }
  }

  /// What the meter was before it leapt, and may be again; oldest first.
  private static func leaps(of meter: Meter, _ state: DeviceState) -> [MeterLeap] {
    let fall = fall(of: meter, state)
    guard var rise = rise(of: meter, state), fall?.kind != .board else { return fall.map { [$0] } ?? [] }
    guard let fall, let opened = state.meterEpochs[meter.name], let leapt = state.meterLeaps[meter.name] else {
      return [rise]
    }
    rise.isStill = false
    return leapt.time <= opened.time ? [rise, fall] : [fall, rise]
  }

  /// The fall that began the meter's epoch, if it may have been a wrong reading, or another board's count.
  private static func fall(of meter: Meter, _ state: DeviceState) -> MeterLeap? {
    guard let opened = state.meterEpochs[meter.name], let lastRead = state.lastRead?.time else { return nil }
    let isOfBoard =
      opened.fact.cause == MeterEpochOpened.Cause.boardSwap.rawValue && opened.fact.current < opened.fact.previous
    guard isOfBoard || opened.fact.mayBeWrong else { return nil }
    let fall = MeterLeap(
      isOfBoard ? .board : .drop, value: opened.fact.previous, landed: opened.fact.current,
      epoch: opened.fact.epoch &- 1)
    return since(opened.time, fall, until: lastRead, meter)
  }

  /// The last rise by more than can have been printed.
  private static func rise(of meter: Meter, _ state: DeviceState) -> MeterLeap? {
    guard let leapt = state.meterLeaps[meter.name], let lastRead = state.lastRead?.time else { return nil }
    let rise = MeterLeap(
      .rise, value: leapt.fact.previous, landed: leapt.fact.current, epoch: leapt.fact.epoch)
    return since(leapt.time, rise, until: lastRead, meter)
  }

  /// The leap as it stands at the last reading; nil: too long ago.
  private static func since(_ time: Int64, _ leap: MeterLeap, until lastRead: Int64, _ meter: Meter) -> MeterLeap? {
    var leap = leap
    leap.elapsed = .milliseconds(max(lastRead - time, 0))
    leap.readings = leap.elapsed == .zero ? 0 : 1
    leap.isStill = meter.value == leap.landed
    return leap.elapsed > MeterTracker.leapRememberedFor ? nil : leap
  }

  /// Every device of the fleet, in the order of their ids.
  package static func all(of fleet: FleetState) -> [KnownDevice] {
    fleet.devices.values.sorted { $0.id < $1.id }.compactMap { KnownDevice($0) }
  }
}
