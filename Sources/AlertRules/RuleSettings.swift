// The rules as data: thresholds of the whole install, of one device, and of one supply. The narrowest one counts.
//
//     install ([alerts])  <  device ([[alerts.device]])  <  supply ([[alerts.supply]])
//
// Of several entries that mean the same device or supply the last one counts.

package import Events
package import PrinterModel

/// The rules of an install.
package struct RuleSettings: Equatable, Sendable {
  package var thresholds = RuleThresholds()
  package var devices: [DeviceThresholds] = []
  package var supplies: [SupplyThreshold] = []

  package init() {}

  /// The rules that hold for one device.
  package func rules(for device: DeviceID, _ identity: DeviceIdentity) -> DeviceRules {
    var thresholds = thresholds
    for entry in devices where entry.device.matches(device, identity) { thresholds.apply(entry.change) }
    return DeviceRules(
      thresholds: thresholds, supplies: supplies.filter { $0.device?.matches(device, identity) ?? true })
  }
}

/// Thresholds that hold where nothing narrower is set.
package struct RuleThresholds: Equatable, Sendable {
  /// A supply with this many percent or less is low: enough days to ship another one to most devices.
  package var lowSupply = 10.0
  /// A maintenance part (drum, fuser, transfer unit, ...) with this many percent or less is due. A visit takes longer to plan than a parcel,
  /// but parts last ten times as long as toner.
  package var maintenancePart = 5.0
  /// An alert each time the total passes a multiple of it; nil or 0: none.
  package var volumeEvery: UInt64?
  /// A device that is silent for this long is unreachable. Printers are off at night; a day also covers a late start in the morning.
  package var unreachableAfter: Duration = .seconds(24 * 3_600)
  /// The fastest cut-sheet printers make some 160 pages a minute; what counts faster did not print.
  package var pagesPerMinuteMax: UInt64 = 250

  package init() {}

  package mutating func apply(_ change: ThresholdChange) {
    lowSupply = change.lowSupply ?? lowSupply
    maintenancePart = change.maintenancePart ?? maintenancePart
    volumeEvery = change.volumeEvery ?? volumeEvery
    unreachableAfter = change.unreachableAfter ?? unreachableAfter
    pagesPerMinuteMax = change.pagesPerMinuteMax ?? pagesPerMinuteMax
  }
}

/// What is set at one place; nil: as at the next wider one.
package struct ThresholdChange: Equatable, Sendable {
  package var lowSupply: Double?
  package var maintenancePart: Double?
  /// 0: none.
  package var volumeEvery: UInt64?
  package var unreachableAfter: Duration?
  package var pagesPerMinuteMax: UInt64?

  package init() {}
}

/// What is set for one device.
package struct DeviceThresholds: Equatable, Sendable {
  package var device: DeviceSelector
  package var change: ThresholdChange

  package init(device: DeviceSelector, _ change: ThresholdChange) {
    self.device = device
    self.change = change
  }
}

/// What is set for one supply, on one device or on all.
package struct SupplyThreshold: Equatable, Sendable {
  /// Nil: on every device.
  package var device: DeviceSelector?
  /// Its row (`1.3`), part number, colour or description, or a part of the description; case does not matter.
  package var supply: String
  package var low: Double

  package init(device: DeviceSelector? = nil, supply: String, low: Double) {
    self.device = device
    self.supply = supply
    self.low = low
  }

  func matches(_ supply: Supply) -> Bool {
    let wanted = self.supply.lowercased()
    let names = [supply.row.description, supply.partNumber, supply.colour].compactMap { $0?.lowercased() }
    return names.contains(wanted) || supply.description?.text.lowercased().contains(wanted) ?? false
  }
}

/// The rules of one device.
package struct DeviceRules: Equatable, Sendable {
  package var thresholds = RuleThresholds()
  var supplies: [SupplyThreshold] = []

  package init() {}

  init(thresholds: RuleThresholds, supplies: [SupplyThreshold]) {
    self.thresholds = thresholds
    self.supplies = supplies
  }

  /// Percent at or below which the supply is low, or due.
  package func low(_ supply: Supply) -> Double {
    if let own = supplies.last(where: { $0.matches(supply) }) { return own.low }
    return supply.isMaintenancePart ? thresholds.maintenancePart : thresholds.lowSupply
  }
}
