// Imaging system counters (PWG 5106.3), which need no profile: the MIB names what each counter counts.
//
//     icKeyTable        key -> service (print, copy, …)                 what is a subunit's key, or of no known service, is left out
//     the others        key.workType.persistence -> counters            only lifetime counters: the others start again
//
// A meter is service x colour x sides; what the vocabulary has no word for is its qualifier: `print#waste`, `print#blank`, `print#sheets`.
// Where impressions of all kinds and of each kind are told, their sum is checked.

internal import MIB

/// One column of an imaging counter table.
private struct ImagingColumn: Sendable {
  let number: UInt32
  let object: String
  var colour = MeterName.Colour.all
  var qualifier = ""

  /// The columns that icImpressionTable, icTwoSidedTable and icSheetTable have in common.
  static func kinds(_ prefix: String, _ suffix: String) -> [ImagingColumn] {
    [
      ImagingColumn(number: 4, object: "\(prefix)Total\(suffix)"),
      ImagingColumn(number: 5, object: "\(prefix)Monochrome\(suffix)", colour: .monochrome),
      ImagingColumn(number: 6, object: "\(prefix)Blank\(suffix)", qualifier: "blank"),
      ImagingColumn(number: 7, object: "\(prefix)FullColor\(suffix)", colour: .fullColor),
      ImagingColumn(number: 8, object: "\(prefix)HighlightColor\(suffix)", colour: .highlightColor),
    ]
  }
}

private struct ImagingTable: Sendable {
  let entry: ObjectIdentifier
  let unit: CounterUnit
  var sides = MeterName.Sides.any
  var qualifier = ""
  let columns: [ImagingColumn]

  static let all = [
    ImagingTable(
      entry: ImagingCounterMIB.impression, unit: .impressions, columns: ImagingColumn.kinds("icImpression", "Imps")),
    ImagingTable(
      entry: ImagingCounterMIB.twoSided, unit: .impressions, sides: .twoSided,
      columns: ImagingColumn.kinds("icTwoSided", "Imps")),
    ImagingTable(
      entry: ImagingCounterMIB.sheet, unit: .sheets, qualifier: "sheets",
      columns: ImagingColumn.kinds("icSheet", "Sheets")),
    ImagingTable(
      entry: ImagingCounterMIB.image, unit: .images, qualifier: "images",
      columns: [
        ImagingColumn(number: 4, object: "icImageTotalImages"),
        ImagingColumn(number: 5, object: "icImageMonochromeImages", colour: .monochrome),
        ImagingColumn(number: 6, object: "icImageFullColorImages", colour: .fullColor),
      ]),
    ImagingTable(
      entry: ImagingCounterMIB.monitor, unit: .items, qualifier: "jobs",
      columns: [
        ImagingColumn(number: 6, object: "icMonitorAbortedJobs", qualifier: "aborted"),
        ImagingColumn(number: 7, object: "icMonitorCanceledJobs", qualifier: "canceled"),
        ImagingColumn(number: 8, object: "icMonitorCompletedJobs", qualifier: "completed"),
      ]),
  ]
}

extension PollTargets {
  /// The key table, which every full poll asks for: a device without these counters answers with one object.
  package static let imagingKeys = TableTarget(
    ImagingCounterMIB.Key.entry,
    [ImagingCounterMIB.Key.serviceType, ImagingCounterMIB.Key.serviceIndex, ImagingCounterMIB.Key.subunitType],
    usualRows: 0)

  /// The counter tables, for a device that has keys.
  package static let imagingTables = ImagingTable.all.map { TableTarget($0.entry, $0.columns.map(\.number)) }
}

extension Interpreter {
  /// The lifetime counters of services.
  /// - Parameter checks: gets a check for each service whose kinds of impressions are told.
  mutating func imagingCounters(_ checks: inout [ArithmeticCheck]) -> [PrivateCounter] {
    let services = imagingServices()
    guard !services.isEmpty else { return [] }
    var counters: [PrivateCounter] = []
    for table in ImagingTable.all {
      for row in rows(table.entry) {
        let index = Array(row.index)
        guard index.count == 3, index[2] == Self.lifetime, let service = services[index[0]],
          let meter = service.meter(table, workType: index[1])
        else { continue }
        let found = imagingCounters(table, row, meter)
        if let check = ArithmeticCheck(impressions: found.map(\.meter), of: meter) { checks.append(check) }
        counters += found
      }
    }
    return counters
  }

