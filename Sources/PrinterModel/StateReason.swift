// `printer-state-reasons` (RFC 8011, section 5.4.12): a keyword with its severity as a suffix, `media-jam-error`. PWG 5100.9 names the alert of
// the Printer MIB that each stands for.

internal import MIB

/// One reason of a printer's state.
struct StateReason {
  enum Severity {
    case report, warning, error
    /// The keyword has no suffix, and nothing says how grave it is.
    case unstated
  }

  /// An alert code with its group, and the bit of hrPrinterDetectedErrorState for the same thing, if there is one.
  struct Condition {
    let code: Int64
    let group: Int64
    let bit: Int?

    init(_ code: Int64, _ group: Int64, _ bit: Int? = nil) {
      self.code = code
      self.group = group
      self.bit = bit
    }
  }

  let binding: VarBind
  /// Without its suffix.
  let keyword: String
  let severity: Severity

  /// Nil for `none` and for what is no text.
  init?(_ binding: VarBind) {
    guard let octets = binding.value.octets else { return nil }
    let text = String(decoding: octets, as: UTF8.self).trimmed
    guard !text.isEmpty, text != "none" else { return nil }
    self.binding = binding
    for (suffix, severity) in [("-report", Severity.report), ("-warning", .warning), ("-error", .error)]
    where text.hasSuffix(suffix) {
      keyword = String(text.dropLast(suffix.count))
      self.severity = severity
      return
    }
    keyword = text
    severity = .unstated
  }

  /// Whether it tells that something is wrong, and not what somebody told the printer to do.
  var isCondition: Bool { !Self.commands.contains(keyword) }

  /// What the Printer MIB has for it; `other` of the whole printer where it has nothing.
  var condition: Condition {
    if let condition = Self.conditions[keyword] { return condition }
    if let code = EnumerationNames.finisherAlertCode(named: keyword) { return Condition(code, Self.finisherGroup) }
    let code = EnumerationNames.alertCode(named: keyword) ?? EnumerationNames.alertCode(named: "subunit-" + keyword)
    guard let code else { return Condition(1, 5) }
    return Condition(code, Self.group(of: code))
  }

  /// Whether a row of printer-alert tells the same: its code, a finer one of it (`toner`, where the keyword says `marker-supply`) or the general one of its
  /// subunit. Codes that every subunit has tell nothing without the subunit's group.
  func isTold(by rows: [(code: Int64, group: Int64?)]) -> Bool {
    rows.contains { row in
      if row.code == condition.code, row.code > Self.generalCodes.upperBound || keyword == "media-jam" { return true }
      if Self.finer[keyword]?.contains(row.code) ?? false { return true }
      guard row.code == condition.code || Self.general[keyword] == row.code else { return false }
      guard let group = row.group, group > 2 else { return true }
      return group == condition.group || Self.supplyGroups.isSuperset(of: [group, condition.group])
    }
  }

  /// Codes that every subunit has (PrtAlertCodeTC).
  private static let generalCodes: ClosedRange<Int64> = 1...38
  /// marker and markerSupplies
  private static let supplyGroups: Set<Int64> = [10, 11]

  /// Codes that say more exactly what the keyword says.
  private static let finer: [String: Set<Int64>] = [
    "marker-supply-low": [1104, 1105, 1106, 1113], "marker-supply-empty": [1101, 1102, 1103, 1114],
    "marker-waste-almost-full": [1107, 1108], "marker-waste-full": [1109, 1110],
    "marker-supply-missing": [1115], "cover-open": [501], "door-open": [3], "interlock-open": [5],
    "media-needed": [808, 810], "media-empty": [809],
  ]

  /// The code of every subunit that says less exactly what the keyword says.
  private static let general: [String: Int64] = [
    "toner-low": 12, "toner-empty": 13, "media-low": 12, "media-empty": 13, "input-tray-missing": 9,
    "output-tray-missing": 9, "output-area-almost-full": 14, "output-area-full": 15, "opc-near-eol": 10,
    "opc-life-over": 11, "developer-low": 12, "developer-empty": 13, "fuser-over-temp": 36, "fuser-under-temp": 35,
  ]

  /// What stands for prtAlertGroupIndex where only the keyword tells one alert from the next: two keywords without a code of their own are two
  /// alerts. Nil where the code tells it. FNV-1a of the keyword in 31 bits, so that it stays the same from poll to poll and release to release.
  var groupIndex: Int64? {
    guard condition.code == 1 else { return nil }
    let hash = keyword.utf8.reduce(UInt32(0x811C_9DC5)) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
    return Int64(hash >> 1)
  }

  /// prtAlertSeverityLevel; nil where nothing states it.
  var alertSeverity: Int64? {
    switch severity {
    case .report: 1
    case .warning: 4
    case .error: 3
    case .unstated: nil
    }
  }

  /// States that an operator or a job brings about.
  private static let commands: Set<String> = [
    "paused", "moving-to-paused", "stopping", "stopped-partly", "connecting-to-device", "shutdown", "hibernate",
    "suspend", "identify-printer-requested", "deactivated", "testing", "deleting", "resuming",
    "cups-waiting-for-job-completed",
  ]

  /// finDevice (PrtAlertGroupTC)
  private static let finisherGroup: Int64 = 30

  /// IANA-PRINTER-MIB's hundreds of codes belong to groups.
  private static func group(of code: Int64) -> Int64 {
    switch code {
    case 801...899: 8
    case 901...999: 9
    case 1001...1099: 10
    case 1101...1199: 11
    case 1301...1399: 13
    case 1501...1599: 15
    default: 5
    }
  }

  /// The keywords of RFC 8011 and of PWG 5100.9.
  private static let conditions: [String: Condition] = [
    "media-jam": Condition(8, 13, 5), "media-empty": Condition(808, 8, 1), "media-needed": Condition(809, 8, 1),
    "media-low": Condition(807, 8, 0), "cover-open": Condition(3, 6, 4), "door-open": Condition(501, 6, 4),
    "interlock-open": Condition(5, 6, 4), "toner-low": Condition(1104, 11, 2), "toner-empty": Condition(1101, 11, 3),
    "marker-supply-low": Condition(12, 11, 2), "marker-supply-empty": Condition(13, 11, 3),
    "marker-supply-missing": Condition(9, 11, 10), "marker-waste-almost-full": Condition(14, 11),
    "marker-waste-full": Condition(15, 11), "input-tray-missing": Condition(801, 8, 8),
    "output-tray-missing": Condition(901, 9, 9), "output-area-almost-full": Condition(902, 9, 11),
    "output-area-full": Condition(903, 9, 12), "fuser-over-temp": Condition(1002, 10),
    "fuser-under-temp": Condition(1001, 10), "opc-near-eol": Condition(1111, 10), "opc-life-over": Condition(1112, 10),
    "developer-low": Condition(1113, 11), "developer-empty": Condition(1114, 11),
    "interpreter-resource-unavailable": Condition(1507, 15), "cleaner-life-almost-over": Condition(10, 10),
    "cleaner-life-over": Condition(11, 10), "interlock-closed": Condition(6, 6), "cover-closed": Condition(4, 6),
    "door-closed": Condition(502, 6),
  ]
}
