// One simulated printer: a life driven by time alone.
//
// `advance(by:)` lets the printer live for that long. The life is a chain of happenings (a job arrives, a page comes out, a
// tray runs empty, somebody fills it), each decided by the printer's own seeded generator at the moment it happens. So the
// state depends on the model, the seed and the time lived, and not on the steps the time was cut into: a week in one call
// and a week in seconds end the same.
//
//     job arrives -> pages come out one by one -> paper, toner and waste space shrink
//                        |                            |
//                        v                            v
//                  jam, full bin                low: warning; out: critical, the printer stops
//                        |                            |
//                        +---- someone comes after a while: clears, fills, replaces ----> the printer goes on
//
// Counters move only by whole pages and only forwards; see Ledger.

/// A printer with its serial number, counters, supplies and alerts. A value: a copy lives on by itself.
package struct Printer: Sendable {
  /// Alert rows a printer keeps at most; real ones keep 10 to 50. Beyond, the condition holds but has no row.
  static let alertsMax = 32
  /// Jobs that wait at most; further ones are turned away.
  static let queueMax = 20
  /// Pages of a job on average; jobs have 1 to twice as many less one.
  static let meanJobPages = 5
  static let millisecondsPerDay: Int64 = 86_400_000

  package let model: DeviceModel
  package let identity: PrinterIdentity
  /// Milliseconds since it was switched on; the simulation starts with a printer that has been up for days.
  package private(set) var uptime: Int64
  package internal(set) var ledger = Ledger()
  /// Pages since it was switched on.
  package internal(set) var pagesSincePowerOn: UInt64 = 0
  package internal(set) var supplies: [SupplyState] = []
  /// Sheets in each tray, and in each bin.
  package internal(set) var traySheets: [Int] = []
  package internal(set) var binSheets: [Int] = []
  package internal(set) var coversOpen: [Bool] = []
  package internal(set) var alerts: [ActiveAlert] = []
  /// prtAlertAllEvents and prtAlertCriticalEvents: rows ever entered.
  package internal(set) var alertEvents: UInt32 = 0
  package internal(set) var criticalEvents: UInt32 = 0
  /// prtGeneralConfigChanges.
  package internal(set) var configurationChanges: UInt32
  /// Moves whenever anything but the uptime has changed.
  package internal(set) var revision: UInt64 = 0
  package internal(set) var job: Job?

  /// Milliseconds of uptime when the last page came out.
  package internal(set) var lastPageAt: Int64 = 0

  var conditions: Set<Condition> = []
  var waitingJobs = 0
  var nextAlertIndex: UInt32 = 1
  var agenda = Agenda()
  var random: SplitMix64

  /// A printer as it is found in an office: with a history, its supplies somewhere between full and nearly empty.
  package init(model: DeviceModel, identity: PrinterIdentity, seed: UInt64) {
    self.model = model
    self.identity = identity
    random = SplitMix64(seed: seed, name: identity.serial)
    uptime = Int64.random(in: 3_600_000...(40 * Self.millisecondsPerDay), using: &random)
    configurationChanges = UInt32.random(in: 1...40, using: &random)
    coversOpen = model.covers.map { _ in false }
    traySheets = model.inputs.map { Int.random(in: max(1, $0.capacity / 4)...$0.capacity, using: &random) }
    binSheets = model.outputs.map { _ in 0 }
    enterHistory()
    supplies = model.supplies.map { supply in
      SupplyState(model: supply, percent: Int.random(in: 2...100, using: &random), using: &random)
    }
    lastPageAt = uptime
    for position in supplies.indices { watchSupply(position) }
    for position in traySheets.indices { watchTray(position) }
    scheduleJob()
    scheduleCover()
  }

  /// Lets the printer live for so long. A negative time is none.
  package mutating func advance(by duration: Duration) {
    let (seconds, attoseconds) = duration.components
    advance(byMilliseconds: seconds * 1000 + attoseconds / 1_000_000_000_000_000)
  }

  package mutating func advance(byMilliseconds milliseconds: Int64) {
    let end = uptime + max(0, milliseconds)
    while let (time, happening) = agenda.next(until: end) {
      uptime = max(uptime, time)
      handle(happening)
    }
    uptime = end
  }

  /// Whether a critical condition keeps it from printing.
  package var isStopped: Bool { conditions.contains(where: \.isCritical) }

  /// Whether pages are coming out.
  package var isPrinting: Bool { job != nil && !isStopped }

  /// hrPrinterDetectedErrorState as a 16-bit word, bit 0 of the MIB being the most significant one.
  package var errorState: UInt16 { conditions.reduce(0) { $0 | $1.errorBits } }

  private mutating func enterHistory() {
    let usage = model.usage
    let pages = UInt64(Int.random(in: usage.initialPages, using: &random))
    let shares: [(Service, Int)] = [
      (.copy, usage.copyShare), (.fax, usage.faxShare), (.print, 100 - usage.copyShare - usage.faxShare),
    ]
    for (service, share) in shares where share > 0 {
      let total = pages * UInt64(share) / 100
      let inColour = service == .fax ? 0 : total * UInt64(usage.colourShare) / 100
      for (part, colour) in [(inColour, true), (total - inColour, false)] where part > 0 {
        let duplex = part * UInt64(usage.duplexShare) / 100
        let large = part * UInt64(usage.largeShare) / 100
        ledger.add(pages: min(duplex, part - large), for: service, inColour: colour, duplex: true)
        ledger.add(pages: part - large - min(duplex, part - large), for: service, inColour: colour, duplex: false)
        ledger.add(pages: large, for: service, inColour: colour, duplex: false, large: true)
      }
    }
    let upDays = UInt64(uptime / Self.millisecondsPerDay)
    pagesSincePowerOn = min(ledger.value(.total), upDays * UInt64(usage.pagesPerDay))
    if usage.jamEvery > 0 {
      for _ in 0..<min(200, pages / UInt64(usage.jamEvery)) { ledger.addJam() }
    }
  }
}

