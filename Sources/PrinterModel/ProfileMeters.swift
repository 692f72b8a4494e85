// The meters that a profile reads, for what a profile file is held against (`ProfileParser`).

/// What meters a profile can make, and in which units.
struct KnownMeters {
  /// By the meters' stable keys.
  var units: [String: Set<CounterUnit>] = [:]
  /// Tables of which each row is such a meter with a qualifier of the device's own.
  var qualified: [MeterName] = []

  mutating func add(_ meter: MeterName, _ unit: CounterUnit) { units[meter.description, default: []].insert(unit) }

  /// Whether a check can name it: the life count and the total are there on devices without a maker's counter, too.
  func has(_ term: String) -> Bool {
    if units[term] != nil || term == "life" || term == MeterName.total.description { return true }
    guard let name = MeterName(term) else { return false }
    return qualified.contains { base in
      name.service == base.service && name.colour == base.colour && name.size == base.size && name.sides == base.sides
        && name.qualifier.hasPrefix(base.qualifier) && name.qualifier != base.qualifier
    }
  }
}

extension Profile {
  /// One of the arrays of a profile file, and which of its elements.
  struct Place: Equatable {
    var list: String
    var index: Int
  }

  var knownMeters: KnownMeters {
    var known = KnownMeters()
    for counter in counters {
      known.add(counter.meter, counter.unit)
      if let otherwise = counter.otherwise { known.add(otherwise, counter.unit) }
    }
    for record in records {
      for code in record.codes { known.add(code.meter, code.unit ?? record.unit) }
    }
    for table in tables {
      switch table.meaning {
      case .qualifier(let base): known.qualified.append(base)
      case .labels(let rows):
        for row in rows {
          let usual = row.unit ?? table.unit
          known.add(row.meter, usual)
          for unit in table.units?.codes.values.filter({ $0 != usual }) ?? [] {
            known.add(row.meter.qualified(by: unit.name), unit)
          }
        }
      }
    }
    return known
  }

  /// The meters that are only reported, and where they stand.
  var reportedMeters: [(MeterName, Place)] {
    var reported: [(MeterName, Place)] = []
    for (index, counter) in counters.enumerated() where counter.confidence == .reported {
      reported.append((counter.meter, Place(list: "counter", index: index)))
    }
    for (index, record) in records.enumerated() where record.confidence == .reported {
      reported += record.codes.map { ($0.meter, Place(list: "record", index: index)) }
    }
    for (index, table) in tables.enumerated() {
      switch table.meaning {
      case .qualifier(let base) where table.confidence == .reported:
        reported.append((base, Place(list: "table", index: index)))
      case .qualifier: break
      case .labels(let rows):
        for row in rows where row.confidence == .reported {
          reported.append((row.meter, Place(list: "table", index: index)))
        }
      }
    }
    return reported
  }
}
