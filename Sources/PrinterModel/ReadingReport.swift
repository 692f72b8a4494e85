// A reading for people and for programs: what `ptagent read` prints. First what the device says, in words: what is not known is the word
// `unknown`, never a number. Then, under Sources, each value with the object it came from, its quality, its unit, the rule that gave it its
// meaning, and what the object held. Meters have all of that in their own lines.

package import MIB

/// Renders one reading, together with the walk that it was made of, as text or as JSON (`json`).
package struct ReadingReport: Sendable {
  let reading: Reading
  let sources: ReadingSources
  let profiles: ProfileSet

  /// - Parameter walk: what `reading` was interpreted from, with the same profiles.
  package init(_ reading: Reading, walk: Walk, profiles: ProfileSet = .shipped) {
    self.reading = reading
    self.profiles = profiles
    sources = Interpretation.sources(walk, profiles: profiles)
  }

  /// Sections with aligned columns, ending in a line break.
  package var text: String {
    var sections: [(title: String, rows: [[String]])] = [("Identity", identityRows), ("Status", statusRows)]
    sections.append(("Meters", reading.meters.map(meterRow)))
    sections.append(("Supplies", reading.supplies.map(supplyRow)))
    sections.append(("Trays", reading.inputs.map(trayRow)))
    sections.append(("Output bins", reading.outputs.map(binRow)))
    sections.append(("Covers", reading.covers.map(coverRow)))
    sections.append(("Print engines", reading.markers.map(markerRow)))
    sections.append(("Alerts", reading.alerts.map(alertRow)))
    sections.append(
      ("Change detectors", reading.detectors.fields.compactMap { name, value in value.map { [name, String($0)] } }))
    sections.append(("Checks", reading.checks.map(checkRow)))
    sections.append(("Findings", reading.findings.map { [$0.name?.shown ?? "-", $0.message] }))
    sections.append(("Sources", sourceRows))
    return sections.filter { !$0.rows.isEmpty }.map { "\($0.title)\n" + Self.aligned($0.rows) }
      .joined(separator: "\n")
  }
}

// MARK: - Rows

extension ReadingReport {
  /// The total names its reason, because a device can have several counters that could be it.
  fileprivate func meterRow(_ meter: Meter) -> [String] {
    let value = meter.quality.isNumber ? "\(meter.value) \(meter.unit.name)" : meter.quality.word
    var row = [
      meter.name.description, value, meter.quality.word, meter.source.name.shown, meter.source.rawShown,
      meter.rule.description,
    ]
    if meter.name == .total, let reason = Interpretation.reason(for: meter, profiles: profiles) {
      row.append("because: \(reason)")
    }
    return row
  }

  fileprivate func supplyRow(_ supply: Supply) -> [String] {
    [
      supply.row.description, EnumerationNames.supplyType(supply.type), supply.colour ?? "-",
      supply.description?.text ?? "-", supply.remaining, supply.levelOfCapacity, supply.quality.identifier,
    ] + (supply.percentRemaining == nil ? [] : supply.pagesRemaining.map { ["\($0) pages"] } ?? [])
  }

  fileprivate func trayRow(_ tray: InputTray) -> [String] {
    [
      tray.row.description, tray.name?.text ?? tray.description?.text ?? "-", tray.levelWords,
      tray.media?.text ?? "-",
    ]
  }

  fileprivate func binRow(_ bin: OutputBin) -> [String] {
    [bin.row.description, bin.name?.text ?? bin.description?.text ?? "-", bin.remainingWords]
  }

  fileprivate func coverRow(_ cover: Cover) -> [String] {
    [cover.row.description, cover.description?.text ?? "-", Self.name(cover.status, EnumerationNames.coverStatus)]
  }

  fileprivate func markerRow(_ marker: MarkerUnit) -> [String] {
    let count = marker.powerOnCount.map { "\($0) since power-on" } ?? "unknown since power-on"
    return [marker.row.description, Self.name(marker.technology, EnumerationNames.markerTechnology), count]
  }

  fileprivate func alertRow(_ alert: PrinterAlert) -> [String] {
    [
      alert.row.description, Self.name(alert.severity, EnumerationNames.severity),
      Self.name(alert.code, EnumerationNames.alertCode),
      "\(Self.name(alert.group, EnumerationNames.alertGroup)) \(alert.groupIndex.map(String.init) ?? "-")",
      Self.name(alert.training, EnumerationNames.trainingLevel), alert.description?.text ?? "-",
    ]
  }