/// Who a simulated printer is.
package struct PrinterIdentity: Equatable, Sendable {
  package var serial: String
  package var macAddress: [UInt8]
  /// sysName and prtGeneralPrinterName.
  package var name: String
  package var location: String

  package init(serial: String, macAddress: [UInt8], name: String, location: String) {
    self.serial = serial
    self.macAddress = macAddress
    self.name = name
    self.location = location
  }

  /// An identity made from the model's patterns; the same seed and name give the same identity.
  package init(model: DeviceModel, name: String, location: String, seed: UInt64) {
    var random = SplitMix64(seed: seed, name: "identity " + name)
    let letters = Array("ABCDEFGHJKLMNPRSTUVWXYZ")
    serial = String(
      model.serialPattern.map { character in
        switch character {
        case "#": Character(String(Int.random(in: 0...9, using: &random)))
        case "@": letters.randomElement(using: &random) ?? "A"
        default: character
        }
      })
    macAddress = model.macPrefix + (0..<3).map { _ in UInt8.random(in: .min ... .max, using: &random) }
    self.name = name
    self.location = location
  }
}

/// A job being printed.
package struct Job: Equatable, Sendable {
  package var service: Service
  package var inColour: Bool
  package var duplex: Bool
  package var large: Bool
  package var pagesLeft: Int
  /// Whether the next page goes on the back of the last sheet.
  var backSide = false
}

/// One supply or receptacle in the printer.
package struct SupplyState: Equatable, Sendable {
  /// A page of normal coverage uses a thousand of these.
  static let perPage = 1000

  package let model: SupplyModel
  /// Thousandths of a page it still lasts for; of a receptacle: that still fit in.
  package internal(set) var remaining: Int
  package internal(set) var serial: String
  /// How often it has been replaced.
  package internal(set) var replacements = 0

  init(model: SupplyModel, percent: Int, using random: inout SplitMix64) {
    self.model = model
    remaining = model.yield * Self.perPage / 100 * percent
    serial = Self.newSerial(&random)
  }

  static func newSerial(_ random: inout SplitMix64) -> String {
    String((0..<12).map { _ in Character(String(Int.random(in: 0...9, using: &random))) })
  }

  /// Hundredths of a percent left (or free, of a receptacle): 0 to 10,000.
  package var hundredthsOfPercent: Int { max(0, remaining) * 10 / model.yield }

  /// prtMarkerSuppliesLevel as the model tells it.
  package var reportedLevel: Int64 {
    let isOut = remaining <= 0
    switch model.report {
    case .unknown: return -2
    case .some: return isOut ? 0 : -3
    case .exact, .steps:
      guard model.capacity > 0 else { return isOut ? 0 : -3 }
      let hundredths = model.report == .steps ? (hundredthsOfPercent + 999) / 1000 * 1000 : hundredthsOfPercent
      // Rounded up: a printer says 0 only when it stops.
      return Int64((model.capacity * hundredths + 9_999) / 10_000)
    }
  }
}
