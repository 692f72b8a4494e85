// Where the values of a reading came from: for each its object, what that held, its unit, the rule and the quality.
//
// A reading that is stored keeps sources for meters alone, because they are billed by; with its raw objects beside it (`ReadingTaken.raw`)
// the others follow from the walk at any time (docs/decisions/0006-sources-follow-from-the-walk.md).

package import MIB

/// The source of one value.
package struct ValueSource: Equatable, Sendable {
  /// The value's name in its group, as in JSON: `serial`, `levelRaw`.
  package var value: String
  /// The object, and what it held.
  package var source: Source
  /// The unit that the device stated, where the value has one.
  package var unit: String?
  package var rule: Rule
  package var quality: Quality

  package init(_ value: String, _ source: Source, unit: String? = nil, rule: Rule, quality: Quality = .exact) {
    self.value = value
    self.source = source
    self.unit = unit
    self.rule = rule
    self.quality = quality
  }
}

/// The sources of everything in a reading but its meters, which carry their own.
package struct ReadingSources: Equatable, Sendable {
  package var identity: [ValueSource] = []
  package var status: [ValueSource] = []
  package var detectors: [ValueSource] = []
  package var supplies: [RowIndex: [ValueSource]] = [:]
  package var inputs: [RowIndex: [ValueSource]] = [:]
  package var outputs: [RowIndex: [ValueSource]] = [:]
  package var covers: [RowIndex: [ValueSource]] = [:]
  package var markers: [RowIndex: [ValueSource]] = [:]
  package var alerts: [RowIndex: [ValueSource]] = [:]

  package init() {}
}

extension Interpretation {
  /// The sources of what `read` makes of the same walk with the same profiles.
  package static func sources(_ walk: Walk, profiles: ProfileSet = .shipped) -> ReadingSources {
    var interpreter = Interpreter(walk: walk, profiles: profiles)
    let sources = interpreter.readingSources()
    return interpreter.attributes?.named(sources) ?? sources
  }
}

extension Interpreter {
  fileprivate mutating func readingSources() -> ReadingSources {
    _ = identity()
    _ = status()
    var sources = ReadingSources()
    sources.identity = identitySources
    sources.status = statusSources
    sources.detectors = detectorSources()
    for supply in supplies() { sources.supplies[supply.row] = self.sources(of: supply) }
    for tray in inputs() {
      let values = ReportedTable.input.sources(in: walk, tray.row, unit: tray.capacityUnit)
      sources.inputs[tray.row] = tray.isOverCapacity ? values.withUnknown("levelRaw") : values
    }
    for bin in outputs() {
      let unit = ReportedTable.output.number(PrinterMIB.Output.capacityUnit, in: walk, bin.row)
      let values = ReportedTable.output.sources(in: walk, bin.row, unit: unit.map(CounterUnit.init))
      sources.outputs[bin.row] = bin.isOverCapacity ? values.withUnknown("remainingRaw") : values
    }
    for cover in covers() { sources.covers[cover.row] = ReportedTable.cover.sources(in: walk, cover.row) }
    for marker in markers() { sources.markers[marker.row] = ReportedTable.marker.sources(in: walk, marker.row) }
    for alert in alerts() { sources.alerts[alert.row] = ReportedTable.alert.sources(in: walk, alert.row) }
    return sources
  }

  private func detectorSources() -> [ValueSource] {
    let uptime = scalar(MIB2.sysUpTime).map {
      ValueSource(
        "uptimeTicks", Source($0), unit: ReportedTable.ticks, rule: .object("rfc3418", "sysUpTime"),
        quality: ReportedTable.Kind.ticks.quality(of: $0.value))
    }
    let general = generalRow.map { ReportedTable.detectors.sources(in: walk, RowIndex($0.index)) } ?? []
    return general + (uptime.map { [$0] } ?? [])
  }