  /// IcPersistenceTC lifetime
  private static let lifetime: UInt32 = 3

  private mutating func imagingCounters(
    _ table: ImagingTable, _ row: TableRow, _ base: MeterName
  ) -> [PrivateCounter] {
    table.columns.compactMap { column in
      guard let binding = row.binding(column.number), !binding.value.isException,
        let value = number(binding, as: .unsigned32).flatMap(UInt64.init(exactly:))
      else { return nil }
      let qualifier = [base.qualifier, column.qualifier].filter { !$0.isEmpty }.joined(separator: ", ")
      let name = MeterName(base.service, column.colour, sides: base.sides, qualifier: qualifier)
      let meter = Meter(
        name: name, value: value, unit: table.unit, source: Source(binding), rule: .object("pwg5106.3", column.object))
      return PrivateCounter(meter: meter, confidence: .standard)
    }
  }

  /// Services by key.
  private mutating func imagingServices() -> [UInt32: ImagingService] {
    var services: [UInt32: ImagingService] = [:]
    for row in rows(ImagingCounterMIB.Key.entry) {
      let subunit = row.number(ImagingCounterMIB.Key.subunitType) ?? 0
      guard row.index.count == 1, let key = row.index.first, ImagingService.noSubunit.contains(subunit),
        let type = number(row.binding(ImagingCounterMIB.Key.serviceType)), let service = ImagingService(type: type)
      else { continue }
      let index = row.number(ImagingCounterMIB.Key.serviceIndex) ?? 0
      services[key] = index > 1 ? service.numbered(index) : service
    }
    return services
  }
}

/// A service of IcServiceTypeTC in the words of meters.
private struct ImagingService {
  /// IcSubunitTypeTC unknown, or nothing.
  static let noSubunit: Set<Int64> = [0, 2]

  var service: MeterName.Service
  var qualifiers: [String] = []

  init?(type: Int64) {
    switch type {
    case 3: service = .total
    case 4: service = .copy
    case 5: (service, qualifiers) = (.other, ["e-mail in"])
    case 6: (service, qualifiers) = (.other, ["e-mail out"])
    case 7: service = .faxIn
    case 8: service = .faxOut
    case 9: (service, qualifiers) = (.faxIn, ["network"])
    case 10: (service, qualifiers) = (.faxOut, ["network"])
    case 11: service = .print
    case 12: service = .scan
    case 13: (service, qualifiers) = (.other, ["transform"])
    default: return nil
    }
  }

  func numbered(_ index: Int64) -> ImagingService {
    var service = self
    service.qualifiers.append("service \(index)")
    return service
  }

  /// The meter of all kinds of a table's counters; nil for a work type without a meaning.
  func meter(_ table: ImagingTable, workType: UInt32) -> MeterName? {
    let work: [String]
    switch workType {
    case 3: work = []
    case 4: work = ["datastream"]
    case 5: work = ["auxiliary"]
    case 6: work = ["waste"]
    case 7: work = ["maintenance"]
    default: return nil
    }
    let qualifier = (qualifiers + work + [table.qualifier]).filter { !$0.isEmpty }.joined(separator: ", ")
    return MeterName(service, sides: table.sides, qualifier: qualifier)
  }
}

extension ArithmeticCheck {
  static let impressionKindsSuffix = " = monochrome + blank + full colour + highlight colour (PWG 5106.3)"

  /// Whether the kinds of impressions (or sheets) add up; nil where not all of them are told.
  fileprivate init?(impressions meters: [Meter], of base: MeterName) {
    guard meters.count == 5, let total = meters.first, let expected = Int64(exactly: total.value) else { return nil }
    // Five values of 32 bits cannot overflow.
    let sum = meters.dropFirst().reduce(Int64(0)) { $0 &+ Int64(clamping: $1.value) }
    self.init(name: "\(base)\(Self.impressionKindsSuffix)", expected: expected, actual: sum)
  }
}
