// Meter values as comma-separated lines (RFC 4180) for people with spreadsheets: one line for each meter that a reading told anew.

internal import Events
internal import Evidence
internal import MIB
internal import PrinterModel
internal import Projections

enum ReadingRow {
  static let titles = "time,epoch,sequence,device,address,make,model,serial,meter,value,unit,quality,oid,raw,rule"

  /// The lines of one event; none unless it holds meters. An unknown value is an empty cell.
  static func rows(of event: Event, at position: RecordPosition, _ device: DeviceState) -> [[UInt8]] {
    let meters: [Meter] =
      switch event.body {
      case .readingTaken(let taken): taken.reading.meters
      case .readingChanged(let changed): changed.change.meters.changed
      default: []
      }
    let summary = DeviceSummary(device)
    return meters.map { meter in
      let cells = [
        UTCTime.text(milliseconds: event.time), String(position.epoch), String(position.sequence),
        device.id.description, summary.address, summary.make, summary.model, summary.serial, meter.name.description,
        meter.quality == .unknown ? "" : String(meter.value), meter.unit.name,
        meter.quality.name, meter.source.name.shown,
        meter.source.raw.unsigned.map { String($0) } ?? "\(meter.source.raw)", meter.rule.description,
      ]
      return Array(cells.map(quoted).joined(separator: ",").utf8)
    }
  }

  /// A cell; quoted where it must be. A text that a spreadsheet would run as a formula gets an apostrophe in front, because
  /// names and serial numbers come from devices.
  private static func quoted(_ cell: String) -> String {
    var text = cell
    if let first = text.utf8.first, "=+-@\t\r".utf8.contains(first) { text = "'" + text }
    guard text.utf8.contains(where: { $0 == 0x22 || $0 == 0x2c || $0 == 0x0a || $0 == 0x0d }) else { return text }
    return "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
  }
}