  /// A supply's columns, with the level's quality and rule, and what was found in its description, colorant and the maker's own table.
  private mutating func sources(of supply: Supply) -> [ValueSource] {
    let own = supply.description.flatMap { suppliesByDescription()[CounterTable.normalizedLabel($0.text)] ?? nil }
    var sources = columns(of: supply)
    let isCompleted = supply.row.name.count == 2 && supply.rule == profile?.rule("supply-record")
    if isCompleted, let percent = percentSource(of: supply) { sources.append(percent) }
    if !isCompleted, let level = sources.firstIndex(where: { $0.value == "levelRaw" }) {
      sources[level].rule = supply.rule
      sources[level].quality = supply.quality
    }
    let description = sources.first { $0.value == "description" }?.source
    for (name, value, own) in [
      ("partNumber", supply.partNumber, own?.part), ("serialNumber", supply.serialNumber, own?.serial),
    ] where value != nil {
      if let own {
        sources.append(ValueSource(name, own.source, rule: own.rule))
      } else if let description {
        sources.append(ValueSource(name, description, rule: .supplyLabel))
      }
    }
    if supply.pagesRemaining != nil, let pages = pagesSource(of: supply) { sources.append(pages) }
    if supply.colorant != nil, let device = supply.row.name.first,
      let index = supply.colorantIndex.flatMap(UInt32.init(exactly:))
    {
      sources += ReportedTable.colorant.sources(in: walk, RowIndex([device, index]))
    }
    if supply.colour != nil, let origin = sources.first(where: { $0.value == "colorant" })?.source ?? description {
      sources.append(ValueSource("colour", origin, rule: .supplyColour))
    }
    return sources
  }

  /// The maker's record that tells in percent what the standard's row does not.
  private func percentSource(of supply: Supply) -> ValueSource? {
    for record in profile?.supplyRecords ?? [] {
      guard case .stepsPerPercent = record.scale, record.quality == supply.quality, let raw = walk[record.name] else {
        continue
      }
      return ValueSource(
        "percentRemaining", Source(record.name, raw), unit: CounterUnit.percent.name, rule: supply.rule,
        quality: supply.quality)
    }
    return nil
  }

  /// The maker's record that tells a part's pages.
  private func pagesSource(of supply: Supply) -> ValueSource? {
    let record = profile?.supplyRecords.first { record in
      record.scale == .unit(.impressions) && walk[record.name] != nil
    }
    guard let record, let raw = walk[record.name] else { return nil }
    return ValueSource(
      "pagesRemaining", Source(record.name, raw), unit: CounterUnit.impressions.name, rule: supply.rule)
  }

  private func columns(of supply: Supply) -> [ValueSource] {
    if supply.row.name.count == 3, supply.rule == profile?.rule("supply-record"), let last = supply.row.name.last,
      let record = profile?.supplyRecords.first(where: { record in
        record.codes.contains { record.row($0) == last && $0.description == supply.description?.text }
      }),
      let raw = walk[record.name]
    {
      let source = Source(record.name, raw)
      let values = ["class", "type", "description", "unit", "capacityRaw", "levelRaw", "colorant"]
      return values.filter { $0 != "colorant" || supply.colorant != nil }.map {
        let quality: Quality = $0 == "levelRaw" ? supply.quality : .exact
        return ValueSource($0, source, unit: supply.unit?.name, rule: supply.rule, quality: quality)
      }
    }
    guard supply.rule == .finisherSupplyLevel else {
      return ReportedTable.supplies.sources(in: walk, supply.row, unit: supply.unit)
    }
    let row = RowIndex(supply.row.name.components.prefix(1) + supply.row.name.components.dropFirst(2))
    return ReportedTable.finisherSupplies.sources(in: walk, row, unit: supply.unit)
  }
}

extension [ValueSource] {
  /// The same with this value unknown.
  fileprivate func withUnknown(_ value: String) -> [ValueSource] {
    map { source in
      var source = source
      if source.value == value { source.quality = .unknown }
      return source
    }
  }
}

extension Source {
  init(_ binding: VarBind) { self.init(binding.name, binding.value) }
}

extension Rule {
  /// A value that is taken as the standard's object defines it: `rfc3805/prtInputName@1`.
  static func object(_ standard: String, _ name: String) -> Rule { Rule("\(standard)/\(name)@1") }
}
