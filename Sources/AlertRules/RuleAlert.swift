// Alerts that no device reports: what our own rules find in its readings. They have the group -1, the rule as their code, and the supply's
// row as their index, so that they are raised, updated and cleared as every other alert is.

package import Events
package import PrinterModel

/// The rules, by the code that stands in journals; never reused.
package enum AlertRule: Int64, CaseIterable, Sendable {
  case lowSupply = 1
  case supplyReplaced = 2
  /// PCR: a supply was replaced that was not low.
  case prematureReplacement = 3
  case maintenanceDue = 4
  case volumeThreshold = 5
  case unreachable = 6
  case meterAnomaly = 7

  /// The group of all rules. PrtAlertGroupTC has no negative numbers.
  package static let group: Int64 = -1

  /// How long an alert stands that tells an occurrence and not a state: long enough that nobody who looks once a day misses it.
  package static let noticeFor: Duration = .seconds(24 * 3_600)

  /// Whether it tells something that happened, and not something that lasts.
  package var isNotice: Bool {
    switch self {
    case .supplyReplaced, .prematureReplacement, .volumeThreshold, .meterAnomaly: true
    case .lowSupply, .maintenanceDue, .unreachable: false
    }
  }

  package func key(_ row: RowIndex? = nil) -> AlertKey {
    AlertKey(group: Self.group, groupIndex: row.map(Self.index) ?? 0, code: rawValue)
  }

  /// `hrDeviceIndex.rowIndex` in one number: the row, and above its 32 bits the devices after the first.
  private static func index(_ row: RowIndex) -> Int64 {
    let row = row.components.suffix(2)
    guard row.count == 2, let device = row.first, let last = row.last else { return row.last.map { Int64($0) } ?? 0 }
    return Int64(device == 0 ? 0 : (device - 1) & 0x7fff_ffff) << 32 | Int64(last)
  }

  /// PrtAlertSeverityLevelTC: 3 critical, 4 warning.
  private var severity: Int64 { self == .unreachable ? 3 : 4 }

  /// PrtAlertTrainingLevelTC: 3 untrained, 5 fieldService, 6 management.
  private var training: Int64 {
    switch self {
    case .lowSupply, .supplyReplaced, .unreachable: 3
    case .maintenanceDue, .meterAnomaly: 5
    case .prematureReplacement, .volumeThreshold: 6
    }
  }

  /// The alert as every other one is told.
  package func alert(_ text: String, row: RowIndex? = nil) -> PrinterAlert {
    var alert = PrinterAlert(row: row ?? RowIndex([]))
    alert.severity = severity
    alert.training = training
    alert.group = Self.group
    alert.groupIndex = key(row).groupIndex
    alert.code = rawValue
    alert.description = DeviceText(text)
    return alert
  }
}

/// An alert that holds now, with the numbers that made it hold.
package struct Condition: Equatable, Sendable {
  package var alert: PrinterAlert
  package var evidence: String

  package init(_ alert: PrinterAlert, evidence: String = "") {
    self.alert = alert
    self.evidence = evidence
  }
}

/// What the rules say of one poll.
package struct RuleReport: Equatable, Sendable {
  package var conditions: [AlertKey: Condition] = [:]
  /// Which of them tell what happened at this very poll: each is an alert of its own, also where one like it still stands.
  package var happened: Set<AlertKey> = []
  /// What this poll could not decide: as it was before.
  package var undecided: Set<AlertKey> = []

  package init() {}

  /// Whatever stands of supplies that a reading does not have stays as it is: the device may only not tell them now.
  package mutating func leaveUndecided(_ standing: some Sequence<AlertKey>, ofSuppliesOtherThan supplies: [Supply]) {
    let rules: [AlertRule] = [.lowSupply, .maintenanceDue]
    let told = Set(supplies.flatMap { supply in rules.map { $0.key(supply.row) } })
    let codes = Set(rules.map(\.rawValue))
    undecided.formUnion(standing.filter { codes.contains($0.code) && !told.contains($0) })
  }

  mutating func add(_ rule: AlertRule, _ text: String, row: RowIndex? = nil, evidence: String) {
    let key = rule.key(row)
    conditions[key] = Condition(rule.alert(text, row: row), evidence: evidence)
    if rule.isNotice { happened.insert(key) }
  }
}

/// An alert that stands, as far as rules look at it.
package struct Standing: Equatable, Sendable {
  package var condition: Condition
  /// Milliseconds since 1970 UTC.
  package var raised: Int64

  package init(_ condition: Condition, raised: Int64) {
    self.condition = condition
    self.raised = raised
  }
}
