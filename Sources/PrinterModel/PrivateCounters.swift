// Private counters by the profile: single objects, tables joined on the device's own labels, and packed records.

internal import MIB

extension Interpreter {
  /// Every counter that the profile knows and the walk has.
  mutating func privateCounters(_ profile: Profile) -> [PrivateCounter] {
    var found: [PrivateCounter] = []
    for counter in profile.counters { found += scalarCounter(counter, profile) }
    for record in profile.records { found += recordCounters(record, profile) }
    // Several tables can share one column of labels, which is read once.
    var labels: [LabelColumn: [ObjectIdentifier: String]] = [:]
    for table in profile.tables { found += tableCounters(table, profile, &labels) }
    return found
  }

  /// Each meter once. Of two with one meter the first holds, in the order of the profile; if their values differ, that is a finding. Of two
  /// rows of one table that have the same label and not the same value, nobody knows which is right: neither is told.
  mutating func onceEach(_ counters: [PrivateCounter]) -> [PrivateCounter] {
    var kept: [PrivateCounter] = []
    var positions: [String: Int] = [:]
    var contradicted: Set<String> = []
    for counter in counters {
      guard let position = positions[counter.key] else {
        positions[counter.key] = kept.count
        kept.append(counter)
        continue
      }
      let first = kept[position].meter
      if first.value != counter.meter.value, first.rule == counter.meter.rule {
        contradicted.insert(counter.key)
        findings.append(
          Finding(
            counter.meter.source.name,
            "\(first.name) is \(counter.meter.value) here and \(first.value) at \(first.source.name): neither is told"))
      } else if first.value != counter.meter.value {
        findings.append(
          Finding(
            counter.meter.source.name,
            "\(first.name) is \(counter.meter.value) here and \(first.value) at \(first.source.name), which is kept"))
      }
    }
    return contradicted.isEmpty ? kept : kept.filter { !contradicted.contains($0.key) }
  }

  private mutating func scalarCounter(_ counter: ProfileCounter, _ profile: Profile) -> [PrivateCounter] {
    guard let value = walk[counter.name], !value.isException else { return [] }
    guard let number = counter.number(in: value, characterSet) else {
      let message = "expected a counter, which \(value.display) cannot be"
      findings.append(Finding(counter.name, value.isNumeric ? message : "expected a counter"))
      return []
    }
    let meter = Meter(
      name: counter.meter, value: number, unit: counter.unit, source: Source(counter.name, value),
      rule: profile.rule(counter.id), reason: profile.reasonTold(counter.reason))
    return [
      PrivateCounter(
        meter: meter, confidence: counter.confidence, replacesLifeCount: counter.replacesLifeCount,
        otherwise: counter.otherwise)
    ]
  }

  // MARK: Tables

  private struct LabelColumn: Hashable {
    var column: ObjectIdentifier
    var join: CounterTable.Join
  }

  private mutating func tableCounters(
    _ table: CounterTable, _ profile: Profile, _ labelColumns: inout [LabelColumn: [ObjectIdentifier: String]]
  ) -> [PrivateCounter] {
    let values = walk.column(table.values)
    guard !values.isEmpty else { return [] }
    var columns: [[ObjectIdentifier: String]] = []
    for name in table.labelColumns {
      let column = LabelColumn(column: name, join: table.join)
      let labels = labelColumns[column] ?? labelsByIndex(column)
      labelColumns[column] = labels
      columns.append(labels)
    }
    let rule = profile.rule(table.id)
    let known: [String: CounterTable.Row] =
      if case .labels(let rows) = table.meaning {
        Dictionary(rows.map { ($0.label, $0) }, uniquingKeysWith: { first, _ in first })
      } else {
        [:]
      }
    var counters: [PrivateCounter] = []
    var withoutUnit = 0
    for (index, value) in values {
      guard let label = table.label(of: index, columns), let number = value.counted else { continue }
      guard let (base, confidence, usual, replaces) = table.meter(label, known) else { continue }
      var (name, unit) = (base, usual)
      if let units = table.units {
        guard let stated = statedUnit(units, index) else {
          withoutUnit += 1
          continue
        }
        if stated != usual { name = base.qualified(by: stated.name) }
        unit = stated
      }
      let source = Source(table.values.appending(index), value)
      let meter = Meter(
        name: name, value: number, unit: unit, source: source, rule: rule, reason: profile.reasonTold(table.reason))
      counters.append(
        PrivateCounter(meter: meter, confidence: confidence, replacesLifeCount: replaces && name == .total))
    }
    if withoutUnit > 0, let column = table.units?.column {
      let rows = withoutUnit == 1 ? "1 row states" : "\(withoutUnit) rows state"
      findings.append(Finding(column, "\(rows) no unit that is known: what they count is left out"))
    }
    return counters
  }

  /// The unit that the device states for a row; nil where it states none, or one that nobody knows.
  private func statedUnit(_ units: CounterTable.Units, _ index: ObjectIdentifier) -> CounterUnit? {
    walk[units.column.appending(index)]?.number.flatMap { units.codes[String($0)] }
  }

