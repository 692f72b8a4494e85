// Values of one reading under two sets of rules, and where they differ.

package import Events
package import Evidence
package import PrinterModel

/// What has a value: a meter or a supply.
package enum ValueName: Hashable, Comparable, Sendable {
  case meter(MeterName)
  case supply(RowIndex)
}

/// A meter or a supply as one set of rules gives it.
package enum InterpretedValue: Equatable, Sendable {
  case meter(Meter)
  case supply(Supply)

  package var rule: Rule {
    switch self {
    case .meter(let meter): meter.rule
    case .supply(let supply): supply.rule
    }
  }

  /// Whether both say the same of the device, by whatever rule. Names and numbers on a supply's label are not its value.
  func isSameValue(as other: InterpretedValue) -> Bool {
    switch (self, other) {
    case (.meter(var meter), .meter(let other)):
      meter.rule = other.rule
      return meter == other
    case (.supply(let supply), .supply(let other)):
      return supply.level == other.level && supply.capacity == other.capacity && supply.unit == other.unit
        && supply.percentRemaining == other.percentRemaining && supply.quality == other.quality
    default: return false
    }
  }
}

/// A value as it was recorded and as it would be; nil where there is none.
package struct ValueChange: Equatable, Sendable {
  package var before: InterpretedValue?
  package var after: InterpretedValue?

  /// Whether only the rule is another.
  var isSameValue: Bool {
    guard let before, let after else { return false }
    return before.isSameValue(as: after)
  }
}

/// A value of one reading that would be another.
package struct ReinterpretedValue: Equatable, Sendable {
  package var device: DeviceID
  package var address: String?
  package var position: RecordPosition
  /// Milliseconds since 1970 UTC.
  package var observed: Int64
  package var name: ValueName
  package var change: ValueChange
}

extension Reading {
  /// The meters and supplies whose value or rule is another in `other`.
  func valueChanges(to other: Reading) -> [ValueName: ValueChange] {
    var changes: [ValueName: ValueChange] = [:]
    for (name, value) in values { changes[name] = ValueChange(before: value) }
    for (name, value) in other.values {
      let before = changes[name]?.before
      let isSame = before.map { $0.rule == value.rule && $0.isSameValue(as: value) } ?? false
      changes[name] = isSame ? nil : ValueChange(before: before, after: value)
    }
    return changes
  }

  private var values: [(ValueName, InterpretedValue)] {
    meters.map { (.meter($0.name), .meter($0)) } + supplies.map { (.supply($0.row), .supply($0)) }
  }
}
