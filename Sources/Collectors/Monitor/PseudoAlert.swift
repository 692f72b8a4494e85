// Rows of prtAlertTable that are no alerts. Many printers list "Sleep mode on" or "Ready" there; raising those would drown the real ones.

package import PrinterModel

package enum PseudoAlert {
  /// Codes that tell of a healthy state, or of the end of another alert (IANA-PRINTER-MIB).
  private static let codes: Set<Int64> = [
    4,  // coverClosed
    6,  // interlockClosed
    19,  // subunitClosed
    20,  // subunitTurnedOn
    23,  // subunitPowerSaver
    24,  // subunitWarmingUp
    502,  // doorClosed
    503,  // powerUp
    504,  // powerDown
    507,  // printerReadyToPrint
    1005,  // markerAdjustingPrintQuality
    1801,  // alertRemovalOfBinaryChangeEntry
  ]

  /// Whether the fuser is below its temperature without anything being stopped by it: it cools down while the printer sleeps and warms up before the
  /// next job. Kyocera's keep the row for as long as they sleep, as an event that ends (warningBinaryChangeEvent), while hrPrinterDetectedErrorState says
  /// that nothing is wrong. A fuser that does not get warm is critical.
  private static func isColdFuser(_ row: PrinterAlert) -> Bool {
    row.code == 1001 && row.severity == 5
  }

  /// What the description begins with (lower case), for rows whose code tells nothing (`other`, `unknown`).
  private static let beginnings = [
    "sleep", "deep sleep", "sleeping", "power save", "power saver", "powersave", "power saving", "energy save",
    "energy saver", "energy saving", "low power", "standby", "stand by",
    "warming up", "warm up", "ready", "printer ready", "idle", "printing", "processing",
  ]

  /// Whether the row tells a state, not a condition to act on. A critical row is always an alert.
  package static func isState(_ row: PrinterAlert) -> Bool {
    if row.severity == 3 { return false }
    let code = EnumerationNames.subunitCode(row.code ?? 2)
    if codes.contains(code) || isColdFuser(row) { return true }
    guard code <= 2, let text = row.description?.text.lowercased() else { return false }
    return beginnings.contains { beginning in
      guard text.hasPrefix(beginning) else { return false }
      // "ready" does not mean "readying failed": the word must end there.
      let next = text.dropFirst(beginning.count).first
      return next.map { !$0.isLetter } ?? true
    }
  }
}
