// Alerts over time: which were raised, changed and cleared between two polls.
//
// Rules
//   * The identity of a table row is (group, group index, code). Rows that tell no group get `other` (1), rows without a code `unknown`
//     (2), rows without an index -1, which is what the MIB says for "none". A row that says nothing at all is passed over. Of several rows
//     with one identity the most severe stands for all, so that their order in the table changes nothing.
//   * A bit of hrPrinterDetectedErrorState is an alert of group 0 with the bit as its code, unless a row of prtAlertTable tells the same
//     condition (`covering`): a jam is one alert, not two. When such a row comes later, the bit's alert is cleared and the row's raised.
//   * Sleep, power save, warming up, ready and "door closed again" are states of a healthy printer: not raised.
//   * What was not read clears nothing: rows are cleared only if the whole table was read, bits only if the object was read.
//   * What our own rules find (group -1, `AlertRules`) is told in the same way, and damped in the same way, as what devices report.
//   * What happens again while its alert stands ends that one and raises another: each has its own time and its own day, and can be counted.
//   * What a session with a device's own pages raised (group -2, `RemoteAlert`) no poll clears.
//   * What comes and goes is damped (`FlapDamping`).
//
// The state reasons of IPP are rows like those of the table (`AttributeAlerts`), with the group and code that the Printer MIB has for them, so that
// everything here holds for them. Of those that it has no code for the index is the keyword's (`StateReason.groupIndex`): each is an alert of its own.

package import AlertRules
package import Events
package import PrinterModel

/// What one poll told about alerts.
package struct AlertReport: Equatable, Sendable {
  /// Rows of prtAlertTable; nil if the table was not read to its end.
  package var rows: [PrinterAlert]?
  /// Rows that were read before the device fell silent: they may raise, and never clear.
  package var partialRows: [PrinterAlert] = []
  /// hrPrinterDetectedErrorState; nil if it was not read.
  package var detectedErrors: [UInt8]?

  package init(rows: [PrinterAlert]?, partialRows: [PrinterAlert] = [], detectedErrors: [UInt8]?) {
    self.rows = rows
    self.partialRows = partialRows
    self.detectedErrors = detectedErrors
  }
}

