// Amounts that may be no numbers (RFC 3805): capacities and levels of trays and bins, and a supply's capacity.

/// What the number of a capacity or a level means.
package enum AmountMeaning: String, CaseIterable, Sendable {
  /// So many units.
  case known
  /// -3: at least one unit (of media, or of room in a bin); nobody knows how many.
  case some
  /// -2
  case unknown
  /// -1
  case noRestriction = "no-restriction"
  /// Below -3: the standard has no meaning for it.
  case nonStandardNegative = "non-standard-negative"

  package init(_ amount: Int64) {
    self =
      switch amount {
      case -3: .some
      case -2: .unknown
      case -1: .noRestriction
      case ..<0: .nonStandardNegative
      default: .known
      }
  }

  /// Whether an amount is more than there can be, where both are known.
  static func isAbove(_ amount: Int64?, _ capacity: Int64?) -> Bool {
    guard let amount, let capacity, capacity > 0 else { return false }
    return amount > capacity
  }

  var quality: Quality {
    switch self {
    case .known: .exact
    case .some: .someRemaining
    case .unknown, .noRestriction, .nonStandardNegative: .unknown
    }
  }
}
