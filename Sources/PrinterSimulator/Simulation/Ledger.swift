// The true counters of a simulated printer. Only single pages and scans are entered; every total is a sum of these, so
// monochrome + colour = total = print + copy + fax holds by construction.

/// What a page was printed for.
package enum Service: String, CaseIterable, Sendable {
  case print, copy, fax
}

/// Pages, sheets and events since the printer was made.
package struct Ledger: Equatable, Sendable {
  package private(set) var monochrome: [Service: UInt64] = [:]
  package private(set) var colour: [Service: UInt64] = [:]
  /// Pages on sheets printed on one side, and on both.
  package private(set) var simplexPages: UInt64 = 0
  package private(set) var duplexPages: UInt64 = 0
  package private(set) var largePages: UInt64 = 0
  package private(set) var scans: UInt64 = 0
  package private(set) var jams: UInt64 = 0

  package init() {}

  package mutating func add(pages: UInt64 = 1, for service: Service, inColour: Bool, duplex: Bool, large: Bool = false)
  {
    if inColour { colour[service, default: 0] += pages } else { monochrome[service, default: 0] += pages }
    if duplex { duplexPages += pages } else { simplexPages += pages }
    if large { largePages += pages }
    if service == .copy { scans += pages }
  }

  package mutating func add(scans more: UInt64) { scans += more }

  package mutating func addJam() { jams += 1 }

  package func value(_ count: Count) -> UInt64 {
    switch count {
    case .total: Service.allCases.reduce(0) { $0 + pages($1) }
    case .mono: monochrome.values.reduce(0, +)
    case .colour: colour.values.reduce(0, +)
    case .print: pages(.print)
    case .printMono: monochrome[.print] ?? 0
    case .printColour: colour[.print] ?? 0
    case .copy: pages(.copy)
    case .copyMono: monochrome[.copy] ?? 0
    case .copyColour: colour[.copy] ?? 0
    case .fax: pages(.fax)
    case .large: largePages
    case .small: value(.total) - largePages
    case .simplex: simplexPages
    case .duplex: duplexPages
    case .duplexSheets: (duplexPages + 1) / 2
    case .sheets: simplexPages + (duplexPages + 1) / 2
    case .scans: scans
    case .jams: jams
    case .zero: 0
    }
  }

  private func pages(_ service: Service) -> UInt64 { (monochrome[service] ?? 0) + (colour[service] ?? 0) }
}

/// What an object of a model counts, as model files spell it.
package enum Count: String, CaseIterable, Sendable {
  case total, mono, colour
  case print
  case printMono = "print.mono"
  case printColour = "print.colour"
  case copy
  case copyMono = "copy.mono"
  case copyColour = "copy.colour"
  case fax
  /// Pages on A3 and the like; and the others.
  case large, small
  /// Pages on sheets printed on one side, and on both.
  case simplex, duplex
  case duplexSheets = "duplex.sheets"
  case sheets, scans, jams
  /// A counter of something this printer cannot do.
  case zero
}
