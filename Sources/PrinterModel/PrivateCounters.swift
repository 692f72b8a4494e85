// Private counters by the profile: single objects, tables joined on the device's own labels, and packed records.

internal import MIB

extension Interpreter {
  /// Every counter that the profile knows and the walk has, each meter once. Of two with one meter the first holds; if their values
  /// differ, that is a finding.
  mutating func privateCounters(_ profile: Profile) -> [PrivateCounter] {
    var found: [PrivateCounter] = []
    for counter in profile.counters { found += scalarCounter(counter, profile) }
    for record in profile.records { found += recordCounters(record, profile) }
    // Several tables can share one column of labels, which is read once.
    var labels: [LabelColumn: [ObjectIdentifier: String]] = [:]
    for table in profile.tables { found += tableCounters(table, profile, &labels) }
    return onceEach(found)
  }

  private mutating func onceEach(_ counters: [PrivateCounter]) -> [PrivateCounter] {
    var kept: [PrivateCounter] = []
    var positions: [String: Int] = [:]
    for counter in counters {
      guard let position = positions[counter.key] else {
        positions[counter.key] = kept.count
        kept.append(counter)
        continue
      }
      let first = kept[position].meter
      if first.value != counter.meter.value {
        findings.append(
          Finding(
            counter.meter.source.name,
            "\(first.name) is \(counter.meter.value) here and \(first.value) at \(first.source.name), which is kept"))
      }
    }
    return kept
  }

  private mutating func scalarCounter(_ counter: ProfileCounter, _ profile: Profile) -> [PrivateCounter] {
    guard let value = walk[counter.name], !value.isException else { return [] }
    guard let number = value.counter else {
      let message = "expected a counter, which \(value.display) cannot be"
      findings.append(Finding(counter.name, value.isNumeric ? message : "expected a counter"))
      return []
    }
    let meter = Meter(
      name: counter.meter, value: number, unit: counter.unit, source: Source(counter.name, value),
      rule: profile.rule(counter.id))
    return [
      PrivateCounter(
        meter: meter, confidence: counter.confidence, replacesLifeCount: counter.replacesLifeCount)
    ]
  }

  // MARK: Tables

  private struct LabelColumn: Hashable {
    var column: ObjectIdentifier
    var join: CounterTable.Join
  }

  private func tableCounters(
    _ table: CounterTable, _ profile: Profile, _ labelColumns: inout [LabelColumn: [ObjectIdentifier: String]]
  ) -> [PrivateCounter] {
    let values = walk.column(table.values)
    guard !values.isEmpty else { return [] }
    let column = LabelColumn(column: table.labels, join: table.join)
    let labels = labelColumns[column] ?? labelsByIndex(table)
    labelColumns[column] = labels
    guard !labels.isEmpty else { return [] }
    let rule = profile.rule(table.id)
    let known: [String: CounterTable.Row] =
      if case .labels(let rows) = table.meaning {
        Dictionary(rows.map { ($0.label, $0) }, uniquingKeysWith: { first, _ in first })
      } else {
        [:]
      }
    var counters: [PrivateCounter] = []
    for (index, value) in values {
      guard let label = labels[table.join.key(index)], let number = value.counter else { continue }
      guard let (name, confidence) = table.meaning.meter(label, known, table.confidence) else { continue }
      let source = Source(table.values.appending(index), value)
      let meter = Meter(name: name, value: number, unit: table.unit, source: source, rule: rule)
      counters.append(PrivateCounter(meter: meter, confidence: confidence))
    }
    return counters
  }

  private func labelsByIndex(_ table: CounterTable) -> [ObjectIdentifier: String] {
    var labels: [ObjectIdentifier: String] = [:]
    for (index, value) in walk.column(table.labels) {
      if let number = value.number {
        labels[table.join.key(index)] = String(number)
      } else if let octets = value.octets, let text = DeviceText(decoding: octets, characterSet: characterSet) {
        labels[table.join.key(index)] = text.text
      }
    }
    return labels
  }

  // MARK: Records

  /// Seven bytes each: code, 01, 04, a big-endian number; FF ends. A record that is cut off is a finding.
  private mutating func recordCounters(_ record: CounterRecord, _ profile: Profile) -> [PrivateCounter] {
    guard let value = walk[record.name], let octets = value.octets else { return [] }
    let rule = profile.rule(record.id)
    var counters: [PrivateCounter] = []
    var rest = octets[...]
    while let code = rest.first, code != 0xFF {
      let fields = Array(rest.prefix(CounterRecord.recordBytes))
      guard fields.count == CounterRecord.recordBytes, fields[1] == 0x01, fields[2] == 0x04 else {
        findings.append(Finding(record.name, "expected records of seven bytes: code, 01, 04, number"))
        break
      }
      rest = rest.dropFirst(CounterRecord.recordBytes)
      guard let known = record.codes.first(where: { $0.code == code }) else { continue }
      let number = fields[3...].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      let meter = Meter(
        name: known.meter, value: number, unit: record.unit, source: Source(record.name, value), rule: rule)
      counters.append(PrivateCounter(meter: meter, confidence: record.confidence))
    }
    return counters
  }
}

extension CounterRecord {
  fileprivate static let recordBytes = 7
}

extension CounterTable.Join {
  /// What label and value must have in common.
  fileprivate func key(_ index: ObjectIdentifier) -> ObjectIdentifier {
    switch self {
    case .index: index
    case .last: index.suffix(1)
    }
  }
}

extension CounterTable.Meaning {
  fileprivate func meter(
    _ label: String, _ known: [String: CounterTable.Row], _ confidence: Confidence
  ) -> (MeterName, Confidence)? {
    switch self {
    case .labels:
      known[CounterTable.normalizedLabel(label)].map { ($0.meter, $0.confidence) }
    case .qualifier(let base):
      (MeterName(base.service, base.colour, size: base.size, sides: base.sides, qualifier: label), confidence)
    }
  }
}
