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
        unit: meter.unit, leaps: Self.drop(of: meter, state).map { [$0] } ?? [])
    }
  }

  /// The fall that began the meter's epoch, if it may have been a wrong reading.
  private static func drop(of meter: Meter, _ state: DeviceState) -> MeterLeap? {
    let causes: [MeterEpochOpened.Cause] = [.drop, .rollover]
    guard let opened = state.meterEpochs[meter.name], causes.map(\.rawValue).contains(opened.fact.cause),
      let lastRead = state.lastRead?.time
    else { return nil }
    var drop = MeterLeap(
      .drop, value: opened.fact.previous, landed: opened.fact.current, epoch: opened.fact.epoch &- 1)
    drop.elapsed = .milliseconds(max(lastRead - opened.time, 0))
    drop.readings = drop.elapsed == .zero ? 0 : 1
    drop.isStill = meter.value == opened.fact.current
    return drop
  }

  /// Every device of the fleet, in the order of their ids.
  package static func all(of fleet: FleetState) -> [KnownDevice] {
    fleet.devices.values.sorted { $0.id < $1.id }.compactMap { KnownDevice($0) }
  }
}