/// Compares reports with the active alerts.
package enum AlertTracker {
  /// The group of hrPrinterDetectedErrorState's bits.
  package static let errorStateGroup: Int64 = 0

  /// Moves `known` to what a device reported; returns the events in a stable order: cleared, updated, raised.
  package static func update(_ known: inout KnownDevice, with report: AlertReport, time: Int64) -> [EventBody] {
    let rows = keyed(report.rows ?? report.partialRows)
    var present = rows.mapValues { Condition($0) }
    for bit in bits(report.detectedErrors ?? []) where !isCovered(bit, by: rows.values) {
      present[AlertKey(group: errorStateGroup, groupIndex: 0, code: bit)] = Condition(alert(ofBit: bit))
    }
    return update(&known, present, time) { key in
      switch key.group {
      case AlertRule.group, RemoteAlert.group: false
      case errorStateGroup: report.detectedErrors != nil
      default: report.rows != nil
      }
    }
  }

  /// Moves `known` to what our rules say.
  package static func update(_ known: inout KnownDevice, with report: RuleReport, time: Int64) -> [EventBody] {
    let before = known.alerts.filter { report.happened.contains($0.key) }.sorted { $0.key < $1.key }
    let ended = before.map { clear($0.key, $0.value, in: &known, time) }
    return ended
      + update(&known, report.conditions, time) { key in
        key.group == AlertRule.group && !report.undecided.contains(key)
      }
  }

  /// The end of all alerts of a device that is asked no more.
  package static func end(_ known: inout KnownDevice, time: Int64) -> [EventBody] {
    let active = known.alerts.sorted { $0.key < $1.key }
    return active.map { clear($0.key, $0.value, in: &known, time) }
  }

  private static func update(
    _ known: inout KnownDevice, _ present: [AlertKey: Condition], _ time: Int64, isDecided: (AlertKey) -> Bool
  ) -> [EventBody] {
    var events: [EventBody] = []
    for (key, raised) in known.alerts.sorted(by: { $0.key < $1.key }) where present[key] == nil && isDecided(key) {
      guard isAwayLongEnough(raised, time) else {
        if known.alerts[key]?.awaySince == nil { known.alerts[key]?.awaySince = time }
        continue
      }
      events.append(clear(key, raised, in: &known, time))
    }
    let ordered = present.sorted { $0.key < $1.key }
    for (key, condition) in ordered {
      guard let active = known.alerts[key] else { continue }
      known.alerts[key]?.awaySince = nil
      guard !saysTheSame(active.alert, condition.alert) else { continue }
      known.alerts[key]?.alert = condition.alert
      known.alerts[key]?.evidence = condition.evidence
      events.append(
        .alertUpdated(
          AlertUpdated(key: key, alert: condition.alert, evidence: condition.evidence, penalty: active.penalty)))
    }
    for (key, condition) in ordered where known.alerts[key] == nil {
      events.append(raise(key, condition, in: &known, time))
    }
    return events
  }

  private static func isAwayLongEnough(_ alert: ActiveAlert, _ time: Int64) -> Bool {
    guard FlapDamping.isDamped(alert.penalty) else { return true }
    guard let since = alert.awaySince else { return false }
    return .milliseconds(time - since) >= FlapDamping.quiet
  }

  private static func clear(
    _ key: AlertKey, _ alert: ActiveAlert, in known: inout KnownDevice, _ time: Int64
  ) -> EventBody {
    let penalty = FlapDamping.decayed(alert.penalty, over: .milliseconds(time - alert.raised))
    known.alerts[key] = nil
    if penalty > 0 { known.flaps[key] = Flap(penalty: penalty, time: time) }
    return .alertCleared(
      AlertCleared(key: key, milliseconds: UInt64(clamping: time - alert.raised), penalty: penalty))
  }

  private static func raise(
    _ key: AlertKey, _ condition: Condition, in known: inout KnownDevice, _ time: Int64
  ) -> EventBody {
    let flap = known.flaps.removeValue(forKey: key)
    let penalty = FlapDamping.raised(
      after: flap?.penalty ?? 0, over: .milliseconds(max(time - (flap?.time ?? time), 0)))
    known.alerts[key] = ActiveAlert(
      alert: condition.alert, raised: time, evidence: condition.evidence, penalty: penalty)
    return .alertRaised(
      AlertRaised(key: key, alert: condition.alert, evidence: condition.evidence, penalty: penalty))
  }

  /// The alerts among the rows, by identity.
  private static func keyed(_ rows: [PrinterAlert]) -> [AlertKey: PrinterAlert] {
    var result: [AlertKey: PrinterAlert] = [:]
    for row in rows where !PseudoAlert.isState(row) && !isEmpty(row) {
      let key = AlertKey(group: row.group ?? 1, groupIndex: row.groupIndex ?? -1, code: row.code ?? 2)
      guard let other = result[key] else {
        result[key] = row
        continue
      }
      if rank(row) < rank(other) { result[key] = row }
    }
    return result
  }

  private static func isEmpty(_ row: PrinterAlert) -> Bool {
    row.group == nil && row.code == nil && (row.description?.text ?? "").isEmpty
  }

  /// Critical before warning before the rest; then by text, so that the choice does not depend on the order of rows.
  private static func rank(_ row: PrinterAlert) -> (Int64, String) {
    let severity: Int64 =
      switch row.severity {
      case 3: 0
      case 4: 1
      case 5: 2
      default: 3
      }
    return (severity, row.description?.text ?? "")
  }

  /// The row's place in the table and prtAlertTime may differ; what it tells may not.
  private static func saysTheSame(_ left: PrinterAlert, _ right: PrinterAlert) -> Bool {
    left.severity == right.severity && left.training == right.training && left.description == right.description
      && left.location == right.location
  }

  // MARK: hrPrinterDetectedErrorState

  /// The numbers of the set bits; bit 0 is the most significant of the first byte (RFC 2790).
  private static func bits(_ octets: [UInt8]) -> [Int64] {
    octets.prefix(errorStateOctetsMax).enumerated().flatMap { index, octet in
      (0..<8).filter { octet & (0x80 >> $0) != 0 }.map { Int64(index * 8 + $0) }
    }
  }

  /// RFC 2790 defines 15 bits in two octets; vendors' further bits have no meaning that could be an alert.
  private static let errorStateOctetsMax = 2

  private static func alert(ofBit bit: Int64) -> PrinterAlert {
    var alert = PrinterAlert(row: RowIndex([0, UInt32(bit)]))
    alert.group = errorStateGroup
    alert.groupIndex = 0
    alert.code = bit
    let octets: [UInt8] = bit < 8 ? [0x80 >> UInt8(bit)] : [0, 0x80 >> UInt8(bit - 8)]
    alert.description = DeviceText(EnumerationNames.detectedErrors(octets).first ?? "bit\(bit)")
    return alert
  }

  /// Which rows tell what a bit tells: groups and codes (IANA-PRINTER-MIB), any of each.
  private struct Covering {
    var groups: Set<Int64>
    var codes: Set<Int64>
  }

  private static let input: Int64 = 8
  private static let output: Int64 = 9
  private static let marker: Int64 = 10
  private static let supplies: Int64 = 11

  private static let covering: [Int64: Covering] = [
    0: Covering(groups: [input], codes: [12, 16, 807]),  // lowPaper
    1: Covering(groups: [input], codes: [13, 17, 808, 809, 810]),  // noPaper
    2: Covering(groups: [marker, supplies], codes: [10, 12, 1104, 1105, 1106]),  // lowToner
    3: Covering(groups: [marker, supplies], codes: [11, 13, 1101, 1102, 1103]),  // noToner
    4: Covering(groups: [], codes: [3, 5, 18, 501]),  // doorOpen
    5: Covering(groups: [], codes: [8]),  // jammed
    8: Covering(groups: [input], codes: [9, 801]),  // inputTrayMissing
    9: Covering(groups: [output], codes: [9, 901]),  // outputTrayMissing
    10: Covering(groups: [marker, supplies], codes: [9, 1115]),  // markerSupplyMissing
    11: Covering(groups: [output], codes: [14, 902]),  // outputNearFull
    12: Covering(groups: [output], codes: [15, 903]),  // outputFull
    13: Covering(groups: [input], codes: [13, 17, 808, 809, 810]),  // inputTrayEmpty
    14: Covering(groups: [], codes: [10, 11, 1111, 1112]),  // overduePreventMaint
  ]

  private static func isCovered(_ bit: Int64, by rows: some Collection<PrinterAlert>) -> Bool {
    switch bit {
    case 6:  // offline: a critical alert is why
      return rows.contains { $0.severity == 3 }
    case 7:  // serviceRequested: an alert for field service tells it better
      return rows.contains { $0.training == 5 }
    default:
      guard let covering = covering[bit] else { return false }
      return rows.contains { row in
        covering.codes.contains(row.code ?? 2) && (covering.groups.isEmpty || covering.groups.contains(row.group ?? 1))
      }
    }
  }
}
