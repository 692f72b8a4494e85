// Quantities as people write them: `30m`, `1h30m`, `250ms`; `1GiB`, `512 MiB`, `100MB`.
//
// A number without a unit is refused: nobody should have to remember whether it meant seconds or minutes.

extension Duration {
  private static let units: [(suffix: String, milliseconds: Int64)] = [
    ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
  ]

  /// Reads one or more numbers with units, largest first by convention: `90s`, `1h30m`, `7d`. Spaces do not matter.
  /// Nil for anything else, and for what does not fit into 64 bits of milliseconds.
  package init?(written text: String) {
    var rest = text.filter { $0 != " " }[...]
    guard !rest.isEmpty else { return nil }
    var total: Int64 = 0
    while !rest.isEmpty {
      let digits = rest.prefix { $0.isASCII && $0.isNumber }
      rest = rest.dropFirst(digits.count)
      let letters = rest.prefix { $0.isLetter }
      rest = rest.dropFirst(letters.count)
      guard let number = Int64(digits), let unit = Self.units.first(where: { $0.suffix == letters }) else { return nil }
      let (product, overflowed) = number.multipliedReportingOverflow(by: unit.milliseconds)
      let (sum, overflowedAgain) = total.addingReportingOverflow(product)
      guard !overflowed, !overflowedAgain else { return nil }
      total = sum
    }
    self = .milliseconds(total)
  }

  /// The shortest form that `init(written:)` reads back: `1h30m`.
  package var written: String {
    let (seconds, attoseconds) = components
    var rest = seconds * 1000 + attoseconds / 1_000_000_000_000_000
    guard rest > 0 else { return "0s" }
    var text = ""
    for unit in Self.units.reversed() where rest >= unit.milliseconds {
      text += "\(rest / unit.milliseconds)\(unit.suffix)"
      rest %= unit.milliseconds
    }
    return text
  }
}

/// A number of bytes.
package struct ByteCount: Hashable, Comparable, Sendable {
  package let bytes: UInt64

  package init(bytes: UInt64) { self.bytes = bytes }

  private static let units: [(suffix: String, bytes: UInt64)] = [
    ("b", 1), ("kb", 1000), ("mb", 1_000_000), ("gb", 1_000_000_000), ("tb", 1_000_000_000_000),
    ("kib", 1 << 10), ("mib", 1 << 20), ("gib", 1 << 30), ("tib", 1 << 40),
  ]

  /// Reads a whole number with a unit, of either case: `1GiB`, `512 MiB`, `100MB`. Nil for anything else.
  package init?(written text: String) {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    let suffix = text.dropFirst(digits.count).drop { $0 == " " }.lowercased()
    guard let number = UInt64(digits), let unit = Self.units.first(where: { $0.suffix == suffix }) else { return nil }
    let (product, overflowed) = number.multipliedReportingOverflow(by: unit.bytes)
    guard !overflowed else { return nil }
    bytes = product
  }

  package static func < (left: ByteCount, right: ByteCount) -> Bool { left.bytes < right.bytes }

  /// The largest binary unit that divides it: `1GiB`.
  package var written: String {
    for unit in [("TiB", UInt64(1) << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)]
    where bytes >= unit.1 && bytes % unit.1 == 0 { return "\(bytes / unit.1)\(unit.0)" }
    return "\(bytes)B"
  }
}