  fileprivate func checkRow(_ check: ArithmeticCheck) -> [String] {
    let verdict = check.holds ? "holds" : "does not hold, \(check.expected) against \(check.actual)"
    return [check.name, verdict]
  }

  fileprivate var identityRows: [[String]] {
    reading.identity.fields.compactMap { name, value in value.map { [name, $0] } }
  }

  fileprivate var statusRows: [[String]] {
    var rows = [
      ["device", Self.name(reading.status.device, EnumerationNames.deviceStatus)],
      ["printer", Self.name(reading.status.printer, EnumerationNames.printerStatus)],
    ]
    if let errors = reading.status.detectedErrors {
      let names = EnumerationNames.detectedErrors(errors)
      rows.append(["detectedErrors", names.isEmpty ? "none" : names.joined(separator: ", ")])
    } else {
      rows.append(["detectedErrors", "unknown"])
    }
    return rows + reading.status.console.map { ["console", $0.text] }
  }

  /// The MIB's name, the number where it has none, `unknown` where there is no number.
  fileprivate static func name(_ value: Int64?, _ names: (Int64) -> String?) -> String {
    value.map { names($0) ?? String($0) } ?? "unknown"
  }
}

extension DeviceIdentity {
  /// Each value with its name, in the order in which reports show them.
  var fields: [(String, String?)] {
    [
      ("make", make), ("model", model?.text), ("serial", serial?.text), ("macAddress", macAddress.map(\.macText)),
      ("firmware", firmware?.text), ("hostName", hostName?.text), ("location", location?.text),
      ("assetNumber", assetNumber?.text), ("printerName", printerName?.text),
      ("systemDescription", systemDescription?.text), ("systemObjectID", systemObjectID?.description),
      ("deviceID", deviceID?.text), ("uuid", uuid),
    ]
  }
}

extension ChangeDetectors {
  /// Each value with its name, in the order in which reports show them.
  var fields: [(String, UInt64?)] {
    [
      ("configurationChanges", configurationChanges), ("criticalAlertEvents", criticalAlertEvents),
      ("allAlertEvents", allAlertEvents), ("uptimeTicks", uptimeTicks),
    ]
  }
}

// MARK: - Sources

extension ReadingReport {
  /// One line a value, in the order of the sections above.
  fileprivate var sourceRows: [[String]] {
    var rows = Self.lines("identity", sources.identity) + Self.lines("status", sources.status)
    for supply in reading.supplies { rows += Self.lines("supply \(supply.row)", sources.supplies[supply.row]) }
    for tray in reading.inputs { rows += Self.lines("tray \(tray.row)", sources.inputs[tray.row]) }
    for bin in reading.outputs { rows += Self.lines("bin \(bin.row)", sources.outputs[bin.row]) }
    for cover in reading.covers { rows += Self.lines("cover \(cover.row)", sources.covers[cover.row]) }
    for marker in reading.markers { rows += Self.lines("marker \(marker.row)", sources.markers[marker.row]) }
    for alert in reading.alerts { rows += Self.lines("alert \(alert.row)", sources.alerts[alert.row]) }
    return rows + Self.lines("detectors", sources.detectors)
  }

  private static func lines(_ group: String, _ sources: [ValueSource]?) -> [[String]] {
    (sources ?? []).map { source in
      [
        "\(group) \(source.value)", source.quality.identifier, source.unit ?? "-", source.source.name.shown,
        source.rule.description, source.source.rawShown,
      ]
    }
  }

  fileprivate static func aligned(_ rows: [[String]]) -> String {
    var widths: [Int] = []
    let clean = rows.map { $0.map { $0.replacingControls } }
    for row in clean {
      for (column, cell) in row.enumerated() {
        if column == widths.count { widths.append(0) }
        widths[column] = max(widths[column], cell.count)
      }
    }
    return clean.map { row in
      var line = " "
      for (column, cell) in row.enumerated() {
        let padding = column == row.count - 1 ? 0 : widths[column] - cell.count
        line += " " + cell + String(repeating: " ", count: padding)
      }
      return line + "\n"
    }.joined()
  }
}