  private func labelsByIndex(_ column: LabelColumn) -> [ObjectIdentifier: String] {
    var labels: [ObjectIdentifier: String] = [:]
    for (index, value) in walk.column(column.column) {
      if let number = value.number {
        labels[column.join.key(index)] = String(number)
      } else if let octets = value.octets, let text = DeviceText(decoding: octets, characterSet: characterSet) {
        labels[column.join.key(index)] = text.text
      }
    }
    return labels
  }

  // MARK: Records

  private mutating func recordCounters(_ record: CounterRecord, _ profile: Profile) -> [PrivateCounter] {
    guard let value = walk[record.name] else { return [] }
    let rule = profile.rule(record.id)
    return packedRecords(record.name).compactMap { entry in
      guard let known = record.codes.first(where: { $0.code == entry.code }), let number = entry.number else {
        return nil
      }
      let meter = Meter(
        name: known.meter, value: number, unit: known.unit ?? record.unit, source: Source(record.name, value),
        rule: rule, reason: profile.reasonTold(record.reason))
      return PrivateCounter(meter: meter, confidence: record.confidence)
    }
  }

  /// The records of an OCTET STRING, each a code, 01, a length and so many octets; FF ends. One that is cut off or of another form is a
  /// finding, and what comes after it is not read.
  mutating func packedRecords(_ name: ObjectIdentifier) -> [PackedRecord] {
    guard let octets = walk[name]?.octets else { return [] }
    var records: [PackedRecord] = []
    var rest = octets[...]
    while let code = rest.first, code != 0xFF {
      let head = Array(rest.prefix(PackedRecord.headBytes))
      guard head.count == PackedRecord.headBytes, head[1] == 0x01, PackedRecord.valueBytes.contains(Int(head[2])) else {
        findings.append(Finding(name, "expected records of a code, 01, a length from 1 to 8, and the value"))
        break
      }
      let value = Array(rest.dropFirst(PackedRecord.headBytes).prefix(Int(head[2])))
      guard value.count == Int(head[2]) else {
        findings.append(Finding(name, "the last record, of code \(code), is cut off"))
        break
      }
      rest = rest.dropFirst(PackedRecord.headBytes + value.count)
      records.append(PackedRecord(code: code, value: value))
    }
    return records
  }
}

/// One record of a packed OCTET STRING.
struct PackedRecord {
  static let headBytes = 3
  static let valueBytes = 1...8

  var code: UInt8
  var value: [UInt8]

  /// A big-endian number of four octets. Values of other lengths are of other kinds: states, or a level and its capacity.
  /// A state, of one to four octets.
  var state: UInt64? { value.count <= 4 ? value.reduce(UInt64(0)) { $0 << 8 | UInt64($1) } : nil }

  var number: UInt64? { value.count == 4 ? value.reduce(UInt64(0)) { $0 << 8 | UInt64($1) } : nil }
}

extension ProfileCounter {
  /// The counter that a value is, in the unit; nil where it is none.
  fileprivate func number(in value: ObjectValue, _ characterSet: CharacterSet?) -> UInt64? {
    guard let number = leadingNumberOf.map({ value.leadingNumber(of: $0, characterSet) }) ?? value.counted else {
      return nil
    }
    let (product, overflow) = number.multipliedReportingOverflow(by: times)
    return overflow ? nil : product
  }
}

extension ObjectValue {
  /// The number in front of a text, where this word follows it.
  fileprivate func leadingNumber(of word: String, _ characterSet: CharacterSet?) -> UInt64? {
    guard let octets, let text = DeviceText(decoding: octets, characterSet: characterSet)?.text else { return nil }
    let words = text.uppercased().split { $0 == " " || $0 == "," }
    return words.count > 1 && words[1] == word ? UInt64(words[0]) : nil
  }
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

extension CounterTable {
  /// A row's label: the texts of its columns, or its index; nil where a column does not name it.
  fileprivate func label(of index: ObjectIdentifier, _ columns: [[ObjectIdentifier: String]]) -> String? {
    guard !columns.isEmpty else {
      let significant = index.count > 1 && index.last == 0 ? index.dropLast() : index
      return significant.map(String.init).joined(separator: ".")
    }
    let texts = columns.compactMap { $0[join.key(index)] }
    guard texts.count == columns.count else { return nil }
    return texts.joined(separator: Self.labelSeparator)
  }

  private static let labelSeparator = ", "

  /// The meter of a row with this label; nil where the label is not known.
  fileprivate func meter(_ label: String, _ known: [String: Row]) -> (
    MeterName, Confidence, CounterUnit, replacesLifeCount: Bool
  )? {
    switch meaning {
    case .labels:
      return known[Self.normalizedLabel(label)].map { ($0.meter, $0.confidence, $0.unit ?? unit, $0.replacesLifeCount) }
    case .qualifier(let base):
      let parts = [base.qualifier, names[label] ?? qualifierPrefix + label].filter { !$0.isEmpty }
      let name = MeterName(
        base.service, base.colour, size: base.size, sides: base.sides, qualifier: parts.joined(separator: ", "))
      return (name, confidence, unit, false)
    }
  }
}
