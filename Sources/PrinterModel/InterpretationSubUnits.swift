// Trays, bins, covers and alerts: rows of Printer-MIB tables, as the device sent them.

internal import MIB

extension Interpreter {
  mutating func inputs() -> [InputTray] {
    rows(PrinterMIB.Input.entry).map { row in
      var tray = InputTray(row: RowIndex(row.index))
      tray.type = number(row.binding(PrinterMIB.Input.type))
      tray.capacityUnit = number(row.binding(PrinterMIB.Input.capacityUnit)).map(CounterUnit.init(rawValue:))
      tray.capacity = number(row.binding(PrinterMIB.Input.maxCapacity))
      tray.level = number(row.binding(PrinterMIB.Input.currentLevel))
      tray.status = number(row.binding(PrinterMIB.Input.status))
      tray.media = text(row.binding(PrinterMIB.Input.mediaName))
      tray.name = text(row.binding(PrinterMIB.Input.name))
      tray.description = text(row.binding(PrinterMIB.Input.description))
      if let level = tray.level, let capacity = tray.capacity, tray.isOverCapacity {
        let message = "the level of \(level) is above the capacity of \(capacity): how much is in it is unknown"
        findings.append(Finding(row.binding(PrinterMIB.Input.currentLevel)?.name, message))
      }
      return tray
    }
  }

  mutating func outputs() -> [OutputBin] {
    rows(PrinterMIB.Output.entry).map { row in
      var bin = OutputBin(row: RowIndex(row.index))
      bin.capacity = number(row.binding(PrinterMIB.Output.maxCapacity))
      bin.remaining = number(row.binding(PrinterMIB.Output.remainingCapacity))
      bin.status = number(row.binding(PrinterMIB.Output.status))
      bin.name = text(row.binding(PrinterMIB.Output.name))
      bin.description = text(row.binding(PrinterMIB.Output.description))
      if let remaining = bin.remaining, let capacity = bin.capacity, bin.isOverCapacity {
        let message = "room for \(remaining) is more than the capacity of \(capacity): how much there is is unknown"
        findings.append(Finding(row.binding(PrinterMIB.Output.remainingCapacity)?.name, message))
      }
      return bin
    }
  }

  mutating func covers() -> [Cover] {
    rows(PrinterMIB.Cover.entry).map { row in
      var cover = Cover(row: RowIndex(row.index))
      cover.status = number(row.binding(PrinterMIB.Cover.status))
      cover.description = text(row.binding(PrinterMIB.Cover.description))
      return cover
    }
  }

  mutating func markers() -> [MarkerUnit] {
    rows(PrinterMIB.Marker.entry).compactMap { row in
      var marker = MarkerUnit(row: RowIndex(row.index))
      marker.technology = number(row.binding(PrinterMIB.Marker.technology))
      marker.powerOnCount = number(row.binding(PrinterMIB.Marker.powerOnCount), as: .unsigned32)
      marker.status = number(row.binding(PrinterMIB.Marker.status))
      return marker == MarkerUnit(row: marker.row) ? nil : marker
    }
  }

  /// The alert table without its vacant rows: some devices keep rows of zeros where no alert is.
  mutating func alerts() -> [PrinterAlert] {
    var vacant: [RowIndex] = []
    let alerts = rows(PrinterMIB.Alert.entry).compactMap { row -> PrinterAlert? in
      var alert = PrinterAlert(row: RowIndex(row.index))
      alert.severity = number(row.binding(PrinterMIB.Alert.severity))
      alert.training = number(row.binding(PrinterMIB.Alert.trainingLevel))
      alert.group = number(row.binding(PrinterMIB.Alert.group))
      alert.groupIndex = number(row.binding(PrinterMIB.Alert.groupIndex))
      alert.location = number(row.binding(PrinterMIB.Alert.location))
      alert.code = number(row.binding(PrinterMIB.Alert.code))
      alert.description = text(row.binding(PrinterMIB.Alert.description))
      alert.time = number(row.binding(PrinterMIB.Alert.time), as: .unsigned32)
      guard !alert.isVacant else {
        vacant.append(alert.row)
        return nil
      }
      return alert
    }
    if !vacant.isEmpty {
      let list = vacant.map(\.description).joined(separator: ", ")
      findings.append(Finding(PrinterMIB.Alert.entry, "rows \(list) hold zeros and tell of no alert"))
    }
    return alerts
  }

  /// A table's rows; reaching the cap is a finding, and so is a column without an end.
  mutating func rows(_ entry: ObjectIdentifier) -> [TableRow] {
    let rows = walk.table(entry)
    if rows.count == Walk.tableRowsMax {
      findings.append(Finding(entry, "the table has \(rows.count) rows or more; the rest is not read"))
    }
    let kept = rows.withoutEndlessColumn
    if kept.count < rows.count {
      let message = "\(rows.count - kept.count) rows have one column, which goes on where the others end: not read"
      findings.append(Finding(entry, message))
    }
    return kept
  }
}

extension [TableRow] {
  /// More rows than a device has parts.
  private static let partsMax = 64

  /// Without the rows that have one column alone, where there are more of them than a device has parts and others have more columns: then one column
  /// goes on without an end, and these are no parts of anything.
  var withoutEndlessColumn: [TableRow] {
    guard count > Self.partsMax, count(where: { $0.cells.count == 1 }) > Self.partsMax else { return self }
    let whole = filter { $0.cells.count > 1 }
    return whole.isEmpty ? self : whole
  }
}

extension PrinterAlert {
  /// Whether the row stands for no alert: severity, group and code are all zero, and it says nothing.
  package var isVacant: Bool { severity == 0 && group == 0 && code == 0 && description == nil }

  /// Whether it only tells that the printer saves power or wakes up: devices raise and clear such alerts many times a day, and nothing
  /// is wrong. By code (subunitPowerSaver, subunitWarmingUp, powerUp, powerDown), by a negative code and no severity above `other`, or
  /// by zeros in severity, group and code with nothing but a text (`Sleep`).
  package var isPowerState: Bool {
    guard let code else { return false }
    return [23, 24, 503, 504].contains(code) || (code < 0 && severity == 1)
      || (code == 0 && severity == 0 && group == 0)
  }
}
